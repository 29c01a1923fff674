from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engines.backends import BackendError, BuildStep, build_engines, create_engine, list_engines
from engines.backends import registry as registry_module
from engines.backends.torch_eager import TorchEngine
from engines.networks.toon import ToonNetwork
from engines.say import say_details
from tests.engines.backends.conftest import FakeCuda

needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


def failing(reason: str) -> SimpleNamespace:
    """A back end's module that cannot run here."""

    def create(request: object) -> None:
        raise BackendError(reason)

    return SimpleNamespace(create=create, prebuild=create)


@pytest.fixture
def replace_backends(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, object]], None]:
    """Puts fakes in the place of some back ends' modules."""

    def replace(fakes: dict[str, object]) -> None:
        real = registry_module._backend
        monkeypatch.setattr(registry_module, "_backend", lambda name: fakes.get(name) or real(name))

    return replace


@needs_no_gpu
def test_auto_without_a_gpu_says_one_line_unless_asked_for_more(
    tiny: ToonNetwork, engines: Path
) -> None:
    lines: list[str] = []
    create_engine(tiny, cache_dir=engines, say=lines.append).close()
    assert [line.split()[0] for line in lines] == ["Running"]


@needs_no_gpu
def test_auto_without_a_gpu_says_why_and_runs_openvino(
    tiny: ToonNetwork, engines: Path, request: pytest.FixtureRequest
) -> None:
    say_details(True)
    request.addfinalizer(lambda: say_details(False))
    lines: list[str] = []
    engine = create_engine(tiny, cache_dir=engines, say=lines.append)
    assert [line.split()[0] for line in lines] == ["tensorrt-rtx", "tensorrt", "cuda", "Running"]
    assert all("skipped: " in line and "\n" not in line for line in lines[:3])
    assert lines[3].startswith("Running on openvino: CPU, ")
    assert engine.precision in lines[3]
    engine.close()


def test_auto_takes_the_first_that_runs(
    tiny: ToonNetwork,
    tmp_path: Path,
    replace_backends: Callable[[dict[str, object]], None],
) -> None:
    names = ("tensorrt-rtx", "tensorrt", "cuda", "openvino")
    replace_backends({name: failing(f"{name} is away.") for name in names})
    lines: list[str] = []
    engine = create_engine(tiny, cache_dir=tmp_path, say=lines.append)
    assert engine.name == "torch"
    assert lines[:4] == [f"{name} skipped: {name} is away." for name in names]


