"""What is said of cameras and virtual cameras, on stand-ins for both."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import cv2
import pytest

from realtime import devices
from realtime.devices import BUSY, DeviceReport, examine_cameras, examine_virtual_cameras
from realtime.settings import SourceSettings
from realtime.sinks import SinkError, virtual_camera
from realtime.sources import SourceError
from realtime.sources.camera import CameraInfo

CAMERAS = [
    CameraInfo(0, "Studio", "/dev/video0", cv2.CAP_V4L2),
    CameraInfo(1, "Busy", "/dev/video1", cv2.CAP_V4L2),
    CameraInfo(2, "Dark", "/dev/video2", cv2.CAP_V4L2),
    CameraInfo(7, "Toonify", "/dev/video7", cv2.CAP_V4L2),
]


class Camera:
    """A camera of at most 1280x720; `works` says whether it delivers pictures."""

    def __init__(self, works: bool) -> None:
        self.works = works
        self.released = False
        self.size = {cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 480.0}

    def set(self, key: int, value: float) -> None:
        most = {cv2.CAP_PROP_FRAME_WIDTH: 1280.0, cv2.CAP_PROP_FRAME_HEIGHT: 720.0}[key]
        self.size[key] = min(most, value)

    def get(self, key: int) -> float:
        return self.size[key]

    def read(self) -> tuple[bool, object]:
        return self.works, None

    def release(self) -> None:
        self.released = True


def test_each_camera_is_opened_asked_for_its_sizes_and_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = {"0": Camera(works=True), "2": Camera(works=False)}

    def open_camera(settings: SourceSettings) -> Camera:
        if settings.source not in opened:
            raise SourceError("Another program is using it.")
        return opened[settings.source]

    monkeypatch.setattr(devices, "list_cameras", lambda: CAMERAS)
    monkeypatch.setattr(devices, "list_virtual_cameras", lambda: ["/dev/video7"])
    monkeypatch.setattr(devices, "open_camera", open_camera)
    broken = "It opens but delivers no picture; unplug it and plug it in."
    assert examine_cameras() == [
        DeviceReport("camera", "--source 0", "Studio", "640x480, 1280x720", ""),
        DeviceReport("camera", "--source 1", "Busy", "", "Another program is using it."),
        DeviceReport("camera", "--source 2", "Dark", "640x480, 1280x720", broken),
    ]
    assert all(camera.released for camera in opened.values())


def test_a_virtual_camera_is_a_camera_while_another_program_feeds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    phone = Camera(works=True)
    phone.set = lambda key, value: None  # type: ignore[method-assign]
    phone.size = {cv2.CAP_PROP_FRAME_WIDTH: 320.0, cv2.CAP_PROP_FRAME_HEIGHT: 240.0}
    for number, told in ((7, "\n"), (8, "YU12:320x240@30\n")):
        (tmp_path / f"video{number}").mkdir()
        (tmp_path / f"video{number}" / "format").write_text(told)
    phones = [*CAMERAS[3:], CameraInfo(8, "Phone", "/dev/video8", cv2.CAP_V4L2)]
    monkeypatch.setattr(virtual_camera, "DEVICES", tmp_path)
    monkeypatch.setattr(virtual_camera.sys, "platform", "linux")
    monkeypatch.setattr(devices, "VirtualCamera", Virtual)
    monkeypatch.setattr(devices, "list_cameras", lambda: phones)
    monkeypatch.setattr(devices, "open_camera", lambda settings: phone)
    assert examine_cameras() == [DeviceReport("camera", "--source 8", "Phone", "320x240", "")]
    assert examine_virtual_cameras() == [
        DeviceReport("virtual camera", "--sink virtual:/dev/video7", "/dev/video7", "any", ""),
        DeviceReport("virtual camera", "--sink virtual:/dev/video8", "/dev/video8", "", BUSY),
    ]


class Virtual:
    """A virtual camera that opens unless it is /dev/video9 or there is none."""

    closed: ClassVar[list[str | None]] = []

    def __init__(self, size: tuple[int, int], rate: float, device: str | None) -> None:
        self.name = f"virtual camera {device or ''}"
        self._device = device

    def open(self) -> None:
        if self._device in (None, "/dev/video9"):
            raise SinkError("It is in use.")

    def close(self) -> None:
        self.closed.append(self._device)


@pytest.mark.parametrize("found", [["/dev/video7", "/dev/video9"], []])
def test_each_virtual_camera_is_tried_and_none_says_what_to_install(
    found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Virtual.closed.clear()
    monkeypatch.setattr(devices, "VirtualCamera", Virtual)
    monkeypatch.setattr(devices, "list_virtual_cameras", lambda: found)
    monkeypatch.setattr(devices, "how_to_install", lambda: "install OBS")
    reports = examine_virtual_cameras()
    if found:
        assert reports == [
            DeviceReport("virtual camera", f"--sink virtual:{name}", name, "any", problem)
            for name, problem in (("/dev/video7", ""), ("/dev/video9", "It is in use."))
        ]
    else:
        assert reports == [DeviceReport("virtual camera", "", "none", "any", "Install OBS.")]
    tried: list[str | None] = [*found] or [None]
    assert Virtual.closed == tried


def test_microphones_are_listed_by_what_chooses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "list_microphones", lambda: [("hw:1", "Desk")])
    report = DeviceReport("microphone", "--audio hw:1", "Desk", "", "")
    assert devices.examine_microphones() == [report]
