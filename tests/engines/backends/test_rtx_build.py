"""Plans are built without a GPU, and a build that fails says why."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from engines.backends.onnx_graph import without_float_products
from engines.backends.protocol import BackendError
from engines.backends.rtx_build import (
    AMPERE,
    TARGETS,
    TURING,
    build_plan,
    target_of,
    targets_of,
)
from tests.engines.backends.plans import ignore, shapes

pytest.importorskip(
    "tensorrt_rtx", reason="the wheel tensorrt-rtx-cu13 has no build for this platform"
)


@pytest.mark.parametrize("target", [AMPERE, "sm86", "sm89", "sm120"])
def test_builds_without_a_gpu(tiny_onnx: onnx.ModelProto, target: str) -> None:
    steps: list[tuple[str, float]] = []
    plan = build_plan(
        tiny_onnx.SerializeToString(),
        target,
        shapes(64, 2),  # type: ignore[arg-type]
        lambda stage, fraction: steps.append((stage, fraction)),
    )
    assert len(plan) > 10_000
    fractions = [fraction for _, fraction in steps]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < 0.5 < fractions[-1] <= 1
    assert ("Building engine", 0.0) in steps


def test_builds_for_turing_without_float_products(tiny_onnx: onnx.ModelProto) -> None:
    plan = build_plan(
        without_float_products(tiny_onnx).SerializeToString(),
        TURING,
        shapes(64, 2),  # type: ignore[arg-type]
        ignore,
    )
    assert len(plan) > 10_000


def test_a_build_that_fails_gives_the_compilers_reason(tiny_onnx: onnx.ModelProto) -> None:
    with pytest.raises(BackendError, match=r"cannot build this model for sm75: .*FP32 GEMM") as e:
        build_plan(tiny_onnx.SerializeToString(), TURING, shapes(64, 2), ignore)  # type: ignore[arg-type]
    assert "\n" not in str(e.value)


def unreadable_models() -> list[bytes]:
    """Bytes that are no ONNX, and an ONNX model with a byte tensor that nothing may transpose."""
    node = helper.make_node("Transpose", ["crops"], ["toons"], perm=[0, 3, 1, 2])
    crops = helper.make_tensor_value_info("crops", TensorProto.UINT8, [1, 8, 8, 3])
    toons = helper.make_tensor_value_info("toons", TensorProto.UINT8, [1, 3, 8, 8])
    graph = helper.make_graph([node], "bytes", [crops], [toons])
    opset = [helper.make_opsetid("", 20)]
    return [b"garbage", helper.make_model(graph, opset_imports=opset).SerializeToString()]


@pytest.mark.parametrize("model", unreadable_models(), ids=["garbage", "unsupported"])
def test_a_model_that_cannot_be_read_gives_one_line(model: bytes) -> None:
    with pytest.raises(BackendError, match=r"cannot read this model: .") as caught:
        build_plan(model, AMPERE, shapes(8, 1), ignore)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("capability", "target"),
    [((7, 5), "sm75"), ((8, 6), "sm86"), ((8, 9), "sm89"), ((12, 0), "sm120"), ((8, 7), AMPERE)],
)
def test_target_fits_the_gpu(capability: tuple[int, int], target: str) -> None:
    assert target_of(capability) == target
    assert target in TARGETS


@pytest.mark.parametrize(
    ("capability", "targets"),
    [((7, 5), ("sm75",)), ((8, 6), ("sm86", AMPERE)), ((12, 1), (AMPERE, AMPERE))],
)
def test_only_ampere_and_newer_run_its_plans(
    capability: tuple[int, int], targets: tuple[str, ...]
) -> None:
    assert targets_of(capability) == targets


def test_older_gpus_are_refused() -> None:
    with pytest.raises(BackendError, match=r"7\.5 or newer, but this one has 6\.1: choose cuda"):
        target_of((6, 1))
