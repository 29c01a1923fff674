"""Round eyes of another size, lower brows, noses and mouths nearer to the person's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import BROW_BOTTOM, BROW_TOP, EYE_OUTLINE, UPPER_LID
from engines.faces.head import LIPS_MIDDLE, MOUTH_CORNERS, NOSE_TIP, NOSE_WINGS
from engines.pictures import Image
from realtime.settings import EYE_SIZES
from realtime.toons.places import moves, shifted, toon_points
from realtime.toons.shapes.reshape import CORNERS, EYES, LIDS, MOUTH, NEARER, NOSE, reshaped

Points = NDArray[np.float32]


def plan(right: float = 0.0) -> NDArray[np.float32]:
    """Of a toon that shows everything so far to the left of where the photo does."""
    field = np.zeros((3, 64, 64), np.float32)
    field[0], field[2] = right, np.linspace(0, 1, 64)
    return field


def widths(points: Points, where: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of both eyes in the toon."""
    return np.array([np.ptp(toon_points(points[ids], where)[:, 0]) for ids in EYE_OUTLINE])


@pytest.mark.parametrize("right", [0.0, 0.06])
@pytest.mark.parametrize("size", [0.8, 0.9, 1.2, 1.4])
def test_eyes_grow_about_their_middles_and_nothing_else_moves(
    face_crop: tuple[Image, Points], right: float, size: float
) -> None:
    image, points = face_crop
    toon = shifted(image, moves(plan(right), image.shape[0]))
    drawn, moved = reshaped(toon, plan(right), points, size)
    grown = widths(points, moved) / widths(points, plan(right))
    assert ((grown - 1) * np.sign(size - 1)).min() > 0.6 * abs(size - 1)
    assert ((grown - 1) * np.sign(size - 1)).max() < 1.05 * abs(size - 1)
    for ids in EYE_OUTLINE:
        middles = [toon_points(points[ids], where).mean(0) for where in (plan(right), moved)]
        assert np.abs(middles[1] - middles[0]).max() < 0.006
    far = np.array([[0.5, 0.9], [0.1, 0.1]], np.float32)
    assert np.abs(toon_points(far, moved) - toon_points(far, plan(right))).max() < 1e-4
    rows = slice(int(0.75 * image.shape[0]), None)
    assert np.array_equal(drawn[rows], toon[rows])


def test_the_picture_goes_where_the_plan_says(face_crop: tuple[Image, Points]) -> None:
    image, points = face_crop
    drawn, moved = reshaped(image, plan(), points, 1.3)
    expected = shifted(image, moves(moved, image.shape[0]))
    assert np.abs(drawn.astype(int) - expected).mean() < 0.5
    assert np.abs(drawn.astype(int) - image).mean() > 0.5
    assert np.abs(moved[2] - plan()[2]).max() > 0.01  # detail is taken along


def least_area(field: NDArray[np.float32]) -> float:
    """Of a place of a toon in the photo, in shares of its own; below 0 it is folded over."""
    across, down = (np.gradient(field[:2], 1 / field.shape[1], axis=axis) for axis in (2, 1))
    return float(((1 + across[0]) * (1 + down[1]) - across[1] * down[0]).min())


@pytest.mark.parametrize(("own", "child"), [(False, 0.0), (True, 0.0), (True, 1.0)])
@pytest.mark.parametrize("size", EYE_SIZES)
@pytest.mark.parametrize("kind", ["people", "turned", "sample"])
def test_no_face_is_folded(
    measured_faces: dict[str, NDArray[np.float32]], size: float, kind: str, own: bool, child: float
) -> None:
    still, folded = np.zeros((128, 128, 3), np.uint8), []
    for number, face in enumerate(measured_faces[kind]):
        whole = np.zeros((3, 128, 128), np.float32)
        _, moved = reshaped(still, whole, face / 512, size, own, child)
        if least_area(moved) < 0.1:
            folded.append(number)
    assert folded == []


def with_lids(points: Points, height: float) -> Points:
    """The same landmarks with eyes of another height, in shares of what it was."""
    out = points.copy()
    for ids in EYE_OUTLINE:
        middle = points[ids, 1].mean()
        out[ids, 1] = middle + height * (points[ids, 1] - middle)
    return out


def with_smile(points: Points, by: float) -> tuple[Points, float]:
    """The same landmarks with the corners of the mouth so far above the middle of its lips, in
    shares of its width, and that width."""
    out, corners = points.copy(), list(MOUTH_CORNERS)
    width = float(np.ptp(points[corners, 0]))
    out[corners, 1] = points[list(LIPS_MIDDLE), 1].mean() - by * width
    return out, width


