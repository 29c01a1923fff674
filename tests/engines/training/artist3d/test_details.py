from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.faces.head import Head
from engines.faces.pixels import to_lab
from engines.training.artist3d.curves import along_curve, closed_curve, open_curve
from engines.training.artist3d.head.raster import rasterise
from engines.training.artist3d.head.stylise import press_ball
from engines.training.artist3d.observe.eyewear import find_eyewear
from engines.training.artist3d.observe.scene import aged_by_hair
from engines.training.artist3d.observe.traits import traits_of
from engines.training.artist3d.paint.eyeball import gaze_vector, lid_openness
from engines.training.artist3d.paint.light import find_lamp
from engines.training.artist3d.segment import FaceParts
from tests.engines.training.artist3d.conftest import ABOUT, SIZE


def test_coordinates_along_a_curve():
    line = np.stack([np.linspace(10, 30, 21), np.full(21, 20.0)], 1)
    along, across = along_curve((0, 0, 40, 40), line)
    assert along[20, 10] == pytest.approx(0, abs=1e-3)
    assert along[20, 30] == pytest.approx(1, abs=1e-3)
    assert across[25, 20] == pytest.approx(5, abs=1e-3)  # below a curve that runs to the right
    assert across[15, 20] == pytest.approx(-5, abs=1e-3)


def test_curves_pass_near_their_points():
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], 1) * 10
    radius = np.linalg.norm(closed_curve(ring), axis=1)
    assert 9 < radius.min() <= radius.max() < 10.2
    curve = open_curve(ring, 40)
    np.testing.assert_allclose(curve[[0, -1]], ring[[0, -1]], atol=1e-6)


def test_the_nearer_triangle_hides_the_other():
    points = np.array(
        [[0, 0, 0], [20, 0, 0], [0, 20, 0], [0, 0, 5], [20, 0, 5], [0, 20, 5]], np.float64
    )
    found, weights, depth = rasterise(points, np.array([[0, 1, 2], [3, 4, 5]]), 16, 16)
    assert found[4, 4] == 1
    assert depth[4, 4] == 5
    np.testing.assert_allclose(weights[4, 4].sum(), 1, atol=1e-6)
    assert found[15, 15] == -1


def test_gaze_and_lids():
    np.testing.assert_allclose(gaze_vector(0, 0), [0, 0, 1], atol=1e-6)
    assert gaze_vector(0.4, 0)[0] > 0.3
    assert gaze_vector(0, 0.4)[1] < -0.3  # down in the picture
    assert lid_openness(0.05) == 0
    assert lid_openness(0.3) == 1


def test_the_light_has_a_side_only_where_the_photo_shows_one():
    rows, columns = (np.mgrid[-40:41, -40:41] / 45.0).astype(np.float32)
    normals = np.dstack([columns, -rows, np.sqrt(np.maximum(1 - columns**2 - rows**2, 0))])
    where = (np.hypot(columns, rows) < 0.9).astype(np.float32)
    sides = [find_lamp(normals, 60 + slope * columns, where).side for slope in (-20, 0, 1, 20)]
    assert sides[1] == pytest.approx(0, abs=1e-3)
    assert 0 < sides[2] < 0.1  # a trifle turns it by a trifle
    assert sides[3] > 0.5
    assert sides[0] == pytest.approx(-sides[3], abs=1e-3)


def test_children_have_no_beard_and_old_people_are_old():
    assert traits_of(replace(ABOUT, age=6, beard=2.0), {}, 0).beard == 0
    assert traits_of(replace(ABOUT, age=80), {}, 0).old == 1
    smile = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9}
    assert traits_of(ABOUT, smile, 0).smile == 1


def test_spectacles_need_more_than_one_witness(portrait):
    lab = to_lab(portrait.rgb.astype(np.float32) / 255)
    head = Head(portrait.landmarks.astype(np.float32))
    nothing = np.zeros((SIZE, SIZE), np.float32)
    bare = FaceParts(*[nothing] * 6, nothing + 1)
    assert find_eyewear(lab, head, bare, 0.0, 0.0) == (False, False)
    assert find_eyewear(lab, head, bare, 1.0, 0.1) == (False, False)
    assert find_eyewear(lab, head, bare, 1.0, 0.9) == (True, False)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    eyes = head.landmarks[[468, 473], :2]
    near = [np.hypot(columns - x, rows - y) for x, y in eyes]
    frames = np.maximum.reduce([np.abs(d / head.unit - 0.35) < 0.06 for d in near]).astype(
        np.float32
    )
    worn = FaceParts(nothing, nothing, nothing, nothing, frames, nothing, 1 - frames)
    assert find_eyewear(lab, head, worn, 0.9, 0.3) == (True, False)
    thin = replace(worn, spectacles=frames * 0.4)  # rimless: no line is found
    assert find_eyewear(lab, head, thin, 0.0, 0.3) == (True, False)
    assert find_eyewear(lab, head, thin, 0.0, 0.1) == (False, False)


def test_white_hair_ages_only_who_is_not_young():
    nothing = np.zeros((SIZE, SIZE), np.float32)
    parts = FaceParts(*[nothing] * 6, nothing + 1)
    hairy = replace(parts, hair=nothing + 1)
    white, brown = (np.full((SIZE, SIZE, 3), lab, np.float32) for lab in ((80, 0, 4), (30, 6, 9)))
    middle, young = (traits_of(replace(ABOUT, age=age), {}, 0) for age in (46, 22))
    assert aged_by_hair(middle, white, hairy).old > 0.8
    assert aged_by_hair(middle, brown, hairy).old == middle.old
    assert aged_by_hair(middle, white, parts) == middle
    assert aged_by_hair(young, white, hairy).old == 0


def test_a_ball_pressed_into_clay_stands_out_in_front_only():
    rows, columns = np.mgrid[-20:21, -20:21] / 10.0
    clay = np.column_stack([columns.ravel(), rows.ravel(), np.zeros(rows.size)])
    pressed = clay.copy()
    press_ball(pressed, np.array([0, 0, -0.5]), 1.0, np.ones(len(clay)))
    far = np.hypot(clay[:, 0], clay[:, 1]) > 1
    np.testing.assert_allclose(pressed[far], clay[far])
    assert pressed[~far, 2].max() > 0.2
    assert pressed[:, 2].min() >= 0


def test_dark_lenses_are_sunglasses(portrait):
    rgb = portrait.rgb.copy()
    head = Head(portrait.landmarks.astype(np.float32))
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    lenses = np.zeros((SIZE, SIZE), bool)
    for x, y in head.landmarks[[468, 473], :2]:
        lenses |= np.hypot(columns - x, rows - y) < 0.36 * head.unit
    rgb[lenses] = 12
    mask = lenses.astype(np.float32)
    nothing = np.zeros_like(mask)
    parts = FaceParts(nothing, nothing, nothing, nothing, mask, nothing, 1 - mask)
    lab = to_lab(rgb.astype(np.float32) / 255)
    assert find_eyewear(lab, head, parts, 0.2, 0.9) == (False, True)
