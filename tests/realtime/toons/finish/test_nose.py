"""A film's nose, and the shade on its slopes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.head import NOSE_TIP
from engines.pictures import Image
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.nose import film_nose
from realtime.toons.finish.relief import relief_field
from tests.realtime.toons.finish.test_relief import even, lamp, places, relief_on

SIDE = 384
SKIN = (140, 170, 215)  # BGR
WINGS = ((49, 129, 64), (279, 358, 294))
BESIDE = (50, 280, 195)  # both cheeks and the ridge

Points = NDArray[np.float32]


@pytest.fixture
def at(face_crop: tuple[Image, Points]) -> Points:
    """Landmarks in a toon of `SIDE`, pixels."""
    return np.asarray(face_crop[1][:, :2] * SIDE - 0.5, np.float32)


def flat(colour: tuple[int, int, int] = SKIN) -> Image:
    return np.full((SIDE, SIDE, 3), colour, np.uint8)


def lab_of(colour: tuple[int, int, int]) -> NDArray[np.float32]:
    return as_lab(np.array([[colour]], np.float32))[0, 0]


def darker(before: Image, after: Image, at: Points, ids: tuple[int, ...]) -> float:
    """L* that places lose."""
    x, y = np.rint(at[list(ids)]).astype(int).T
    return float((as_lab(before)[y, x, 0] - as_lab(after)[y, x, 0]).mean())


def drawn(before: Image, at: Points, front: float = 1.0, form: bool = True) -> Image:
    return film_nose(before, at, lab_of(SKIN), front, form)


def test_both_wings_get_a_soft_warm_shade_and_the_rest_stays(at: Points) -> None:
    before = flat()
    after = drawn(before, at)
    for wing in WINGS:
        assert 2 < darker(before, after, at, wing) < 12
        x, y = np.rint(at[list(wing)]).astype(int).T
        assert (as_lab(after)[y, x, 1] > as_lab(before)[y, x, 1] + 0.3).all()
    assert abs(darker(before, after, at, BESIDE)) < 0.3
    light = as_lab(after)[..., 0]
    assert np.abs(np.diff(light, axis=0)).max() < 6
    assert np.abs(np.diff(light, axis=1)).max() < 6


def test_a_shade_that_is_there_is_not_laid_twice(at: Points) -> None:
    shaded = drawn(flat(), at)
    again = drawn(shaded, at)
    for wing in WINGS:
        assert darker(shaded, again, at, wing) < 0.5 * darker(flat(), shaded, at, wing)


@pytest.mark.parametrize("colour", [(200, 120, 60), (235, 235, 235), (35, 35, 35)])
def test_a_mask_before_it_stays(at: Points, colour: tuple[int, int, int]) -> None:
    before = flat()
    top, bottom = round(at[195, 1]), round(at[152, 1])
    before[top:bottom] = colour
    assert np.array_equal(drawn(before, at)[top + 8 : bottom], before[top + 8 : bottom])


def test_a_profile_a_tiny_nose_and_a_style_without_form_stay(at: Points) -> None:
    before = flat()
    assert drawn(before, at, front=0.0) is before
    assert drawn(before, at, form=False) is before
    assert drawn(before, at[NOSE_TIP] + 0.05 * (at - at[NOSE_TIP])) is before


def test_a_nose_at_the_edge_is_drawn_as_far_as_it_is_seen(at: Points) -> None:
    before = flat()
    away = at + np.array([SIDE - at[NOSE_TIP, 0], 0], np.float32)
    after = drawn(before, away)
    assert after.shape == before.shape
    assert darker(before, after, away, (49,)) > 2
    assert np.array_equal(drawn(before, away + SIDE), before)


def test_a_grey_picture_stays_grey(at: Points) -> None:
    before = flat((170, 170, 170))
    after = film_nose(before, at, lab_of((170, 170, 170)), 1.0)
    assert darker(before, after, at, WINGS[0]) > 2
    assert np.ptp(after, axis=2).max() <= 1


def test_a_nose_has_shade_on_both_slopes(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    shown = even() + relief_field(relief_on(points), even(), lamp(0))
    bridge, *slopes = (
        as_lab(shown)[..., 0][places(points, ids)].mean()
        for ids in ((197, 195), (126, 217), (355, 437))
    )
    cheeks = as_lab(shown)[..., 0][places(points, (50, 280))].mean()
    for slope in slopes:
        assert slope < bridge - 4
        assert slope < cheeks - 1.5


def test_the_slope_of_a_nose_that_is_lit_has_less_shade(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop

    def shades(side: float) -> list[float]:
        relief = relief_on(points)
        bare = relief._replace(surface=relief.surface._replace(flanks=0 * relief.surface.flanks))
        with_, without = (relief_field(each, even(), lamp(side)).mean(2) for each in (relief, bare))
        return [float((without - with_)[places(points, ids)].mean()) for ids in ((126,), (355,))]

    for side in (-1.0, 1.0):
        left, right = shades(side)
        assert min(left, right) > 1
        assert (right > 1.5 * left) == (side < 0)
        assert (left > 1.5 * right) == (side > 0)
    left, right = shades(0.0)
    assert left == pytest.approx(right, rel=0.3)


def test_shade_on_burnt_skin_has_the_skins_hue(at: Points) -> None:
    burnt = flat((195, 228, 250))
    after = drawn(burnt, at)
    for wing in WINGS:
        x, y = np.rint(at[list(wing)]).astype(int).T
        assert darker(burnt, after, at, wing) > 2
        before, shaded = (as_lab(picture)[y, x].mean(0) for picture in (burnt, after))
        assert shaded[1] > before[1] + 2
        # its hue is nearer to the skin's, instead of as yellow as what burns
        own, *hues = (np.arctan2(lab[2], lab[1]) for lab in (lab_of(SKIN), before, shaded))
        assert hues[1] - own < 0.35 * (hues[0] - own)
