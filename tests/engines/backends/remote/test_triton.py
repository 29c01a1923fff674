"""A real Triton serves the shipped network from the repository that `engines export` writes.

NVIDIA's package for Python carries Triton's server, but only its Python backend, which here runs the
exported file with ONNX Runtime. It wants other versions than this project, so it has an environment
of its own.
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

from engines.backends import BackendError, create_engine
from engines.backends.remote.repository import QUEUE_LIMIT, export_repository
from engines.backends.torch_eager import TorchEngine
from engines.bundle import default_bundle
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
        process = subprocess.Popen(
            *_command(place, port), stdout=log, stderr=subprocess.STDOUT, text=True
        )
        try:
            _wait(process, f"127.0.0.1:{port}", place / "log")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _command(place: Path, port: int) -> tuple[list[str], int, None, None]:
    raise NotImplementedError(place, port)


def _wait(process: subprocess.Popen[str], server: str, log: Path) -> None:
    client, end = kserve.InferenceServerClient(server), time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            if client.is_server_ready(client_timeout=2):
                return
        except kserve.InferenceServerException:
            time.sleep(0.3)
    pytest.fail(f"Triton did not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
