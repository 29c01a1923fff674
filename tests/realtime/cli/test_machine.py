"""`toonify devices` and `toonify doctor`: what they print and return."""

from __future__ import annotations

import pytest

from tests.realtime.cli.shell import run


def test_devices_and_doctor_tell_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyvirtualcam import camera

    monkeypatch.setattr(camera, "BACKENDS", {})
    monkeypatch.setattr("realtime.devices.list_cameras", lambda: [])
    monkeypatch.setattr("realtime.devices.list_virtual_cameras", lambda: [])
    code, out, err = run(capsys, "devices")
    assert code == 0
    assert "virtual camera" in out
    assert "No camera was found" in err
    code, out, err = run(capsys, "doctor")
    assert code == 1
    assert "cannot work here yet" in err
    for word in ("camera", "engine openvino", "engine torch", "face tracker", "good", "BAD"):
        assert word in out
