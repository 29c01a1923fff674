"""`toonify run` and `toonify demo`: what they print, write and return."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.pictures import read_bgr
from tests.realtime.cli.shell import run
from tests.realtime.media import read_movie


def test_settings_are_saved_and_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    words = ["--source", "demo", "--size", "640x480", "--record", tmp_path / "a.mp4"]
    assert run(capsys, "run", *words, "--save", path)[0] == 0
    text = path.read_text()
    assert 'source = "demo"' in text
    assert "size = [640, 480]" in text
    assert run(capsys, "run", "--config", path, "--style", "x", "--save", path)[0] == 0
    assert 'style = "x"' in path.read_text()
    assert "size = [640, 480]" in path.read_text()


def test_a_saved_stream_key_is_told_of_and_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.toml"
    words = ["--sink", "rtmp://a.host/live/k3y", "--audio", "default", "--save", path]
    code, out, err = run(capsys, "run", *words)
    assert code == 0
    assert "holds a password or stream key, so only you can read it" in err
    assert "k3y" not in out + err
    assert 'audio = "default"' in path.read_text()
    code, _, err = run(capsys, "run", "--sink", "none", "--audio", "default")
    assert code == 2
    assert "--audio must name a microphone, and a sink must be a stream" in err


def test_settings_do_not_replace_another_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = tmp_path / "mine.toml", tmp_path / "other.toml"
    mine.write_text("# mine\n")
    other.write_text('[source]\nsource = "demo"\n')
    for config in ([], ["--config", other]):
        code, _, err = run(capsys, "run", *config, "--save", mine)
        assert code == 2
        assert "mine.toml exists; give another name, or --force to replace it." in err
        assert mine.read_text() == "# mine\n"
    assert run(capsys, "run", "--save", mine, "--force")[0] == 0
    assert "[source]" in mine.read_text()


def test_demo(tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", tmp_path, "--seconds", "0.4", "--size", "640x360", *engine]
    code, out, err = run(capsys, "demo", *words)
    assert code == 0
    pictures, times, _ = read_movie(tmp_path / "demo.mp4")
    assert len(pictures) == 12
    assert float(times[-1]) == pytest.approx(11 / 30, abs=1e-3)
    assert pictures[0].shape == (270, 960, 3)
    left, right = pictures[5][:, :480], pictures[5][:, 480:]
    change = np.abs(left.astype(int) - right).max(axis=2)
    assert change[40:170, 170:260].mean() > 10  # the face is another
    assert change[:, 340:].mean() < 4  # the shelf is the same
    assert read_bgr(tmp_path / "contact-sheet.png").shape == (1080, 1920, 3)
    numbers = json.loads((tmp_path / "stats.json").read_text())
    assert numbers["sent_by_kind"] == {"toon": 12}
    assert numbers["engine"] == "torch"
    assert "added latency" in out
    assert "demo.mp4" in err


def test_run_from_the_demo_to_several_sinks(
    tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"kept")
    code, out, err = run(
        capsys, "run", "--source", "demo", "--size", "320x180", "--sink", tmp_path / "a.mp4",
        "--sink", f"{tmp_path}/shots/", "--overlay", tmp_path / "a.mov", "--seconds", "1.5",
        "--stats", tmp_path / "stats.json", *engine,
    )  # fmt: skip
    assert code == 0
    numbers = json.loads((tmp_path / "stats.json").read_text())
    assert numbers["frames_sent"] > 0
    assert (tmp_path / "a.mp4").read_bytes() == b"kept"
    assert len(read_movie(tmp_path / "a-2.mp4")[0]) > 0
    told = "".join(err.split())  # wrapped
    assert f"Recorded{tmp_path}/a-2.mp4." in told
    assert f"Recorded{tmp_path}/a.mov." in told
    assert len(list((tmp_path / "shots").iterdir())) > 0
    assert len(read_movie(tmp_path / "a.mov")[0]) > 0
    assert "frames a second" in out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_cleanly(tmp_path: Path, engine: list[str], name: str) -> None:
    film = tmp_path / "a.mp4"
    words = ["run", "--source", "demo", "--size", "320x180", "--sink", film, *engine]
    number = getattr(signal, name)
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # if the tests run under nohup
    )
    try:
        deadline = time.monotonic() + 120
        while not film.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)  # a film begins with the card, before the first frame is there
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert len(read_movie(film)[0]) > 0


def test_run_says_what_to_install_without_a_virtual_camera(
    engine: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyvirtualcam import camera

    monkeypatch.setattr(camera, "BACKENDS", {})
    code, _, err = run(capsys, "run", "--source", "demo", *engine)
    assert code == 1
    assert re.search("v4l2loopback|OBS", err)
