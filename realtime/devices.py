"""What is plugged in: cameras, virtual cameras, microphones, and what is wrong with each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from realtime.settings import SourceSettings
from realtime.sinks import SinkError
from realtime.sinks.microphone import list_microphones
from realtime.sinks.virtual_camera import (
    VirtualCamera,
    how_to_install,
    is_fed,
    list_virtual_cameras,
)
from realtime.sources import SourceError
from realtime.sources.camera import list_cameras, open_camera

BUSY = "A program is writing to it; end that program, or choose another device."
SIZES = ((640, 480), (1280, 720), (1920, 1080))


@dataclass(frozen=True)
class DeviceReport:
    """One device: how to name it, what it offers, and what is wrong ("" if nothing)."""

    kind: str
    choose: str
    name: str
    sizes: str
    problem: str


def examine_cameras() -> list[DeviceReport]:
    """Every camera, opened for a moment and asked for the usual sizes.

    A virtual camera is one while another program feeds it: phones and other filters arrive so.
    """
    waiting = {device for device in list_virtual_cameras() if not is_fed(device)}
    reports = []
    for camera in list_cameras():
        if camera.path in waiting:
            continue
        choose = f"--source {camera.index}"
        try:
            device = open_camera(SourceSettings(source=str(camera.index)))
        except SourceError as error:
            reports.append(DeviceReport("camera", choose, camera.name, "", str(error)))
            continue
        sizes = []
        for width, height in SIZES:
            device.set(cv2.CAP_PROP_FRAME_WIDTH, width)  # type: ignore[attr-defined]
            device.set(cv2.CAP_PROP_FRAME_HEIGHT, height)  # type: ignore[attr-defined]
            given = (
                int(device.get(cv2.CAP_PROP_FRAME_WIDTH)),  # type: ignore[attr-defined]
                int(device.get(cv2.CAP_PROP_FRAME_HEIGHT)),  # type: ignore[attr-defined]
            )
            if given == (width, height):
                sizes.append(f"{width}x{height}")
        good, _ = device.read()
        if good and not sizes:
            sizes.append(f"{given[0]}x{given[1]}")
        device.release()
        problem = "" if good else "It opens but delivers no picture; unplug it and plug it in."
        reports.append(DeviceReport("camera", choose, camera.name, ", ".join(sizes), problem))
    return reports


def examine_microphones() -> list[DeviceReport]:
    """Every microphone that a stream can take; none is opened."""
    return [
        DeviceReport("microphone", f"--audio {name}", description, "", "")
        for name, description in list_microphones()
    ]


def examine_virtual_cameras() -> list[DeviceReport]:
    """Every virtual camera, opened for a moment unless a program is writing to it."""
    reports = []
    devices: list[str | None] = [*list_virtual_cameras()]
    for device in devices or [None]:
        if device and is_fed(device):
            reports.append(
                DeviceReport("virtual camera", f"--sink virtual:{device}", device, "", BUSY)
            )
            continue
        camera = VirtualCamera((1280, 720), 30.0, device)
        try:
            camera.open()
            problem = ""
        except SinkError as error:
            problem = str(error)
        finally:
            camera.close()
        name = camera.name.removeprefix("virtual camera").strip()
        choose = f"--sink virtual:{device or name}" if (device or name) else ""
        if problem and device is None:
            name = "none"
            problem = f"{how_to_install()[0].upper()}{how_to_install()[1:]}."
        reports.append(DeviceReport("virtual camera", choose, name, "any", problem))
    return reports
