"""Every example runs from end to end; only cameras and windows are stand-ins."""

from __future__ import annotations

import ast
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pyvirtualcam

from engines.faces.people import people
from tests.pictures import read_bgr

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def example(name: str) -> Callable[..., Any]:
    main: Callable[..., Any] = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]
    return main


def differs(path: Path, portrait: Path) -> float:
    """Mean difference of a written toon from its portrait, 0..255."""
    toon, photo = read_bgr(path), read_bgr(portrait)
    assert toon.shape == photo.shape
    return float(np.abs(toon.astype(int) - photo).mean())


class Camera:
    """A camera that delivers the same portrait six times."""

    def __init__(self, index: int) -> None:
        self.left = 6

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, cv2.imread(str(people()[0]))) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.left = 0


class VirtualCamera:
    """Keeps what is sent."""

    sent: tuple[np.ndarray, ...] = ()
    device = "nowhere"

    def __init__(self, width: int, height: int, fps: float, *, fmt: object) -> None:
        self.shape = (height, width, 3)

    def __enter__(self) -> VirtualCamera:
        return self

    def __exit__(self, *about: object) -> None:
        pass

    def send(self, picture: np.ndarray) -> None:
        assert (picture.shape, picture.dtype) == (self.shape, np.uint8)
        VirtualCamera.sent += (picture.copy(),)

    def sleep_until_next_frame(self) -> None:
        pass


def test_one_picture(tmp_path: Path) -> None:
    target = tmp_path / "toon.png"
    assert example("one_picture")(str(people()[0]), str(target)) == 1
    assert differs(target, people()[0]) > 2


def test_what_is_no_picture_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is no picture"):
        example("one_picture")(__file__, str(tmp_path / "toon.png"))


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in people()[:2]:
        shutil.copy(path, folder)
    (folder / "notes.txt").write_text("no picture")
    cv2.imwrite(str(folder / "wall.png"), np.full((64, 64, 3), 128, np.uint8))
    written = example("folder")(str(folder), str(tmp_path / "toons"))
    assert [path.name for path in written] == ["01.png", "02.png"]
    assert all(path.is_file() for path in written)


def test_a_camera_loop_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    monkeypatch.setattr(cv2, "imshow", lambda title, picture: shown.append(picture.copy()))
    monkeypatch.setattr(cv2, "waitKey", lambda milliseconds: -1)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    assert example("camera_loop")() == 6
    photo = read_bgr(people()[0])
    assert all(picture.shape == photo.shape for picture in shown)
    assert all(np.abs(picture.astype(int) - photo).mean() > 2 for picture in shown)


def test_a_virtual_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyvirtualcam, "Camera", VirtualCamera)
    assert example("virtual_camera")("demo", count=3) == 3
    assert len(VirtualCamera.sent) == 3


def test_a_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    assert example("engine_benchmark")("torch:cpu", runs=2) > 0
    assert "torch" in capsys.readouterr().out


def test_every_example_tells_how_it_is_run_and_has_a_test() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES.glob("*.py"):
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert f"python examples/{path.name}" in doc
        assert f'example("{path.stem}")' in tests


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["one_picture.py", "nope.jpg", "toon.png"], "nope.jpg is no picture that OpenCV can read"),
        (["one_picture.py", "PORTRAIT", "toon.xyz"], "toon.xyz cannot be written; give a .png"),
        (["folder.py", "nope", "toons"], "nope: No such file or directory; give a folder"),
        (["camera_loop.py", "front"], "Give the camera's number"),
        (["camera_loop.py", "99"], "Camera 99 cannot be opened"),
        (["virtual_camera.py", ""], "Error: source must be a camera's index"),
        (["virtual_camera.py", "nope.mp4"], "Error: There is no file nope.mp4"),
        (["engine_benchmark.py", "abacus"], "Error: There is no back end 'abacus'"),
    ],
)
def test_what_goes_wrong_is_one_sentence(words: list[str], message: str, tmp_path: Path) -> None:
    given = [str(people()[0]) if word == "PORTRAIT" else word for word in words[1:]]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / words[0]), *given],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["one_picture", "folder", "virtual_camera", "engine_benchmark"])
def test_ctrl_c_ends_without_a_traceback(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("realtime.Toonifier.__enter__", stop)
    monkeypatch.setattr("engines.backends.create_engine", stop)
    words = {"one_picture": [str(people()[0]), "a.png"], "folder": [str(EXAMPLES), str(EXAMPLES)]}
    monkeypatch.setattr(sys, "argv", [name, *words.get(name, [])])
    with pytest.raises(SystemExit, match="Stopped"):
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def test_without_a_virtual_camera_a_sentence_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no backend")

    monkeypatch.setattr(pyvirtualcam, "Camera", fail)
    with pytest.raises(SystemExit, match="There is no virtual camera; `toonify doctor`"):
        example("virtual_camera")("demo", count=3)
