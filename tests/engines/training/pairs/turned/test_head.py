from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from engines.faces.alignment import ffhq_quad
from engines.faces.landmarker import Landmarker, largest_face
from engines.faces.people import people as shipped_people
from engines.faces.person import PersonSegmenter
from engines.pictures import read_picture
from engines.training.artist3d.head.fit import fit_head
from engines.training.artist3d.head.rig import FOLDER_VARIABLE, Rig, RigError, load_rig
from engines.training.pairs.portraits import align
from engines.training.pairs.turned import check_head_model, turn_head
from engines.training.pairs.turned.head import pose
from tests.conftest import SHARED


@pytest.fixture(scope="module")
def rig() -> Rig:
    folder = Path(os.environ.get(FOLDER_VARIABLE) or SHARED / "data" / "rig")
    if not (folder / "rig.npz").is_file():
        pytest.skip(f"the head model is not in {folder}; set {FOLDER_VARIABLE} to its folder")
    return load_rig(folder)


@pytest.fixture(scope="module")
def people(rig: Rig) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, tuple[float, float]]]:
    """The shipped people: picture, landmarks, person and pose (yaw, pitch)."""
    found = []
    with Landmarker("image", blendshapes=False, pose=False) as landmarker, PersonSegmenter() as seg:
        for path in shipped_people():
            crop = align(read_picture(path).rgb, landmarker, 512)
            assert crop is not None
            face = largest_face(landmarker.detect(crop[0]))
            assert face is not None
            own = pose(fit_head(rig, face.points, {}))
            found.append((crop[0], face.points, seg.segment(crop[0]), own))
    return found


def test_heads_turn_and_their_landmarks_with_them(rig: Rig, people) -> None:
    turned = [
        (own, result)
        for rgb, points, person, own in people
        if (result := turn_head(rgb, points, person, 15.0, 5.0, rig)) is not None
    ]
    if not turned:
        pytest.skip("none of the shipped people looks far enough aside to be turned further")
    (yaw, _), (picture, points) = turned[0]
    assert picture.shape == (512, 512, 3)
    assert np.allclose(ffhq_quad(points).mean(0), 256, atol=1)  # cropped for the new view
    now, _ = pose(fit_head(rig, points, {}))
    assert abs(abs(now) - abs(yaw) - 15) < 4
    assert now * yaw > 0
    with Landmarker("image", blendshapes=False, pose=False) as landmarker:
        face = largest_face(landmarker.detect(picture))
    assert face is not None
    apart = np.linalg.norm(face.points[:, :2] - points[:, :2], axis=1)
    assert np.median(apart) < 12
    assert apart[468:].max() < 25  # irises


def test_heads_from_the_front_are_refused(rig: Rig, people) -> None:
    frontal = [entry for entry in people if abs(entry[3][0]) < 9]
    assert frontal
    rgb, points, person, _ = frontal[0]
    assert turn_head(rgb, points, person, 20.0, 0.0, rig) is None


def test_without_a_head_model_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(RigError, match="need the head model whatever the look"):
        check_head_model()
