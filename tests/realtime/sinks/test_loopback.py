"""The driver's part is played here; `tests/camera` has the driver itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from realtime.sinks import loopback
from realtime.sinks.loopback import CAPABILITY, DRIVER, OUTPUT, make_writable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")


class Driver:
    """Answers for a device and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: bytes, device_caps: int) -> None:
        import fcntl

        self.asked: list[int] = []
        self._answer = CAPABILITY.pack(name, b"card", b"bus", 0, 0, device_caps, 0, 0, 0)
        monkeypatch.setattr(fcntl, "ioctl", self._ioctl)

    def _ioctl(self, handle: int, request: int, argument: bytes) -> bytes:
        self.asked.append(request)
        if request != loopback.QUERY_CAPABILITY:
            raise OSError(22, "Invalid argument")
        return self._answer


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
    assert (loopback.STREAM_ON in driver.asked) == helped


def test_a_device_that_is_gone_is_no_fault(tmp_path: Path) -> None:
    make_writable(str(tmp_path / "video10"))