def test_eyes_are_round_and_narrower_in_who_squints(face_crop: tuple[Image, Points]) -> None:
    image, points = face_crop

    def kept(height: float) -> float:
        """Height of an eye that is so many times as high in the photo, in shares of the toon's."""
        photo = with_lids(points, height)
        _, moved = reshaped(image, plan(), photo, own=True)
        tall, wide = (
            [np.ptp(toon_points(photo[ids], where)[:, 1]) for ids in EYE_OUTLINE]
            for where in (moved, plan())
        )
        return float(np.sum(tall) / np.sum(wide))

    squint, usual, wide = (kept(height) for height in (0.5, 1.0, 2.0))
    assert squint < usual < wide
    assert squint == pytest.approx(LIDS[0] * EYES, abs=0.03)
    assert wide == pytest.approx(LIDS[1] * EYES, abs=0.06)


@pytest.mark.parametrize("raised", [0.0, 0.03])
def test_brows_are_nearer_to_their_eyes_and_lids_stay(
    face_crop: tuple[Image, Points], raised: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, points = face_crop
    points = points.copy()
    for ids in (*BROW_TOP, *BROW_BOTTOM):
        points[ids, 1] -= raised
    _, moved = reshaped(image, plan(), points, own=True)
    monkeypatch.setattr("realtime.toons.shapes.reshape.NEARER", 0.0)
    _, flat = reshaped(image, plan(), points, own=True)
    for top, bottom, eye, lid in zip(BROW_TOP, BROW_BOTTOM, EYE_OUTLINE, UPPER_LID, strict=True):
        curve = (points[top, :2] + points[bottom, :2]) / 2
        sunk = (toon_points(curve, moved) - toon_points(curve, flat))[:, 1]
        gap = float(points[lid[4], 1] - curve[2, 1])
        assert sunk[2] == pytest.approx(NEARER * gap, rel=0.3)  # so a raised one stays raised
        assert max(sunk[0], sunk[4]) < 0.8 * sunk[2]  # it is straighter
        assert min(sunk[0], sunk[4]) > 0
        lids = [toon_points(points[eye], where)[:, 1].mean() for where in (flat, moved)]
        assert abs(lids[1] - lids[0]) < 0.25 * NEARER * gap


def test_noses_are_broader_but_not_in_profile(face_crop: tuple[Image, Points]) -> None:
    image, points = face_crop

    def grown(face: Points) -> float:
        _, moved = reshaped(image, plan(), face, own=True)
        return float(
            np.ptp(toon_points(face[NOSE_WINGS], moved)[:, 0]) / np.ptp(face[NOSE_WINGS, 0])
        )

    assert 1.03 < grown(points) < NOSE
    turned = points.copy()
    turned[NOSE_TIP, 0] = points[234, 0]
    assert grown(turned) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("smile", "width"), [(0.0, MOUTH[1]), (0.12, MOUTH[0])])
def test_a_mouth_at_rest_is_narrower(
    face_crop: tuple[Image, Points], smile: float, width: float
) -> None:
    image, (points, apart) = face_crop[0], with_smile(face_crop[1], smile)
    _, moved = reshaped(image, plan(), points, own=True)
    wide = np.ptp(toon_points(points[list(MOUTH_CORNERS)], moved)[:, 0]) / apart
    assert wide == pytest.approx(width, abs=0.02)


def test_the_size_it_has_changes_nothing(face_crop: tuple[Image, Points]) -> None:
    image, points = face_crop
    drawn, moved = reshaped(image, plan(), points, 1.0)
    assert np.array_equal(drawn, image)
    assert np.array_equal(moved, plan())


@pytest.mark.parametrize(("smile", "share"), [(-0.05, 1.0), (0.0, 1.0), (0.06, 0.5), (0.12, 0.0)])
def test_the_corners_of_a_mouth_at_rest_rise_and_smiles_stay(
    face_crop: tuple[Image, Points], smile: float, share: float
) -> None:
    image, (points, width) = face_crop[0], with_smile(face_crop[1], smile)
    _, moved = reshaped(image, plan(), points, own=True)
    ids = [*MOUTH_CORNERS, *LIPS_MIDDLE]
    rise = (points[ids, 1] - toon_points(points[ids], moved)[:, 1]) / width
    assert rise[:2] == pytest.approx(share * CORNERS, abs=0.35 * CORNERS)
    assert np.abs(rise[2:]).max() < 0.1 * CORNERS
