"""`toonify run` and `toonify demo` under what happens to a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def engine(model: Path) -> list[str]:
    """Flags for the small model."""
    return ["--model", str(model), "--engine", "torch:cpu", "--mode", "crop"]


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there is no such signal here")
@pytest.mark.parametrize("module", ["realtime.settings", "realtime.commands.live", "mediapipe"])
def test_the_panic_key_counts_before_the_run_has_begun(
    module: str, tmp_path: Path, engine: list[str]
) -> None:
    program = f"""
import signal, sys
from realtime.cli import main

def press(event, arguments):
    if event == "import" and arguments[0] == {module!r}:
        signal.raise_signal(signal.SIGUSR1)

sys.addaudithook(press)
sys.exit(main(sys.argv[1:]))
"""
    stats = tmp_path / "stats.json"
    words = ["run", "--source", "demo", "--size", "320x180", "--sink", str(tmp_path / "a.mp4"),
             "--seconds", "1", "--stats", str(stats), *engine]  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Card shown." in done.stderr
    assert list(json.loads(stats.read_text())["sent_by_kind"]) == ["card"]
