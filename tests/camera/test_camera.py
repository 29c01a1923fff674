"""`toonify` from a real V4L2 camera into a real virtual one, read back by another program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.cli.app import main
from tests.camera.loopback import SIZE, Feeder, Reader, strip_error
from tests.realtime.cli.shell import run

LONGEST = 1800.0
"""Seconds after which a run is ended whatever came: emulated machines are slow."""
TOONS = 2


def run_until(
    done: Callable[[], bool], words: list[object], longest: float = LONGEST
) -> tuple[int, float]:
    """Run `toonify` until `done`, as if the user then pressed Ctrl-C.

    Returns:
        Its exit code, and when it was told to stop (monotonic seconds).
    """
    over, told = threading.Event(), [0.0]

    def watch() -> None:
        end = time.monotonic() + longest
        while not (done() or over.wait(0.5)) and time.monotonic() < end:
            pass
        told[0] = time.monotonic()
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        code = main([str(word) for word in words])
    finally:
        over.set()
        watcher.join()
    return code, told[0]


class Said:
    """All that was written for the user so far, in one line."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def __call__(self) -> str:
        self._text += self._capsys.readouterr().err
        return " ".join(self._text.split())


def from_camera(camera: str, output: str, engine: list[str], *more: object) -> list[object]:
    """The words of a small run."""
    return [
        "run", "--source", camera, "--sink", f"virtual:{output}", "--size", f"{SIZE[0]}x{SIZE[1]}",
        "--fps", 3, *engine, *more,
    ]  # fmt: skip


def test_devices_lists_a_fed_loopback_as_a_camera(
    devices: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    output, camera = devices
    number = camera.removeprefix("/dev/video")
    code, out, _ = run(capsys, "devices")
    assert code == 0
    assert f"--source {number}" not in out
    assert f"virtual:{output}" in out.replace(" ", "")
    with Feeder(camera):
        code, out, _ = run(capsys, "devices")
    assert code == 0
    assert f"--source {number}" in out
    assert "320x240" in out
    assert "A program" in out  # is writing to it; the table may wrap it


@pytest.mark.parametrize("mode", ["pass", "blur", "hold", "card"])
def test_toons_come_out_in_their_colours_and_no_face_under_a_guard(
    devices: tuple[str, str], engine: list[str], tmp_path: Path, mode: str
) -> None:
    """From before the start to after the end; under `pass` the face shows, so it can be seen."""
    output, camera = devices
    numbers = tmp_path / "stats.json"
    words = from_camera(camera, output, engine, "--guard", mode, "--stats", numbers)
    with Feeder(camera), Reader(output) as reader:
        code, told = run_until(lambda: len(reader.toons()) >= TOONS, words)
    assert code == 0
    assert {image.shape for image in reader.pictures} == {(SIZE[1], SIZE[0], 3)}
    assert len(reader.toons()) >= TOONS
    assert min(strip_error(image) for image in reader.toons()) < 8
    assert json.loads(numbers.read_text())["sent_by_kind"]["toon"] >= TOONS
    assert reader.seen[0].time < told
    if mode == "pass":
        assert reader.raw() > 0
    else:
        assert reader.raw() == 0
        assert len(reader.pictures) > len(reader.toons())  # what was shown before the first toon


def test_a_device_that_another_program_feeds_is_told(
    devices: tuple[str, str], engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    output, _ = devices
    with Feeder(output):
        code, _, err = run(
            capsys, "run", "--source", "demo", "--sink", f"virtual:{output}", *engine
        )
    assert code == 1
    assert f"No virtual camera {output} can be opened" in err


def test_a_camera_that_is_unplugged_comes_back(
    devices: tuple[str, str], engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    output, camera = devices
    first, second = Feeder(camera), Feeder(camera)
    said = Said(capsys)
    state = {"unplugged": False, "back": 0}

    def done() -> bool:
        if not state["unplugged"]:
            if len(reader.toons()) >= TOONS:
                first.stop()
                state["unplugged"] = True
        elif not second.ready.is_set():
            if "stopped or was unplugged" in said() or "delivers no pictures" in said():
                state["back"] = len(reader.toons())
                second.__enter__()
        else:
            return "is back." in said() and len(reader.toons()) >= state["back"] + TOONS
        return False

    with first, Reader(output) as reader:
        code, _ = run_until(done, from_camera(camera, output, engine), 2 * LONGEST)
    second.stop()
    assert code == 0
    assert "stopped or was unplugged" in said() or "delivers no pictures" in said()
    assert "is back." in said()
    assert len(reader.toons()) >= state["back"] + TOONS
    assert reader.raw() == 0


def test_a_driver_that_is_unloaded_and_loaded_again(
    devices: tuple[str, str],
    driver: str,
    engine: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The system refuses while the device is in use; once the camera is gone, it is gone whole."""
    _, camera = devices
    first, second = Feeder(camera), Feeder(camera)
    said = Said(capsys)
    state = {"removed": False, "refused": False}
    film = tmp_path / "a.mkv"

    def rmmod() -> bool:
        return subprocess.run(["rmmod", "v4l2loopback"], capture_output=True).returncode == 0

    def done() -> bool:
        if not film.exists():
            return False
        if not state["refused"]:
            assert not rmmod()
            state["refused"] = True
            first.stop()
        elif not state["removed"]:
            if rmmod():  # between two attempts to open the camera
                assert not Path(camera).exists()
                subprocess.run(["insmod", *driver.split()], check=True)
                state["removed"] = True
        elif not second.ready.is_set():
            second.__enter__()
        else:
            return "is back." in said()
        return False

    words = ["run", "--source", camera, "--sink", film, "--size", "320x240", "--fps", 3, *engine]
    with first:
        code, _ = run_until(done, words, 2 * LONGEST)
    second.stop()
    assert code == 0
    assert state["removed"]
    assert "is back." in said()
    assert film.stat().st_size > 1000


def test_doctor_finds_the_virtual_camera(
    devices: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(capsys, "doctor")
    assert "virtual camera" in out
    assert "sudo modprobe" not in out
