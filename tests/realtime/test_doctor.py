"""The findings of `toonify doctor`, each on a machine that is made to have the fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.backends import BackendError
from realtime import doctor
from realtime.devices import DeviceReport
from tests.engines.factory import tiny_bundle

WORKS = DeviceReport("camera", "--source 0", "Studio", "640x480", "")
BUSY = DeviceReport("camera", "--source 1", "Busy", "", "Another program is using it.")


@pytest.mark.parametrize(
    ("reports", "states"),
    [([WORKS], ["good"]), ([WORKS, BUSY], ["good", "note"]), ([BUSY], ["bad"]), ([], ["bad"])],
    ids=["one", "one-of-two", "none-works", "none"],
)
def test_one_camera_that_works_is_enough(
    reports: list[DeviceReport], states: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.devices.examine_cameras", lambda: reports)
    found = list(doctor._cameras())
    assert [finding.state for finding in found] == states
    assert all(bool(finding.fix) == (finding.state != "good") for finding in found)
    monkeypatch.setattr("realtime.devices.examine_virtual_cameras", lambda: reports)
    virtual = list(doctor._virtual_cameras())
    assert [finding.state for finding in virtual] == states[: len(reports)]


def test_a_model_of_one_s_own_that_is_damaged_is_noted_and_a_missing_shipped_one_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    tiny_bundle(styles=2).save(mine / "good.toon")
    (mine / "broken.toon").write_bytes(b"junk")
    monkeypatch.setenv("TOONIFY_MODELS", str(mine))
    monkeypatch.setattr("engines.catalogue.models.shipped_bundle", lambda name: tmp_path / name)
    found = {finding.what: finding for finding in doctor._models()}
    assert found["model good"].state == "good"
    assert "film, comic" in found["model good"].detail
    assert (found["model broken"].state, found["model broken"].fix) == (
        "note", "delete it, then fetch or import it again",
    )  # fmt: skip
    missing = [finding for finding in found.values() if finding.detail == "missing"]
    assert [finding.what for finding in missing] == ["model film"]
    assert all(finding.state == "bad" for finding in missing)
    assert all("git checkout" in finding.fix for finding in missing)


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (OSError("libGL.so.1: cannot open shared object file"), "apt install libgl1"),
        (ImportError("No module named 'mediapipe'"), "pip install --force-reinstall mediapipe"),
    ],
)
def test_a_tracker_that_cannot_start_names_the_remedy(
    error: Exception, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("realtime.faces.tracker.FaceTracker", fail)
    finding = doctor._tracker()
    assert (finding.state, finding.detail) == ("bad", str(error))
    assert fix in finding.fix


def test_engines_are_bad_only_when_none_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BackendError("It is not installed.")

    monkeypatch.setattr("engines.backends.registry.create_engine", fail)
    *each, last = doctor._engines()
    assert {finding.state for finding in each} == {"note"}
    assert {finding.fix for finding in each} == {"It is not installed."}
    assert (last.what, last.state) == ("engines", "bad")
