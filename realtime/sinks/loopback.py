"""The Linux driver v4l2loopback, where it must be helped.

With `exclusive_caps=1`, version 0.12 (Debian 12, Ubuntu 22.04 and 24.04) takes back that a device
can be written to as soon as a program writes to it, and gives it back at the program's end only if
that program has also asked for streaming. Programs that just write, as pyvirtualcam does, would
have to load the driver again before each run.
"""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress

DRIVER = b"v4l2 loopback"
OUTPUT = 2  # V4L2_BUF_TYPE_VIDEO_OUTPUT, and V4L2_CAP_VIDEO_OUTPUT
CAPABILITY = struct.Struct("16s32s32s6I")  # struct v4l2_capability of linux/videodev2.h
QUERY_CAPABILITY = 0x80685600  # VIDIOC_QUERYCAP
STREAM_ON = 0x40045612  # VIDIOC_STREAMON


def make_writable(device: str) -> None:
    """Let a loopback device be written to again, after a program that wrote to it has ended.

    Nothing happens to a device that can be written to or is another driver's. No program may be
    writing to it now.
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
