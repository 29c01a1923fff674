"""The fill light of `realtime.toons.finish.relief`, and the colours of what it lifts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import EYE
from engines.faces.head import CHIN, LIPS, NOSE_TIP
from engines.pictures import Image
from realtime.toons.finish.colour import COARSE, Field, as_lab
from realtime.toons.finish.relief import fill_field, relief_of
from realtime.toons.finish.surface import surface_of
from tests.realtime.toons.finish.test_relief import (
    Points,
    drawn,
    even,
    lamp,
    places,
    relief_on,
    still,
)


def shaded(points: Points) -> tuple[Field, NDArray[np.bool_]]:
    """Skin with one cheek in deep shade, and where that is."""
    toon = even()
    rows, columns = np.indices((COARSE, COARSE))
    right = points[280] * COARSE
    where = (abs(rows - right[1]) < 6) & (abs(columns - right[0]) < 6)
    toon[where] *= 0.65
    return toon, cv2.erode(where.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def test_a_fill_light_leaves_no_deep_shade(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    toon, shade = shaded(points)
    relief = relief_on(points, toon)
    lit = (toon + fill_field(relief, toon, lamp(0))).astype(np.float32)
    before, after = as_lab(toon), as_lab(lit)
    cheek = places(points, (50,))
    assert (after - before)[shade][:, 0].max() > 8
    assert 1 < float((after - before)[cheek][0, 0]) < 6  # all skin gains a little
    assert np.abs((after - before)[relief_on(points).surface.wide == 0]).max() < 3
    for ids in (LIPS, *EYE):
        assert np.abs((after - before)[places(points, ids)][:, 0]).mean() < 2.5
    hue = np.arctan2(after[..., 2], after[..., 1]) - np.arctan2(before[..., 2], before[..., 1])
    assert np.abs(hue).max() < 0.05


def test_a_high_forehead_is_filled_as_the_face_is_and_hair_is_not(
    face_crop: tuple[Image, Points],
) -> None:
    _, points = face_crop
    top = points[10, :2] + 0.2 * (points[10, :2] - points[CHIN, :2])
    above = tuple((top[::-1] * COARSE).astype(int))
    bald, haired = even(), even()
    haired[: int(points[10, 1] * COARSE) - 1] = (20, 30, 40)
    gains = [
        as_lab((toon + fill_field(relief_on(points, toon), toon, lamp(0))).astype(np.float32))[
            above
        ]
        - as_lab(toon)[above]
        for toon in (bald, haired)
    ]
    assert gains[0][0] > 1.5
    assert abs(gains[1][0]) < 0.5


def test_in_fog_there_is_no_fill_light(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    toon, _ = shaded(points)
    assert np.abs(fill_field(relief_on(points, toon), toon, lamp(0, 0.0))).max() < 0.5


def test_light_skin_and_vivid_cheeks_do_not_burn(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    pale, vivid = even((225.0, 230.0, 245.0)), even((60.0, 90.0, 215.0))
    for toon in (pale, vivid):
        whole = drawn(points)
        relief = relief_of(surface_of(whole, still()), whole, as_lab(toon), as_lab(toon)[0, 0])
        change = as_lab((toon + fill_field(relief, toon, lamp(0))).astype(np.float32)) - as_lab(
            toon
        )
        cheek = change[places(points, (50,))][0]
        assert cheek[0] < (1.5 if toon is pale else 6)
        assert np.hypot(*cheek[1:]) < 2.5


def test_deep_shade_is_lifted_without_becoming_orange(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    toon, shade = shaded(points)
    lit = (toon + fill_field(relief_on(points, toon), toon, lamp(0))).astype(np.float32)
    before, after = (as_lab(picture)[shade].mean(0) for picture in (toon, lit))
    lighter = after[0] / before[0] - 1
    assert lighter > 0.05
    assert np.hypot(*after[1:]) / np.hypot(*before[1:]) - 1 < 0.75 * lighter


def patched(points: Points, colour: tuple[float, float, float]) -> tuple[Field, NDArray]:
    """Skin with a patch of another colour on the nose, and where that is."""
    toon = even()
    rows, columns = np.indices((COARSE, COARSE))
    tip = points[NOSE_TIP] * COARSE
    near = (abs(rows - tip[1]) < 3) & (abs(columns - tip[0]) < 3)
    toon[near] = colour
    return toon, near


def test_what_light_burns_yellow_gets_the_skins_hue(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    toon, near = patched(points, (150.0, 205.0, 235.0))
    lit = (toon + fill_field(relief_on(points, toon), toon, lamp(0))).astype(np.float32)
    own, *found = (
        as_lab(picture)[where].mean(0)
        for picture, where in ((even(), near), (toon, near), (lit, near))
    )
    hues = [float(np.arctan2(lab[2], lab[1]) - np.arctan2(own[2], own[1])) for lab in found]
    assert hues[0] > 0.25
    assert hues[1] < 0.6 * hues[0]
    assert np.hypot(*found[1][1:]) == pytest.approx(np.hypot(*found[0][1:]), rel=0.15)


def test_redder_cheeks_and_the_sky_beside_a_face_keep_their_hue(
    face_crop: tuple[Image, Points],
) -> None:
    _, points = face_crop
    toon, near = patched(points, (110.0, 120.0, 205.0))
    toon[:, : COARSE // 8] = (225.0, 180.0, 120.0)
    relief = relief_on(points, toon)
    change = as_lab((toon + fill_field(relief, toon, lamp(0))).astype(np.float32)) - as_lab(toon)
    assert np.abs(change[near][:, 1:]).mean() < 2.5
    assert np.abs(change[:, : COARSE // 8]).max() < 0.5
