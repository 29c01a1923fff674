from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engines.backends import torch_tensorrt as backend
from engines.backends.protocol import BackendError
from engines.backends.request import EngineRequest
from engines.backends.torch_eager import TorchEngine
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import AGREEMENT, FakeCuda, difference, make_request


class FakeLibrary(ModuleType):
    """The package at its import edge: compiles nothing, writes what it was given to write."""

    __version__ = "0.0"

    def __init__(self, compile_graph: Callable[..., object]) -> None:
        super().__init__("torch_tensorrt")
        self.dynamo = SimpleNamespace(compile=compile_graph)
        self.runtime = SimpleNamespace(set_cudagraphs_mode=lambda on: None)
        self.settings: dict[str, object] = {}

    def save(self, graph: object, path: str, **settings: object) -> None:
        self.settings.update(settings)
        Path(path).write_bytes(str(graph).encode())


@pytest.fixture
def install(
    monkeypatch: pytest.MonkeyPatch, cuda: FakeCuda
) -> Callable[[Callable[..., object]], FakeLibrary]:
    """Pretends that the package is here and that the CPU is a GPU."""
    monkeypatch.setattr(backend, "require_cuda", lambda name: torch.device("cpu"))
    tensorrt = module_from_spec(ModuleSpec("tensorrt", None))
    monkeypatch.setattr(tensorrt, "__version__", "10.1", raising=False)
    monkeypatch.setitem(sys.modules, "tensorrt", tensorrt)
    cuda.capability = (9, 0)

    def install(compile_graph: Callable[..., object]) -> FakeLibrary:
        library = FakeLibrary(compile_graph)
        monkeypatch.setitem(sys.modules, "torch_tensorrt", library)
        return library

    return install


@pytest.fixture
def request_plain(plain: ToonNetwork, tmp_path: Path) -> EngineRequest:
    return make_request(plain, tmp_path)


def test_typed_half_program_is_compiled_saved_and_kept(
    request_plain: EngineRequest, install: Callable[[Callable[..., object]], FakeLibrary]
) -> None:
    calls: list[dict[str, Any]] = []

    def compile_graph(program: torch.export.ExportedProgram, **settings: Any) -> str:
        calls.append(settings)
        convolutions = [n for n in program.graph.nodes if "conv2d" in str(n.target)]
        types = {node.meta["val"].dtype for node in convolutions}
        assert types == {torch.float16, torch.float32} or settings["disable_tf32"]
        return "a compiled graph"

    library = install(compile_graph)
    path, built = backend.prebuild(request_plain)
    assert built
    assert request_plain.cache.load(next(request_plain.cache.entries()).key) == b"a compiled graph"
    assert calls[0]["use_explicit_typing"] is True
    (example,) = calls[0]["inputs"]
    assert (example.dtype, tuple(example.shape)) == (torch.uint8, (1, 32, 32, 3))
    assert library.settings["output_format"] == "exported_program"
    assert backend.prebuild(request_plain) == (path, False)
    assert len(calls) == 1
    key = next(request_plain.cache.entries()).key
    assert key.target == "sm90 Test GPU"
    assert torch.__version__ in key.version
    assert "TensorRT 10.1" in key.version
    assert calls[0]["disable_tf32"] is False
    backend.prebuild(replace(request_plain, precision="fp32"))
    assert calls[1]["disable_tf32"] is True


@pytest.mark.usefixtures("quick_export")
@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (RuntimeError("no kernel\nfound"), "update the driver.*RuntimeError: no kernel found"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), "memory is full: close other programs"),
        (ValueError("x" * 500), r"ValueError: x+\.\.\."),
    ],
)
def test_every_failure_of_a_build_is_one_line_of_advice(
    request_plain: EngineRequest,
    install: Callable[[Callable[..., object]], FakeLibrary],
    error: Exception,
    advice: str,
) -> None:
    def fail(program: object, **settings: object) -> None:
        raise error

    install(fail)
    with pytest.raises(BackendError, match=f"TensorRT could not build an engine.*{advice}") as e:
        backend.prebuild(request_plain)
    assert "\n" not in str(e.value)
    assert len(str(e.value)) < 300
    assert list(request_plain.cache.entries()) == []


@pytest.mark.usefixtures("quick_export")
def test_a_kept_engine_that_does_not_load_gives_advice(
    request_plain: EngineRequest, install: Callable[[Callable[..., object]], FakeLibrary]
) -> None:
    install(lambda program, **settings: "not an exported program")
    with pytest.raises(BackendError, match="TensorRT could not load its engine: update"):
        backend.create(request_plain)