def test_auto_moves_on_from_a_gpu_that_fails(
    tiny: ToonNetwork,
    tmp_path: Path,
    replace_backends: Callable[[dict[str, object]], None],
    cuda: FakeCuda,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a Pascal card with a torch for newer ones: it is there, but its first kernel fails."""
    error = getattr(torch, "AcceleratorError", RuntimeError)

    def fail(device: object) -> None:
        raise error("CUDA error: no kernel image is available for execution on the device")

    cuda.capability = (6, 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", fail)
    cpu = SimpleNamespace(create=lambda request: TorchEngine(request.network, "cpu", "fp32", 1))
    replace_backends({"openvino": cpu})
    lines: list[str] = []
    create_engine(tiny, cache_dir=tmp_path, say=lines.append).close()
    assert [line.split()[0] for line in lines] == ["tensorrt-rtx", "tensorrt", "cuda", "Running"]
    assert "cuda failed on this GPU" in lines[2]
    assert "no kernel image" in lines[2]


def test_auto_with_nothing_left_gives_every_reason(
    tiny: ToonNetwork,
    tmp_path: Path,
    replace_backends: Callable[[dict[str, object]], None],
) -> None:
    replace_backends({name: failing(f"{name} is away.") for name in registry_module.BACKENDS})
    with pytest.raises(BackendError, match=r"No back end runs here.*cuda is away.*torch is away"):
        create_engine(tiny, cache_dir=tmp_path, say=lambda line: None)


def test_a_named_back_end_never_falls_back(
    tiny: ToonNetwork,
    tmp_path: Path,
    replace_backends: Callable[[dict[str, object]], None],
) -> None:
    replace_backends({"openvino": failing("openvino is away.")})
    with pytest.raises(BackendError, match="openvino is away"):
        create_engine(tiny, "openvino", cache_dir=tmp_path)


def test_a_fault_in_a_back_end_is_not_taken_for_a_reason_to_skip_it(
    tiny: ToonNetwork,
    tmp_path: Path,
    replace_backends: Callable[[dict[str, object]], None],
) -> None:
    def broken(request: object) -> None:
        raise ZeroDivisionError

    replace_backends({"tensorrt-rtx": SimpleNamespace(create=broken)})
    with pytest.raises(ZeroDivisionError):
        create_engine(tiny, cache_dir=tmp_path, say=lambda line: None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tensorflow", "There is no back end 'tensorflow': choose auto or tensorrt-rtx"),
        ("torch:tpu", "torch finds no device 'tpu': choose one of .*cpu"),
        ("openvino:vpu", "OpenVINO finds no device 'vpu': choose one of cpu"),
    ],
)
def test_unknown_names_list_what_there_is(
    tiny: ToonNetwork, tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        create_engine(tiny, name, cache_dir=tmp_path)


@pytest.mark.parametrize("name", ["torch:cpu", "openvino"])
def test_a_precision_that_is_not_offered_is_refused(
    tiny: ToonNetwork, tmp_path: Path, name: str
) -> None:
    with pytest.raises(BackendError, match=r"runs .*fp32.*, not fp8: choose one of those"):
        create_engine(tiny, name, precision="fp8", cache_dir=tmp_path)


@needs_no_gpu
@pytest.mark.parametrize("name", ["cuda", "tensorrt", "tensorrt-rtx"])
def test_gpu_back_ends_refuse_in_one_sentence(tiny: ToonNetwork, tmp_path: Path, name: str) -> None:
    with pytest.raises(BackendError) as caught:
        create_engine(tiny, name, cache_dir=tmp_path)
    text = str(caught.value)
    assert text.startswith(name)
    assert "choose openvino" in text
    assert text.count(". ") == 0


def test_max_batch_must_be_positive(tiny: ToonNetwork, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="1 or more, not 0"):
        create_engine(tiny, "torch", max_batch=0, cache_dir=tmp_path)


def test_the_report_goes_to_standard_error(
    tiny: ToonNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create_engine(tiny, "torch:cpu", cache_dir=tmp_path).close()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Running on torch: CPU")


def test_prebuilt_engine_is_found_by_create(tiny: ToonNetwork, tmp_path: Path) -> None:
    steps: list[BuildStep] = []
    arguments = {"cache_dir": tmp_path, "say": lambda line: None}
    (built,) = build_engines(tiny, ["openvino"], progress=steps.append, **arguments)  # type: ignore[arg-type]
    assert built.built
    assert built.path.stat().st_size == built.size
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    assert steps[-1] == BuildStep("openvino", "done", 1.0)
    (again,) = build_engines(tiny, ["openvino"], **arguments)  # type: ignore[arg-type]
    assert not again.built
    create_engine(tiny, "openvino", cache_dir=tmp_path, say=lambda line: None).close()
    assert [entry.path for entry in list_engines(tmp_path)] == [built.path]


def test_auto_never_sends_crops_to_a_server() -> None:
    assert registry_module.BY_NAME
    assert not set(registry_module.BY_NAME) & set(registry_module.BACKENDS)


@pytest.mark.parametrize("name", ["torch", "cuda", "remote"])
def test_back_ends_without_a_build_say_so(tiny: ToonNetwork, tmp_path: Path, name: str) -> None:
    with pytest.raises(BackendError, match=f"{name} starts without a build"):
        build_engines(tiny, [name], cache_dir=tmp_path)


def test_what_is_no_back_end_cannot_be_built(tiny: ToonNetwork) -> None:
    with pytest.raises(BackendError, match="auto is no back end to build: name one of tensorrt"):
        build_engines(tiny, ["auto"])


def test_the_engine_keeps_no_tie_to_the_network(
    tiny: ToonNetwork, engines: Path, tiny_crops: np.ndarray
) -> None:
    before = {name: tensor.clone() for name, tensor in tiny.state_dict().items()}
    for name in ("torch:cpu", "openvino"):
        engine = create_engine(tiny, name, cache_dir=engines, say=lambda line: None)
        engine.run(tiny_crops)
        engine.close()
    after = tiny.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert next(tiny.encoder.parameters()).dtype == torch.float32


def test_importing_the_package_loads_no_compiler() -> None:
    code = (
        "import sys, engines.backends;"
        "heavy = {'openvino', 'tensorrt_rtx', 'torch_tensorrt', 'onnx', 'nncf'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
