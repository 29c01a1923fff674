from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.landmarker import Landmarker
from realtime.sources import SourceError, sitters
from realtime.sources.sitters import Sitter, guest, host

SITTERS = [host, guest]
NOSE, CHIN = 4, 152  # of the face's points


@pytest.fixture(scope="module", params=SITTERS, ids=["host", "guest"])
def sitter(request: pytest.FixtureRequest) -> Sitter:
    make: Callable[[], Sitter] = request.param
    return make()


def on_grey(layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A layer over grey, uint8 [H, W, 3] RGB."""
    behind = 128 * (1 - layer[:, :, 3:] / 255.0)
    return np.ascontiguousarray((layer[:, :, :3] + behind).round()[:, :, ::-1].astype(np.uint8))


def test_the_face_is_where_the_sitter_says(sitter: Sitter) -> None:
    with Landmarker("image", blendshapes=False, pose=False) as landmarker:
        (face,) = landmarker.detect(on_grey(sitter.layers(1.0)[1]))
    points = face.points[:, :2]
    assert float(np.ptp(points[:, 1])) == pytest.approx(sitter.face_height, rel=0.05)
    assert np.hypot(*(points[NOSE] - sitter.nose)) < 0.1 * sitter.face_height
    below = (sitter.neck - points[CHIN]) / sitter.face_height
    assert abs(below[0]) < 0.05
    assert -0.1 < below[1] < 0.1


def test_skin_of_the_neck_lies_behind_the_jaw_and_no_face_does(sitter: Sitter) -> None:
    body = sitter.layers(1.0)[0]
    with Landmarker("image", max_faces=3, blendshapes=False, pose=False) as landmarker:
        assert landmarker.detect(on_grey(body)) == []
    hidden = (sitter.throat > 250) & (sitter.head > 250)
    seen = (sitter.throat > 250) & (sitter.head == 0) & (sitter.person > 250)
    assert hidden.sum() > 0.02 * sitter.face_height**2
    assert body[hidden, 3].min() > 200
    painted, skin = body[hidden, :3].astype(float), body[seen, :3].astype(float)
    assert np.abs(np.median(painted, axis=0) - np.median(skin, axis=0)).max() < 30
    low, high = np.percentile(skin, 2, axis=0) - 15, np.percentile(skin, 98, axis=0) + 15
    assert ((painted > low) & (painted < high)).all(axis=1).mean() > 0.97  # no beard, no collar


def test_head_and_body_together_are_the_whole_person(sitter: Sitter) -> None:
    body, head = (layer[:, :, 3] / 255.0 for layer in sitter.layers(1.0))
    whole = head + body * (1 - head)
    inside = cv2.erode(sitter.person, np.ones((9, 9), np.uint8)) > 250
    assert whole[inside].min() > 0.7  # the head's soft edge lies over the body


def test_layers_are_premultiplied_and_as_large_as_is_asked(sitter: Sitter) -> None:
    rows, columns = sitter.picture.shape[:2]
    for layer in (*sitter.layers(0.5), *sitter.layers(3.0)):
        assert (layer[:, :, :3].max(axis=2).astype(int) <= layer[:, :, 3].astype(int) + 1).all()
    assert [layer.shape[:2] for layer in sitter.layers(3.0)] == [(rows, columns)] * 2
    assert [layer.shape[:2] for layer in sitter.layers(0.5)] == [(rows // 2, columns // 2)] * 2


def test_no_old_wall_shows_at_the_host_s_edge() -> None:
    person = host()
    rim = (person.person > 40) & (person.person < 215)
    rim[: int(person.nose[1] - 0.5 * person.face_height)] = False  # grey hair is as light as a wall
    near = cv2.erode(person.person, np.ones((5, 5), np.uint8)) > 250
    weight = cv2.blur(near.astype(np.float32), (25, 25))
    own = cv2.blur(person.picture * near[:, :, None].astype(np.float32), (25, 25))
    rim &= weight > 0.02
    differs = np.abs(person.picture[rim] - own[rim] / weight[rim][:, None]).mean(axis=1)
    assert rim.sum() > 1000
    assert np.percentile(differs, 90) < 30


def test_a_missing_picture_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sitters, "HOST", tmp_path / "none.webp")
    with pytest.raises(SourceError, match=r"picture of a person.*none\.webp.*[Rr]einstall"):
        host()
    cv2.imwrite(str(tmp_path / "none.webp"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(SourceError, match="not cut out"):
        host()
    monkeypatch.setattr(sitters, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match="grace_hopper"):
        guest()
