"""Plans are kept, checked and run; the GPU itself is played by fakes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from engines.backends import rtx
from engines.backends.cache import EngineLoadError
from engines.backends.keys import EngineKey
from engines.backends.onnx_graph import export_onnx
from engines.backends.protocol import BackendError
from engines.backends.request import EngineRequest, Prebuilt
from engines.backends.rtx_build import (
    AMPERE,
    TURING,
    build_plan,
)
from engines.backends.torch_eager import TorchEngine
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import (
    AGREEMENT,
    FakeCuda,
    difference,
    make_request,
    noisy_crops,
    put_together,
    run_onnx,
)
from tests.engines.backends.plans import ignore, shapes

trt = pytest.importorskip(
    "tensorrt_rtx", reason="the wheel tensorrt-rtx-cu13 has no build for this platform"
)


class Tier(NamedTuple):
    """The CPU tier prebuilt for the default target, and the graph it was built from."""

    request: EngineRequest
    prebuilt: Prebuilt
    model: onnx.ModelProto
    stages: list[str]


@pytest.fixture(scope="module")
def tier(cpu_tier: ToonNetwork, tmp_path_factory: pytest.TempPathFactory) -> Tier:
    models: list[onnx.ModelProto] = []
    stages: list[str] = []

    def export(network: ToonNetwork, precision: str, max_batch: int) -> onnx.ModelProto:
        models.append(export_onnx(network, precision, max_batch))
        return models[0]

    def note(stage: str, fraction: float) -> None:
        stages.append(stage)

    directory = tmp_path_factory.mktemp("tier")
    request = make_request(cpu_tier, directory, variant=AMPERE, max_batch=4, progress=note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rtx, "export_onnx", export)
        prebuilt = rtx.prebuild(request)
    return Tier(request, prebuilt, models[0], stages)


def test_prebuilds_the_cpu_tier(tier: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    path, built = tier.prebuilt
    assert built
    assert path.stat().st_size > 10_000_000
    assert tier.stages[0] == "Exporting the network"
    assert "Building engine" in tier.stages
    (entry,) = tier.request.cache.entries()
    assert (entry.key.backend, entry.key.target) == ("tensorrt-rtx", AMPERE)
    assert (entry.key.version, entry.key.precision) == (trt.__version__, "fp16")
    assert entry.key.shape == "1..4x256x256x3"

    def forbidden(*arguments: object) -> None:
        raise AssertionError("the plan was built again")

    monkeypatch.setattr(rtx, "export_onnx", forbidden)
    assert rtx.prebuild(tier.request) == (path, False)
    with pytest.raises(AssertionError, match="built again"):
        rtx.prebuild(replace(tier.request, variant="sm89"))


def test_what_the_cpu_tier_was_built_from_agrees_with_torch(
    tier: Tier, cpu_tier: ToonNetwork
) -> None:
    crops = noisy_crops(1, 256)
    found = put_together(cpu_tier, run_onnx(tier.model, crops))
    exact = TorchEngine(cpu_tier, "cpu", "fp32", 1).run(crops)
    assert difference(found.images, exact.images) < AGREEMENT
    assert difference(found.masks, exact.masks) < AGREEMENT


def test_targets_are_checked(tiny: ToonNetwork, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"builds for ampere\+, sm75.*not for 'sm42'"):
        rtx.prebuild(make_request(tiny, tmp_path, variant="sm42"))


class FakeProgram:
    """A plan at the GPU's edge: what it was loaded with, and which GPU was current."""

    device, precision = "test", "fp16"
    made: list[FakeProgram]
    refused: tuple[bytes, ...] = ()

    def __init__(self, plan: bytes, key: EngineKey, *arguments: Any) -> None:
        if plan in self.refused:
            raise EngineLoadError("refused.")
        self.plan, self.key, self.given = plan, key, arguments[3]
        self.current = torch.cuda.current_device()
        self.made.append(self)

    def close(self) -> None:
        pass


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> type[FakeProgram]:
    """Builds plans of nothing but the name of their target, and loads them into fakes."""
    monkeypatch.setattr(FakeProgram, "made", [], raising=False)
    monkeypatch.setattr(rtx, "RtxProgram", FakeProgram)
    model = SimpleNamespace(SerializeToString=lambda: b"")
    monkeypatch.setattr(rtx, "export_onnx", lambda *arguments: model)
    monkeypatch.setattr(rtx, "without_float_products", lambda model: model)
    monkeypatch.setattr(
        rtx, "build_plan", lambda model, target, *rest, tf32: f"{target} {tf32}".encode()
    )
    return FakeProgram


def test_turing_is_not_given_the_plan_of_newer_ones(
    plain: ToonNetwork, tmp_path: Path, cuda: FakeCuda, compiler: type[FakeProgram]
) -> None:
    request = make_request(plain, tmp_path)
    rtx.prebuild(replace(request, variant=AMPERE))
    rtx.create(request).close()
    cuda.capability = (7, 5)
    rtx.create(request).close()
    assert [session.key.target for session in compiler.made] == [AMPERE, TURING]


