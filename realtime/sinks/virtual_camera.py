"""A camera that Zoom, Teams, OBS and browsers can choose, through pyvirtualcam."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engines.pictures import Image
from realtime.frame import as_uint8, fit
from realtime.guard import Output
from realtime.sinks import SinkError

LOAD = (
    "sudo modprobe v4l2loopback devices=1 video_nr=10 card_label=Toonify exclusive_caps=1 "
    "max_buffers=2"
)
DEVICES = Path("/sys/devices/virtual/video4linux")
DRIVER = b"v4l2 loopback"
OUTPUT = 2  # V4L2_BUF_TYPE_VIDEO_OUTPUT, and V4L2_CAP_VIDEO_OUTPUT
CAPABILITY = struct.Struct("16s32s32s6I")  # struct v4l2_capability of linux/videodev2.h
QUERY_CAPABILITY = 0x80685600  # VIDIOC_QUERYCAP
STREAM_ON = 0x40045612  # VIDIOC_STREAMON
INSTALL = {
    "linux": f"install it with `sudo apt install v4l2loopback-dkms` and load it with `{LOAD}`",
    "darwin": "install OBS 30 or newer (`brew install --cask obs`), start its virtual camera once "
    "and allow it in System Settings > General > Login Items & Extensions",
    "win32": "install OBS (`winget install OBSProject.OBSStudio`), which brings its virtual camera",
}


def how_to_install() -> str:
    """What brings a virtual camera to this machine, as part of a sentence."""
    return INSTALL.get(sys.platform, "use Linux, macOS or Windows")


def list_virtual_cameras() -> list[str]:
    """Devices that a virtual camera may write to, by the name that `virtual:NAME` takes."""
    if sys.platform != "linux":
        return ["OBS Virtual Camera"] if _native_camera_installed() else []
    return sorted(f"/dev/{device.name}" for device in DEVICES.glob("video*"))


def is_fed(device: str) -> bool:
    """Whether a program writes to this virtual camera now, so that it is a camera to others.

    v4l2loopback tells its format only then. Other systems and drivers do not tell: False.

    Args:
        device: as `list_virtual_cameras` names it.
    """
    try:
        return bool((DEVICES / Path(device).name / "format").read_text().strip())
    except OSError:
        return False


def make_writable(device: str) -> None:
    """Let a v4l2loopback device be written to again, after a program that wrote to it has ended.

    With `exclusive_caps=1`, version 0.12 (as in Debian 12) takes back that a
    device can be written to as soon as a program writes to it, and gives it back at the program's
    end only if that program has also asked for streaming. After those that just write, as
    pyvirtualcam does, the driver would have to be loaded again.

    Args:
        device: not written to by any program now. Nothing happens to one that can be written to,
            or that is another driver's.
    """
    if sys.platform != "linux":
        return
    import fcntl

    with suppress(OSError):
        handle = os.open(device, os.O_RDWR)
        try:
            answer = fcntl.ioctl(handle, QUERY_CAPABILITY, bytes(CAPABILITY.size))
            driver, _, _, _, _, device_caps, *_ = CAPABILITY.unpack(answer)
            if driver.rstrip(b"\0") == DRIVER and not device_caps & OUTPUT:
                # Refused where there is no format yet; closing it counts as a writer's end anyway.
                fcntl.ioctl(handle, STREAM_ON, struct.pack("i", OUTPUT))
        finally:
            os.close(handle)


def _native_camera_installed() -> bool:
    if sys.platform == "darwin":
        places = (
            "/Applications/OBS.app",
            "/Library/CoreMediaIO/Plug-Ins/DAL/obs-mac-virtualcam.plugin",
        )
    else:
        places = (r"C:\Program Files\obs-studio\data\obs-plugins\win-dshow",)
    return any(Path(place).exists() for place in places)


def to_nv12(image: Image) -> Image:
    """uint8 [H, W, 3] BGR with even sides as NV12: luma, then interleaved chroma."""
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, chroma = planes[: height * width], planes[height * width :].reshape(2, -1)
    return np.concatenate([luma, chroma.T.reshape(-1)])


CONVERT: dict[str, Callable[[Image], Image]] = {
    "bgr": lambda image: image,
    "rgb": lambda image: as_uint8(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)),
    "i420": lambda image: as_uint8(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)),
    "nv12": to_nv12,
    "yuyv": lambda image: as_uint8(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_YUY2)),
    "uyvy": lambda image: as_uint8(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_UYVY)),
}


class VirtualCamera:
    """Feeds a virtual camera.

    Args:
        size: (width, height); made even, as the formats need, by leaving out a last pixel.
        rate: frames per second.
        device: as `list_virtual_cameras` names it; None takes the first that works.
        pixel_format: a key of `CONVERT`.
        backend: one of pyvirtualcam's registered back ends; None tries all.
    """

    live = True
    local = False

    def __init__(
        self,
        size: tuple[int, int],
        rate: float,
        device: str | None = None,
        pixel_format: str = "i420",
        backend: str | None = None,
    ) -> None:
        self.name = f"virtual camera {device}" if device else "virtual camera"
        self._size = (size[0] // 2 * 2, size[1] // 2 * 2)
        self._rate = rate
        self._device = device
        self._format = pixel_format
        self._backend = backend
        self._camera: Any = None

    def open(self) -> None:
        """Open the device.

        Raises:
            SinkError: it cannot be opened; says what to do about it.
        """
        for device in [self._device] if self._device else list_virtual_cameras():
            if not is_fed(device):
                make_writable(device)
        try:
            import pyvirtualcam

            self._camera = pyvirtualcam.Camera(
                *self._size,
                self._rate,
                fmt=pyvirtualcam.PixelFormat[self._format.upper()],
                device=self._device,
                backend=self._backend,
            )
        except (RuntimeError, OSError, ImportError, KeyError) as error:
            reason = " ".join(str(error).split())
            raise SinkError(
                f"No {self.name} can be opened ({reason}); {how_to_install()}."
            ) from error
        self.name = f"virtual camera {self._camera.device}"

    def send(self, output: Output) -> None:
        """Show one picture."""
        width, height = self._size
        image = output.image
        if image.shape[:2] != (height, width):
            image = (
                np.ascontiguousarray(image[:height, :width])
                if image.shape[0] - height in (0, 1) and image.shape[1] - width in (0, 1)
                else fit(image, self._size)
            )
        self._camera.send(CONVERT[self._format](image))

    def close(self) -> None:
        """Let go of the device."""
        camera, self._camera = self._camera, None
        if camera is not None:
            device = camera.device
            camera.close()
            make_writable(device)
