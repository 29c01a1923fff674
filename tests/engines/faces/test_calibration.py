"""Crops that INT8 is calibrated on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.faces import calibration
from engines.faces.calibration import CalibrationError, calibration_crops, crops_for
from engines.faces.landmarker import Landmarker
from engines.faces.people import people


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    """Two portraits, a picture without a face, a damaged one, and something else."""
    folder = tmp_path / "portraits"
    folder.mkdir()
    for path in people()[:2]:
        (folder / path.name).write_bytes(path.read_bytes())
    cv2.imwrite(str(folder / "grey.png"), np.full((200, 200, 3), 128, np.uint8))
    (folder / "damaged.jpg").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    return folder


def test_the_package_s_own_people_give_a_few_dozen_faces() -> None:
    crops = calibration_crops(128)
    assert crops.dtype == np.uint8
    assert crops.shape == (calibration.CROPS, 128, 128, 3)
    with Landmarker(blendshapes=False, pose=False) as landmarker:
        seen = [bool(landmarker.detect(np.ascontiguousarray(crop))) for crop in crops]
    assert np.mean(seen) > 0.9
    assert len({crop.tobytes() for crop in crops}) == len(crops)


def test_the_same_portraits_always_give_the_same_crops(portraits: Path) -> None:
    crops = calibration_crops(64, portraits)
    assert crops.shape == (2 * calibration.MOST_VARIANTS, 64, 64, 3)
    assert np.array_equal(crops, calibration_crops(64, str(portraits)))
    own = calibration_crops(64)
    assert np.array_equal(crops[:2], own[:2])  # the first round shows everybody as they are


def test_many_portraits_are_taken_once_and_not_all(
    portraits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "CROPS", 1)
    assert len(calibration_crops(64, portraits)) == 2
    monkeypatch.setattr(calibration, "MOST_PORTRAITS", 1)
    (portraits / "damaged.jpg").unlink()
    assert len(calibration_crops(64, portraits)) == 1


def test_faces_are_sought_for_int8_only(tmp_path: Path) -> None:
    for precision in (None, "fp32", "fp16", "bf16"):
        assert crops_for(precision, 64, tmp_path / "nowhere") is None
    with pytest.raises(CalibrationError):
        crops_for("int8", 64, tmp_path / "nowhere")


def test_folders_without_a_face_are_refused_in_a_sentence(portraits: Path) -> None:
    with pytest.raises(CalibrationError, match=r"nowhere for --calibration cannot be read"):
        calibration_crops(64, portraits / "nowhere")
    for path in people()[:2]:
        (portraits / path.name).unlink()
    with pytest.raises(CalibrationError, match=r"none was found in the 2 pictures of .*portraits"):
        calibration_crops(64, portraits)
    (portraits / "grey.png").unlink()
    (portraits / "damaged.jpg").unlink()
    with pytest.raises(CalibrationError, match=r"no pictures in .*portraits; give --calibration"):
        calibration_crops(64, portraits)
