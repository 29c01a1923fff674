"""Starting MediaPipe starts no other program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "from engines.faces.landmarker import Landmarker; Landmarker().close()"


@pytest.mark.skipif(os.name == "nt", reason="the traps are shell scripts")
def test_no_compiler_is_started(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for name in ("gcc", "cc", "ld", "ldconfig", "objdump"):
        trap = tmp_path / "bin" / name
        trap.parent.mkdir(exist_ok=True)
        trap.write_text(f"#!/bin/sh\necho {name} >>{ran}\nexit 1\n")
        trap.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([sys.executable, "-c", PROGRAM], env={**os.environ, "PATH": path})
    assert done.returncode == 0
    assert not ran.exists(), ran.read_text()
