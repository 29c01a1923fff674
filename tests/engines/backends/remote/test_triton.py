"""A real Triton serves the shipped network from the repository that `engines export` writes.

NVIDIA's package for Python carries Triton's server, but only its Python backend, which here runs
the exported file with ONNX Runtime. It wants other versions than this project, so it has an
environment of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.backends import BackendError, Engine, create_engine
from engines.backends.remote import engine as module
from engines.backends.remote.repository import QUEUE_LIMIT, export_repository
from engines.backends.torch_eager import TorchEngine
from engines.bundle import default_bundle
from engines.catalogue import DEFAULT_BUNDLE
from engines.faces.people import people
from engines.networks.toon import ToonNetwork
from engines.pictures import read_picture
from tests.engines.backends.conftest import AGREEMENT, difference

kserve = pytest.importorskip(
    "tritonclient.grpc", reason="needs the extra remote: pip install -e '.[remote]'"
)

PYTHON = os.environ.get("TOONIFY_TRITON_PYTHON", "")
HOW = (
    "needs a real Triton (Linux, 500 MB): python -m venv triton && triton/bin/pip install "
    "nvidia-pytriton onnxruntime, then TOONIFY_TRITON_PYTHON=triton/bin/python"
)
ASK = (
    "import json, sys, sysconfig, pytriton, pathlib;"
    "print(json.dumps([str(pathlib.Path(pytriton.__file__).parents[1]),"
    " f'{sys.version_info[0]}.{sys.version_info[1]}', sysconfig.get_config_var('LIBDIR')]))"
)
MODEL = f"{DEFAULT_BUNDLE}-film"
CALLERS = 8
START = 240  # seconds that a busy machine may take to load and warm up

pytestmark = pytest.mark.skipif(not PYTHON, reason=HOW)


@pytest.fixture(scope="module")
def shipped() -> ToonNetwork:
    return default_bundle().network()


@pytest.fixture(scope="module")
def portraits(shipped: ToonNetwork) -> NDArray[np.uint8]:
    side = (shipped.input_size, shipped.input_size)
    pictures = [read_picture(path).rgb for path in people()[1:4]]
    return np.stack([cv2.resize(one, side, interpolation=cv2.INTER_AREA) for one in pictures])


@pytest.fixture(scope="module")
def server(shipped: ToonNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("triton")
    made = export_repository(shipped, place / "models", "triton", precision="fp32", max_batch=8)
    shutil.copy(Path(__file__).with_name("triton_model.py"), made.path / "model.py")
    config = made.path.parent / "config.pbtxt"
    text = config.read_text(encoding="utf-8").replace("onnxruntime", "python")
    # A busy machine may let a crop wait longer than a live frame should.
    config.write_text(text.replace(str(QUEUE_LIMIT), str(60_000_000)), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (place / "log").open("w") as log:
        command, environment = _start(place, port)
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, text=True
        )
        try:
            _wait(process, f"127.0.0.1:{port}", place / "log")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _start(place: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """The server's command and environment, with the Python backend for its own Python."""
    answer = subprocess.run([PYTHON, "-c", ASK], capture_output=True, text=True, check=True)
    packages, version, libraries = json.loads(answer.stdout)
    triton = Path(packages) / "pytriton" / "tritonserver"
    backend = place / "backends" / "python"
    shutil.copytree(triton / "backends" / "python", backend)
    stub = triton / "python_backend_stubs" / version / "triton_python_backend_stub"
    shutil.copy(stub, backend)
    command = [
        str(triton / "bin" / "tritonserver"),
        f"--model-repository={place / 'models'}",
        f"--backend-directory={place / 'backends'}",
        f"--grpc-port={port}",
        "--grpc-address=127.0.0.1",
        "--allow-http=false",
        "--allow-metrics=false",
    ]
    environment = {
        **os.environ,
        "PATH": f"{Path(PYTHON).absolute().parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": packages,
        "LD_LIBRARY_PATH": f"{libraries}:{Path(packages) / 'nvidia_pytriton.libs'}",
    }
    return command, environment


def _wait(process: subprocess.Popen[str], server: str, log: Path) -> None:
    client, end = kserve.InferenceServerClient(server), time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            if client.is_server_ready(client_timeout=2):
                return
        except kserve.InferenceServerException:
            time.sleep(0.3)
    pytest.fail(
        f"Triton did not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
    )


def test_draws_what_this_machine_draws(
    server: str, shipped: ToonNetwork, portraits: NDArray[np.uint8]
) -> None:
    lines: list[str] = []
    remote = create_engine(shipped, f"remote:{server}", say=lines.append)
    here = TorchEngine(shipped, "cpu", "fp32", 4)
    drawn, known = remote.run(portraits), here.run(portraits)
    assert difference(drawn.images, known.images) < AGREEMENT
    assert difference(drawn.masks, known.masks) < AGREEMENT
    assert "Running on remote: triton 2" in lines[-1]
    assert f"at {server}, model {MODEL}" in lines[-1]
    remote.close()
    here.close()


def test_the_other_style_is_not_served(server: str) -> None:
    comic = default_bundle().network("comic")
    with pytest.raises(BackendError, match=f"serves no model '{DEFAULT_BUNDLE}-comic'"):
        create_engine(comic, f"remote:{server}", say=lambda line: None)
    with pytest.raises(BackendError, match=f"draws something else under the name '{MODEL}'"):
        create_engine(comic, f"remote:{server}/{MODEL}", say=lambda line: None)


def test_eight_callers_at_once_share_batches(
    server: str,
    shipped: ToonNetwork,
    portraits: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for limit in ("FILE_DEADLINE", "LATER_CHECK", "PAUSE"):  # a busy machine takes its time
        monkeypatch.setattr(module, limit, START)
    engines = [
        create_engine(shipped, f"remote:{server}", say=lambda line: None) for _ in range(CALLERS)
    ]
    known = engines[0].run(portraits[:1]).images
    before, together = _batches(server), threading.Barrier(CALLERS)
    drawn: list[NDArray[np.uint8]] = []

    def call(engine: Engine) -> None:
        together.wait(60)
        drawn.extend(engine.run(portraits[:1]).images for _ in range(3))

    callers = [threading.Thread(target=call, args=(engine,)) for engine in engines]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(drawn) == 3 * CALLERS
    assert max(difference(one, known) for one in drawn) < AGREEMENT
    formed = {size: count - before.get(size, 0) for size, count in _batches(server).items()}
    assert sum(size * count for size, count in formed.items()) == 3 * CALLERS
    assert sum(count for size, count in formed.items() if size > 1) > 0
    for engine in engines:
        engine.close()


def _batches(server: str) -> dict[int, int]:
    """Batch size -> how many of that size Triton has drawn.

    Triton counts a batch after it has sent the answer, so this asks until nothing is added.
    """
    client, seen = kserve.InferenceServerClient(server), None
    while True:
        (model,) = client.get_inference_statistics(MODEL).model_stats
        found = {one.batch_size: one.compute_infer.count for one in model.batch_stats}
        if found == seen:
            return found
        seen = found
        time.sleep(1)
