from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from realtime.settings import SourceSettings
from realtime.sources import SourceError
from realtime.sources.camera import CameraInfo, CameraSource, find_camera
from tests.realtime.fakes import FakeDevice, Messages

CAMERAS = [
    CameraInfo(0, "Integrated Webcam", "/dev/video0", 200),
    CameraInfo(2, "USB Studio Cam", "/dev/video2", 200),
    CameraInfo(4, "USB Document Cam", "/dev/video4", 200),
]


class TestCamera:
    @pytest.mark.parametrize(
        ("what", "index"),
        [("0", 0), ("2", 2), ("integrated", 0), ("Studio", 2), ("/dev/video4", 4)],
    )
    def test_is_found_by_index_name_or_path(self, what: str, index: int) -> None:
        assert find_camera(what, CAMERAS).index == index

    @pytest.mark.parametrize(
        ("what", "message"),
        [("1", "No camera fits '1' .*0 .Integrated"), ("usb", "Several cameras fit 'usb'")],
    )
    def test_that_is_missing_or_unclear_is_told_with_the_choice(
        self, what: str, message: str
    ) -> None:
        with pytest.raises(SourceError, match=message):
            find_camera(what, CAMERAS)

    def camera(self, script: Iterator[Any], messages: Messages, **settings: Any) -> CameraSource:
        asked = SourceSettings(source="0", **{"size": (160, 120), "fps": 30, **settings})
        scripts = iter([script])
        return CameraSource(
            asked,
            messages,
            lambda _: FakeDevice(next(scripts)),
            pauses=(5.0,),
            frozen=0.05,
            rate_check=0.3,
        )

    def test_that_delivers_less_than_asked_is_told_of(self) -> None:
        messages = Messages()

        def slow() -> Iterator[Any]:
            rng = np.random.default_rng(0)
            while True:
                yield rng.integers(0, 255, (60, 80, 3), np.uint8)

        camera = self.camera(slow(), messages, fps=240.0)
        for frame in camera.frames():
            told = any("a second instead of 240" in line for line in messages)
            if (told and frame.number > 3) or frame.number > 3000:
                break
        camera.close()
        assert any("80x60 instead of 160x120" in line for line in messages)
        assert any("a second instead of 240" in line for line in messages)
        assert not any("is back" in line for line in messages)  # it was never gone

    def test_that_repeats_one_picture_is_told_of_once(self) -> None:
        messages = Messages()

        def frozen() -> Iterator[Any]:
            while True:
                yield np.zeros((120, 160, 3), np.uint8)

        camera = self.camera(frozen(), messages)
        for frame in camera.frames():
            if frame.number > 40:
                break
        camera.close()
        assert sum("frozen" in line for line in messages) == 1

    def test_that_is_missing_is_told_of_once_and_waited_for(self) -> None:
        messages = Messages()
        attempts = threading.Event()
        count = 0

        def missing(settings: SourceSettings) -> Any:
            nonlocal count
            count += 1
            if count == 4:
                attempts.set()
            raise SourceError("No camera fits '0'.")

        camera = CameraSource(SourceSettings(), messages, missing, pauses=(0.01,))
        thread = threading.Thread(target=lambda: list(camera.frames()))
        thread.start()
        assert attempts.wait(5)
        camera.close()
        thread.join(5)
        assert not thread.is_alive()
        assert messages == ["No camera fits '0'. Waiting for it."]

    def test_that_is_missing_is_an_error_for_those_who_do_not_wait(self) -> None:
        def missing(settings: SourceSettings) -> Any:
            raise SourceError("No camera fits '0'; plug one in.")

        def broken(settings: SourceSettings) -> Any:
            raise OSError("no bandwidth")

        def dead(settings: SourceSettings) -> Any:
            return FakeDevice(iter(()))

        for opener, message in (
            (missing, r"^No camera fits '0'; plug one in\.$"),
            (broken, r"^The camera 0 cannot be opened: no bandwidth\.$"),
            (dead, r"^The camera 0 stopped or was unplugged\.$"),
        ):
            camera = CameraSource(SourceSettings(), Messages(), opener, patient=False)
            with pytest.raises(SourceError, match=message):
                next(camera.frames())

    def test_that_fails_later_is_waited_for_by_everybody(self) -> None:
        messages = Messages()
        scripts = iter(
            [iter([np.zeros((6, 8, 3), np.uint8)]), iter([np.ones((6, 8, 3), np.uint8)])]
        )
        camera = CameraSource(
            SourceSettings(),
            messages,
            lambda _: FakeDevice(next(scripts)),
            pauses=(0.01,),
            patient=False,
        )
        frames = camera.frames()
        assert [next(frames).image.max(), next(frames).image.max()] == [0, 1]
        camera.close()
        assert "The camera 0 stopped or was unplugged; opening it again." in messages

    def test_gets_what_was_asked_in_the_right_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import cv2

        from realtime.sources import camera as module

        asked = []

        class Capture:
            def __init__(self, index: int, backend: int) -> None:
                self.opened = (index, backend)

            def isOpened(self) -> bool:  # noqa: N802
                return True

            def set(self, key: int, value: float) -> None:
                asked.append((key, value))

        monkeypatch.setattr(module, "list_cameras", lambda: CAMERAS)
        monkeypatch.setattr(cv2, "VideoCapture", Capture)
        module.open_camera(SourceSettings(source="2", size=(640, 480), fps=60))
        assert [key for key, _ in asked] == [
            cv2.CAP_PROP_FOURCC,
            cv2.CAP_PROP_FRAME_WIDTH,
            cv2.CAP_PROP_FRAME_HEIGHT,
            cv2.CAP_PROP_FPS,
            cv2.CAP_PROP_BUFFERSIZE,
        ]
        assert dict(asked)[cv2.CAP_PROP_BUFFERSIZE] == 1
        assert dict(asked)[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
