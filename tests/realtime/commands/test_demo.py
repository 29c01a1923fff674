"""`toonify demo` under what happens to a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realtime.cli.app import main
from tests.realtime.commands.waiting import wait_for
from tests.realtime.media import read_movie, write_movie


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_half_a_demo_is_not_done_and_says_so(tmp_path: Path, engine: list[str]) -> None:
    for name in ("demo.mp4", "contact-sheet.png", "stats.json"):
        (tmp_path / name).write_text("of an earlier demo")
    words = ["demo", "--out", str(tmp_path), "--seconds", "40", "--size", "320x180", *engine]
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", *words], stderr=subprocess.PIPE, text=True
    )
    while (tmp_path / "contact-sheet.png").exists() and process.poll() is None:
        time.sleep(0.05)
    wait_for(tmp_path / "demo.mp4")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    pictures = read_movie(tmp_path / "demo.mp4")[0]
    assert 0 < len(pictures) < 1200
    assert f"Error: The demo was interrupted after {len(pictures)} of 1200 pictures; run" in err
    assert "Film: " not in err
    assert json.loads((tmp_path / "stats.json").read_text())["frames_sent"] == len(pictures)
    sheet = tmp_path / "contact-sheet.png"
    assert sheet.exists() == (len(pictures) > 75)  # its first picture is the 75th


@pytest.mark.parametrize(
    "words",
    [["demo", "--out", "{0}/file/demo"], ["video", "{0}/in.mp4", "{0}/out.mp4", "--stats", "{0}"]],
)
def test_other_commands_too_tell_what_cannot_be_written_before_they_work(
    words: list[str], tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    write_movie(tmp_path / "in.mp4", 2)
    assert main([*(word.format(tmp_path) for word in words), *engine]) == 1
    err = capsys.readouterr().err
    assert "cannot be written: " in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "in.mp4"]
