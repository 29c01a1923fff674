"""Light and shade on a face's own relief."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import EYE
from engines.faces.head import CHIN, LIPS, NOSE_TIP
from engines.pictures import Image
from realtime.settings import CompositingSettings
from realtime.toons.finish.colour import COARSE, Field, Small, as_lab
from realtime.toons.finish.light import Drawn, Lights
from realtime.toons.finish.relief import Relief, relief_field, relief_of, side_of_light

Points = NDArray[np.float32]
SKIN = (120.0, 150.0, 200.0)


def still() -> NDArray[np.float32]:
    """The plan of a toon that shows everything where the photo does."""
    return np.zeros((3, 32, 32), np.float32)


def ball() -> Points:
    """Landmarks on the half of a ball of radius 0.3 that faces the camera, in even steps."""
    turn = np.arange(478) * np.pi * (3 - np.sqrt(5))
    reach = 0.95 * np.sqrt((np.arange(478) + 0.5) / 478)
    across, down = reach * np.cos(turn), reach * np.sin(turn)
    depth = -np.sqrt(1 - reach**2)
    return (0.3 * np.stack([across, down, depth], 1) + (0.5, 0.5, 0)).astype(np.float32)


def places(points: Points, ids: list[int] | tuple[int, ...]) -> tuple[NDArray, NDArray]:
    """Rows and columns of landmarks in coarse pictures."""
    columns, rows = (points[list(ids), :2] * COARSE).astype(int).T
    return rows, columns


def light(toon: Field) -> NDArray[np.float32]:
    """L* of a coarse picture."""
    return as_lab(toon)[..., 0]


def even(colour: tuple[float, float, float] = SKIN) -> Field:
    return np.full((COARSE, COARSE, 3), colour, np.float32)


def relief_on(points: Points, plan: NDArray[np.float32] | None = None) -> Relief:
    """The relief of an evenly lit toon; without a plan it shows everything where the photo does."""
    return relief_of(points, still() if plan is None else plan, light(even()))


def test_normals_are_those_of_the_surface() -> None:
    facing = relief_on(ball()).facing
    assert np.allclose(np.linalg.norm(facing, axis=2), 1, atol=1e-3)
    at = (np.array([[0.5, 0.5], [0.62, 0.5], [0.38, 0.5], [0.5, 0.65]]) * COARSE).astype(int)
    found = facing[at[:, 1], at[:, 0]]
    for (x, y), normal in zip((at + 0.5) / COARSE, found, strict=True):
        right, down = (x - 0.5) / 0.3, (y - 0.5) / 0.3
        assert normal[:2] == pytest.approx([right, down], abs=0.09)
        assert normal[2] > 0.8


def test_a_relief_lies_where_the_toon_shows_it(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    plan = still()
    plan[0] = 0.1  # each place of the toon comes from further right
    here, there = relief_on(points), relief_on(points, plan)
    step = round(0.1 * COARSE)
    assert np.abs(there.face[:, 10:40] - here.face[:, 10 + step : 40 + step]).max() < 0.25
    assert here.face[places(points, (NOSE_TIP,))] == pytest.approx(1, abs=0.05)
    for ids in (LIPS, *EYE):
        middle = points[list(ids), :2].mean(0) * COARSE
        assert here.skin[int(middle[1]), int(middle[0])] < 0.1


@pytest.mark.parametrize(("tilt", "side"), [(-0.3, -1), (0.0, 0), (0.3, 1)])
def test_the_key_light_comes_from_where_the_face_is_lit(tilt: float, side: int) -> None:
    toon = even() * (1 + tilt * relief_on(ball()).facing[..., :1])
    shown = light(toon.astype(np.float32))
    relief = relief_of(ball(), still(), shown)
    assert side_of_light(relief, shown) == pytest.approx(side, abs=0.25)


def test_nothing_is_known_of_a_face_that_is_not_there() -> None:
    nowhere = np.zeros((COARSE, COARSE), np.float32)
    relief = Relief(np.zeros((COARSE, COARSE, 3), np.float32), nowhere, nowhere)
    assert side_of_light(relief, light(even())) == 0
    assert np.abs(relief_field(relief, even(), 0.5)).max() == 0


def test_skin_shines_towards_the_light_and_lies_in_shade_away_from_it(
    face_crop: tuple[Image, Points],
) -> None:
    _, points = face_crop
    relief = relief_on(points)
    field = relief_field(relief, even(), -1.0).mean(2)
    left, right = 50, 280  # the cheeks
    assert field[places(points, (left,))] > field[places(points, (right,))] + 3
    mirrored = relief_field(relief, even(), 1.0).mean(2)
    assert mirrored[places(points, (right,))] > mirrored[places(points, (left,))] + 3
    outside = relief.face == 0
    assert np.abs(field[outside]).max() < 0.1
    assert relief.skin[places(points, (NOSE_TIP,))] > 0.9
    for ids in (LIPS, *EYE):
        assert relief.skin[places(points, ids)].mean() < 0.3
    nose = field[places(points, (NOSE_TIP,))]
    for ids in (LIPS, *EYE):
        assert field[places(points, ids)].mean() < 0.3 * nose
    assert nose > 4


def test_a_beard_does_not_shine(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    toon = even()
    rows, columns = np.indices((COARSE, COARSE))
    chin = points[CHIN] * COARSE
    near = (rows > chin[1] - 0.10 * COARSE) & (abs(columns - chin[0]) < 0.12 * COARSE)
    toon[near] *= 0.3
    relief = relief_of(points, still(), light(toon))
    assert relief_field(relief, toon, 0.0)[near].max() < 2


def test_light_is_smooth(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    field = relief_field(relief_on(points), even(), -1.0).mean(2)
    assert np.abs(np.diff(field, axis=0)).max() < 12
    assert np.abs(np.diff(field, axis=1)).max() < 12


@pytest.mark.parametrize(("style", "setting"), [(True, True), (True, False), (False, True)])
def test_skin_is_lit_where_style_and_settings_want_it(
    face_crop: tuple[Image, Points], style: bool, setting: bool
) -> None:
    crop, points = face_crop
    head = np.ones((128, 128), np.float32)
    drawn = Drawn(crop, crop, points, head, True, still(), style)
    settings = CompositingSettings(colour=0, relief=setting)
    found = Lights().finish(1, 0.0, drawn, settings)
    change = np.abs(cv2.subtract(Small.of(found).bgr, Small.of(crop).bgr)).max()
    assert (change > 4) == (style and setting)
