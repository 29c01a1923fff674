"""Fixtures shared by every test.

What a test needs comes with the project: eight portraits (`engines.faces.people`) and small
measured data in `tests/data`. Only what may not be shipped is taken from a folder beside the
checkout; a test that needs it is skipped with its reason where that folder is missing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.pictures import read_rgb

TESTS = Path(__file__).parent
DATA = TESTS / "data"
SHARED = Path(__file__).resolve().parents[2] / "shared"

SLOW = (  # folders and files whose tests train, build engines or run whole programs
    "benchmarks/peers",
    "benchmarks/quality",
    "benchmarks/suites",
    "engines/backends/devices/test_intel.py",
    "engines/backends/remote/test_repository.py",
    "engines/backends/remote/test_triton.py",
    "engines/backends/test_cuda_graphs.py",
    "engines/backends/test_onnx_graph.py",
    "engines/backends/test_openvino.py",
    "engines/backends/test_rtx.py",
    "engines/backends/test_rtx_build.py",
    "engines/backends/test_torch_tensorrt.py",
    "engines/checkpoints/test_isolation.py",
    "engines/training",
    "examples",
    "fuzz",
    "realtime/cli",
    "realtime/commands",
    "realtime/test_moving.py",
    "realtime/web/photo/test_page.py",
    "realtime/web/test_gate_in_browser.py",
    "realtime/sinks/test_stream.py",
    "realtime/sources/test_network.py",
    "realtime/web/panel",
    "test_readme.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in `SLOW`, which `make check` leaves out."""
    for item in items:
        if any(item.path.is_relative_to(TESTS / name) for name in SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def clips_dir() -> Path:
    """Films of real heads, which do not come with the project; skips where they are missing."""
    if not (SHARED / "data" / "clips").is_dir():
        pytest.skip("needs films of real heads in ../shared/data/clips (see CONTRIBUTING.md)")
    return SHARED / "data" / "clips"


@pytest.fixture(scope="session")
def measured_faces() -> dict[str, NDArray[np.float32]]:
    """MediaPipe's landmarks of aligned portraits, float32 [N, 478, 3] in pixels of 512.

    `people`: 60 faces; `turned`: the 24 most turned heads of 2326; `sample`: 117 of these 2326,
    from the least to the most turned.
    """
    with np.load(DATA / "landmarks.npz") as table:
        return {name: table[name].astype(np.float32) for name in table.files}


@pytest.fixture(scope="session")
def small_portraits() -> NDArray[np.uint8]:
    """The first 24 of `measured_faces["people"]`: RGB, uint8 [24, 128, 128, 3]."""
    paths = sorted((DATA / "people").glob("*.webp"))
    return np.stack([read_rgb(path) for path in paths])
