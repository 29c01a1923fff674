"""`toonify run` under what happens to a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.cli.app import main
from realtime.frame import Frame
from realtime.sources.camera import CameraSource
from tests.realtime.commands.waiting import wait_for


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there is no such signal here")
@pytest.mark.parametrize("module", ["realtime.settings", "realtime.commands.run", "mediapipe"])
def test_the_panic_key_counts_before_the_run_has_begun(
    module: str, tmp_path: Path, engine: list[str]
) -> None:
    program = f"""
import signal, sys
from realtime.cli.app import main

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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_a_run_without_a_single_frame_has_failed(tmp_path: Path, engine: list[str]) -> None:
    film = tmp_path / "a.mp4"
    words = ["run", "--source", "99", "--sink", str(film), *engine]
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", *words], stderr=subprocess.PIPE, text=True
    )
    wait_for(film)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Error: Not one picture came from camera 99; `toonify devices`" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("flags", "place"),
    [
        (["--record", "{}/a.mp4"], "{}/a.mp4"),
        (["--overlay", "{}/a.mov"], "{}/a.mov"),
        (["--sink", "{}/shots/"], "{}/shots/frame-000001.png"),
        (["--sink", "none", "--preview", "--stats", "{}/a.json"], "{}/a.json"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_the_camera_is_opened(
    flags: list[str],
    place: str,
    tmp_path: Path,
    engine: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []

    def frames(self: CameraSource) -> Iterator[Frame]:
        opened.append(self.name)
        return iter(())

    monkeypatch.setattr(CameraSource, "frames", frames)
    film = tmp_path / "film"
    film.write_bytes(b"in the way")
    words = [flag.format(film) for flag in flags]
    assert main(["run", "--source", "0", "--seconds", "2", *words, *engine]) == 1
    err = capsys.readouterr().err
    assert f"Error: {place.format(film)} cannot be written: " in err
    assert err.count("\n") == 1
    assert not opened
