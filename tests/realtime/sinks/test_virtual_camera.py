from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime.sinks import SinkError, virtual_camera
from realtime.sinks.runner import SinkRunner
from realtime.sinks.virtual_camera import (
    CAPABILITY,
    CONVERT,
    DRIVER,
    OUTPUT,
    VirtualCamera,
    make_writable,
)
from tests.realtime.fakes import Messages
from tests.realtime.media import (
    number_of,
)
from tests.realtime.sinks.outputs import SIZE, output

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")


class TestVirtualCamera:
    @pytest.fixture
    def device(self) -> Iterator[list[dict[str, Any]]]:
        """A back end of pyvirtualcam's own registry that keeps every frame it is sent."""
        from pyvirtualcam import camera

        opened: list[dict[str, Any]] = []

        class Fake:
            def __init__(self, **options: Any) -> None:
                if options["device"] == "busy":
                    raise RuntimeError("device busy")
                self.state = {**options, "frames": [], "closed": 0}
                opened.append(self.state)

            def close(self) -> None:
                self.state["closed"] += 1

            def send(self, frame: np.ndarray) -> None:
                self.state["frames"].append(frame.copy())

            def device(self) -> str:
                return self.state["device"] or "fake0"

            def native_fourcc(self) -> None:
                return None

        before = dict(camera.BACKENDS)
        camera.BACKENDS.clear()
        camera.register_backend("fake", Fake)
        yield opened
        camera.BACKENDS.clear()
        camera.BACKENDS.update(before)

    @pytest.mark.parametrize("pixel_format", sorted(CONVERT))
    def test_every_frame_arrives_in_the_chosen_format(
        self, device: list[dict[str, Any]], pixel_format: str
    ) -> None:
        sink = VirtualCamera(SIZE, 30, pixel_format=pixel_format)
        sink.open()
        for number in range(20):
            sink.send(output(number))
        sink.close()
        (state,) = device
        assert (state["width"], state["height"], state["closed"]) == (160, 120, 1)
        assert [number_of(back_to_bgr(f, pixel_format)) for f in state["frames"]] == list(range(20))
        assert sink.name == "virtual camera fake0"

    def test_an_odd_size_is_made_even(self, device: list[dict[str, Any]]) -> None:
        sink = VirtualCamera((161, 121), 30)
        sink.open()
        sink.send(output(5, size=(161, 121)))
        sink.close()
        assert (device[0]["width"], device[0]["height"]) == (160, 120)
        assert device[0]["frames"][0].size == 160 * 120 * 3 // 2

    def test_a_busy_device_is_told_of_with_what_to_do(self, device: list[dict[str, Any]]) -> None:
        with pytest.raises(SinkError, match=r"device busy.*install"):
            VirtualCamera(SIZE, 30, device="busy").open()

    def test_what_was_written_to_can_be_written_to_again(
        self, device: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        helped: list[tuple[str, int]] = []
        monkeypatch.setattr(
            virtual_camera,
            "make_writable",
            lambda name: helped.append((name, device[0]["closed"] if device else 0)),
        )
        sink = VirtualCamera(SIZE, 30, device="/dev/video10")
        sink.open()
        sink.close()
        assert helped == [("/dev/video10", 0), ("/dev/video10", 1)]

    def test_what_another_program_feeds_is_left_alone(
        self,
        device: list[dict[str, Any]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        helped: list[str] = []
        for number, state in ((10, "YU12:320x240@5"), (11, "")):
            (tmp_path / f"video{number}").mkdir()
            (tmp_path / f"video{number}/format").write_text(state)
        monkeypatch.setattr(virtual_camera, "DEVICES", tmp_path)
        monkeypatch.setattr(virtual_camera, "make_writable", helped.append)
        VirtualCamera(SIZE, 30).open()
        assert helped == (["/dev/video11"] if sys.platform == "linux" else [])

    def test_every_picture_of_a_run_arrives(self, device: list[dict[str, Any]]) -> None:
        runner = SinkRunner(VirtualCamera(SIZE, 30), Messages(), wait=True)
        runner.start()
        for number in range(200):
            runner.put(output(number))
        assert runner.stop(10)
        assert len(device[0]["frames"]) == 200


def back_to_bgr(frame: np.ndarray, pixel_format: str) -> np.ndarray:
    width, height = SIZE
    flat = {
        "i420": cv2.COLOR_YUV2BGR_I420,
        "nv12": cv2.COLOR_YUV2BGR_NV12,
        "yuyv": cv2.COLOR_YUV2BGR_YUY2,
        "uyvy": cv2.COLOR_YUV2BGR_UYVY,
    }
    if pixel_format in ("i420", "nv12"):
        return cv2.cvtColor(frame.reshape(height * 3 // 2, width), flat[pixel_format])
    if pixel_format in ("yuyv", "uyvy"):
        return cv2.cvtColor(frame.reshape(height, width, 2), flat[pixel_format])
    image = frame.reshape(height, width, 3)
    return image if pixel_format == "bgr" else image[:, :, ::-1]


class Driver:
    """Answers in place of a video driver and keeps what it was asked; `tests/camera` has a real
    one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: bytes, device_caps: int) -> None:
        import fcntl

        self.asked: list[int] = []
        self._answer = CAPABILITY.pack(name, b"card", b"bus", 0, 0, device_caps, 0, 0, 0)
        monkeypatch.setattr(fcntl, "ioctl", self._ioctl)

    def _ioctl(self, handle: int, request: int, argument: bytes) -> bytes:
        self.asked.append(request)
        if request != virtual_camera.QUERY_CAPABILITY:
            raise OSError(22, "Invalid argument")
        return self._answer


@LINUX
@pytest.mark.parametrize(
    ("name", "device_caps", "helped"),
    [(DRIVER, 0, True), (DRIVER, OUTPUT, False), (b"uvcvideo", 0, False)],
)
def test_only_a_loopback_device_that_was_left_unwritable_is_helped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: bytes,
    device_caps: int,
    helped: bool,
) -> None:
    device = tmp_path / "video10"
    device.touch()
    driver = Driver(monkeypatch, name, device_caps)
    make_writable(str(device))
    assert (virtual_camera.STREAM_ON in driver.asked) == helped


@LINUX
def test_a_device_that_is_gone_is_no_fault(tmp_path: Path) -> None:
    make_writable(str(tmp_path / "video10"))