def test_prebuilds_for_the_gpu_that_is_here(
    plain: ToonNetwork,
    tmp_path: Path,
    cuda: FakeCuda,
    compiler: type[FakeProgram],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = make_request(plain, tmp_path)
    cuda.capability = (7, 5)
    path, _ = rtx.prebuild(request)
    assert path.read_bytes().endswith(b"\nsm75 True")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path, _ = rtx.prebuild(request)
    assert path.read_bytes().endswith(b"\nampere+ True")


def test_updates_are_built_on_the_gpu_of_the_engine(
    plain: ToonNetwork,
    tmp_path: Path,
    cuda: FakeCuda,
    compiler: type[FakeProgram],
) -> None:
    with cuda.use(1):
        engine = rtx.create(make_request(plain, tmp_path))
    engine.update(plain)
    assert engine.settle(60)
    engine.close()
    assert [session.current for session in compiler.made] == [1, 1]
    assert [session.given for session in compiler.made] == [torch.device("cuda", 1)] * 2


def test_a_kept_plan_that_does_not_load_is_built_again(
    plain: ToonNetwork,
    tmp_path: Path,
    cuda: FakeCuda,
    compiler: type[FakeProgram],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[str] = []
    request = make_request(plain, tmp_path, say=lines.append)
    request.cache.store(rtx._key(request, "fp16", AMPERE), b"stale")
    monkeypatch.setattr(compiler, "refused", (b"stale",))
    rtx.create(request).close()
    assert [session.plan for session in compiler.made] == [b"ampere+ True"]
    assert lines == [
        "The saved tensorrt-rtx engine does not load, so it is built again: refused.",
        "tensorrt-rtx: building an engine for ampere+, about a minute.",
    ]


def test_a_gpu_that_fails_is_a_reason_to_move_on(
    plain: ToonNetwork,
    tmp_path: Path,
    cuda: FakeCuda,
    compiler: type[FakeProgram],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("CUDA error: no kernel image")

    monkeypatch.setattr(rtx, "RtxProgram", fail)
    with pytest.raises(BackendError, match=r"tensorrt-rtx failed on this GPU: .*no kernel image"):
        rtx.create(make_request(plain, tmp_path))


def test_fp32_is_not_rounded(
    plain: ToonNetwork,
    tmp_path: Path,
    compiler: type[FakeProgram],
    tiny_onnx: onnx.ModelProto,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, _ = rtx.prebuild(make_request(plain, tmp_path, variant=AMPERE, precision="fp32"))
    assert path.read_bytes().endswith(b"\nampere+ False")
    seen: list[bool] = []

    def build(builder: Any, network: Any, config: Any) -> bytes:
        seen.append(config.get_flag(trt.BuilderFlag.TF32))
        return b"plan"

    monkeypatch.setattr(trt.Builder, "build_serialized_network", build)
    for tf32 in (True, False):
        build_plan(tiny_onnx.SerializeToString(), AMPERE, shapes(64, 2), ignore, tf32=tf32)  # type: ignore[arg-type]
    assert seen == [True, False]


class FakeRuntime:
    """What the library would answer on machines that are not here."""

    def __init__(self, validity: object, diagnostics: int) -> None:
        self.answer = validity, diagnostics

    def get_engine_validity(self, plan: bytes) -> tuple[object, int]:
        return self.answer


@pytest.mark.parametrize(
    ("diagnostics", "reason"),
    [
        (1, "it was built by another version of TensorRT for RTX"),
        (2, "it was built for another kind of GPU"),
        (4 | 16, "the NVIDIA driver is too old and the GPU has too little memory"),
        (32, "the file is damaged"),
        (0, "the library sees no usable GPU"),
    ],
)
def test_validity_is_asked_before_loading(diagnostics: int, reason: str) -> None:
    lines: list[str] = []
    rtx.check_plan(trt, FakeRuntime(trt.EngineValidity.VALID, 0), b"", lines.append)
    assert lines == []
    slow = FakeRuntime(trt.EngineValidity.SUBOPTIMAL, diagnostics)
    rtx.check_plan(trt, slow, b"", lines.append)
    assert lines == [f"tensorrt-rtx: the engine runs, but slower than it could: {reason}."]
    with pytest.raises(BackendError, match=f"does not run on this machine because {reason}") as e:
        rtx.check_plan(trt, FakeRuntime(trt.EngineValidity.INVALID, diagnostics), b"", lines.append)
    assert isinstance(e.value, EngineLoadError) == (diagnostics in (1, 32))  # those a build mends


def test_the_library_calls_garbage_damaged() -> None:
    runtime = trt.Runtime(trt.Logger(trt.Logger.INTERNAL_ERROR))
    with pytest.raises(BackendError, match="the file is damaged"):
        rtx.check_plan(trt, runtime, b"garbage" * 1000, lambda line: None)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_runs_on_an_rtx_gpu(
    tiny: ToonNetwork,
    other_tiny: ToonNetwork,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    if torch.cuda.get_device_capability() not in ((7, 5), (8, 0), (8, 6), (8, 9), (12, 0)):
        pytest.skip("TensorRT for RTX does not run on this GPU")
    engine = rtx.create(make_request(tiny, tmp_path))
    for crops in (tiny_crops, tiny_crops[:1], tiny_crops):
        assert difference(engine.run(crops).images, reference.run(crops).images) < AGREEMENT
    backends = {entry.key.backend for entry in make_request(tiny, tmp_path).cache.entries()}
    assert backends == {"tensorrt-rtx", "tensorrt-rtx-kernels"}
    engine.update(other_tiny)
    assert engine.settle(120)
    exact = TorchEngine(other_tiny, "cpu", "fp32", 2).run(tiny_crops)
    assert difference(engine.run(tiny_crops).images, exact.images) < AGREEMENT
    engine.close()
