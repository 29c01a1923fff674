from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from engines.backends.cache import list_engines
from engines.backends.devices.cpu import LIMITS


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="the limit is one for x86"
)
def test_a_limit_on_instructions_makes_another_engine(tmp_path: Path) -> None:
    """Neither program takes the other's, and no precision is chosen that the limit rules out."""
    script = (
        "import numpy as np\n"
        "from engines.backends.registry import create_engine\n"
        "from tests.engines.factory import tiny_network\n"
        "for precision in (None, 'fp32'):\n"
        "    engine = create_engine(tiny_network(), 'openvino', precision=precision)\n"
        "    engine.run(np.zeros((1, engine.input_size, engine.input_size, 3), np.uint8))\n"
        "    print(engine.precision)\n"
    )
    environment = {
        **{name: value for name, value in os.environ.items() if name not in LIMITS},
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TOONIFY_CACHE": str(tmp_path),
    }
    kept = []
    for limit in ({}, {"ONEDNN_MAX_CPU_ISA": "SSE41"}, {}):
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True, text=True, env={**environment, **limit}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "built again" not in done.stdout + done.stderr
        assert done.stdout.split()[-1] == "fp32"
        if limit:
            assert done.stdout.split()[-2] == "fp32"
        kept.append({entry.key.target for entry in list_engines(tmp_path / "engines")})
    assert len(kept[0]) == 1
    assert len(kept[1]) == 2
    assert kept[2] == kept[1]