@pytest.fixture
def quick_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares tests that do not look at the exported program the seconds that an export takes."""
    monkeypatch.setattr(torch.export, "export", lambda module, inputs: SimpleNamespace())


class CpuProgram:
    """A session at the compiler's edge; notes which GPU was current when it was made."""

    device, precision = "test", "fp16"
    made_on: list[object]

    def __init__(self, *arguments: object) -> None:
        self.made_on.append(torch.cuda.current_device())

    def close(self) -> None:
        pass


def test_updates_are_built_on_the_gpu_of_the_engine(
    request_plain: EngineRequest,
    install: Callable[[Callable[..., object]], FakeLibrary],
    cuda: FakeCuda,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(lambda program, **settings: "a compiled graph")
    program = SimpleNamespace(module=lambda: None)
    monkeypatch.setattr(torch.export, "load", lambda file: program)
    monkeypatch.setattr(backend, "_build", lambda *arguments: b"a program")
    monkeypatch.setattr(backend, "TensorRtProgram", CpuProgram)
    monkeypatch.setattr(CpuProgram, "made_on", [], raising=False)
    monkeypatch.setattr(backend, "require_cuda", lambda name: SimpleNamespace(index=cuda.current))
    with cuda.use(1):
        engine = backend.create(request_plain)
    engine.update(request_plain.network)
    assert engine.settle(60)
    engine.close()
    assert CpuProgram.made_on == [1, 1]


@pytest.mark.usefixtures("quick_export")
def test_a_gpu_that_fails_in_the_warm_up_is_a_reason_to_move_on(
    request_plain: EngineRequest,
    install: Callable[[Callable[..., object]], FakeLibrary],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(device: object) -> None:
        raise RuntimeError("CUDA error: no kernel image")

    install(lambda program, **settings: "a compiled graph")
    program = SimpleNamespace(module=lambda: None)
    monkeypatch.setattr(torch.export, "load", lambda file: program)
    monkeypatch.setattr(torch.cuda, "Stream", fail)
    with pytest.raises(BackendError, match=r"tensorrt failed on this GPU: .*no kernel image"):
        backend.create(request_plain)


@pytest.mark.usefixtures("quick_export")
@pytest.mark.parametrize(
    ("error", "builds"),
    [(RuntimeError("another version"), 2), (torch.cuda.OutOfMemoryError("CUDA out of memory"), 1)],
)
def test_a_kept_engine_that_does_not_load_is_built_once_more(
    request_plain: EngineRequest,
    install: Callable[[Callable[..., object]], FakeLibrary],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    builds: int,
) -> None:
    calls: list[object] = []

    def compile_graph(program: object, **settings: object) -> str:
        calls.append(program)
        return "a compiled graph"

    def fail(file: object) -> None:
        raise error

    install(compile_graph)
    backend.prebuild(request_plain)
    monkeypatch.setattr(torch.export, "load", fail)
    with pytest.raises(BackendError, match="TensorRT could not load its engine"):
        backend.create(request_plain)
    assert len(calls) == builds


@pytest.mark.parametrize("error", [ImportError("libcudart.so.13"), OSError("undefined symbol")])
def test_a_package_that_does_not_import_gives_advice(
    request_plain: EngineRequest, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            if name == "torch_tensorrt":
                raise error

    monkeypatch.setattr(backend, "require_cuda", lambda name: torch.device("cpu"))
    monkeypatch.delitem(sys.modules, "torch_tensorrt", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    with pytest.raises(BackendError, match=r"does not fit this torch: .* -m pip install"):
        backend.create(request_plain)


def test_variants_are_refused(plain: ToonNetwork, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="has no variants, but was asked for 'sm90'"):
        backend.create(make_request(plain, tmp_path, variant="sm90"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_runs_on_a_gpu(
    tiny: ToonNetwork,
    other_tiny: ToonNetwork,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch_tensorrt")
    engine = backend.create(make_request(tiny, tmp_path))
    for crops in (tiny_crops, tiny_crops[:1]):
        assert difference(engine.run(crops).images, reference.run(crops).images) < AGREEMENT
    engine.update(other_tiny)
    assert engine.settle(600)
    exact = TorchEngine(other_tiny, "cpu", "fp32", 2).run(tiny_crops)
    assert difference(engine.run(tiny_crops).images, exact.images) < AGREEMENT
    engine.close()
