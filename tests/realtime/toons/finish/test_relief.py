"""Light and shade on a face's own relief."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import EYE
from engines.faces.head import CHIN, LIPS, NOSE_TIP
from engines.pictures import FloatMask, Image
from realtime.compositing import GRID
from realtime.toons.finish.colour import COARSE, Field, Small, as_lab
from realtime.toons.finish.drawn import Drawn
from realtime.toons.finish.relief import (
    Relief,
    lamp_of,
    relief_field,
    relief_of,
)
from realtime.toons.finish.surface import surface_of

Points = NDArray[np.float32]
SKIN = (120.0, 150.0, 200.0)
EVERYWHERE = np.ones((GRID, GRID), np.float32)


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


def drawn(points: Points, head: FloatMask = EVERYWHERE, **rest: Any) -> Drawn:
    """A grey toon of a face: its relief is asked for another one's colours."""
    grey = np.full((256, 256, 3), 128, np.uint8)
    return Drawn(grey, grey, points, head, True, still(), **rest)


def relief_on(points: Points, toon: Field | None = None, **rest: Any) -> Relief:
    """The relief of a toon that shows everything where the photo does; it is evenly lit if no other
    one is given."""
    lab = as_lab(even() if toon is None else toon)
    whole = drawn(points, **rest)
    surface = surface_of(whole, still())
    return relief_of(surface, whole, lab, as_lab(even())[0, 0])


def lamp(side: float, clear: float = 1.0) -> NDArray[np.float32]:
    return np.array([side, clear], np.float32)


@pytest.mark.parametrize(("tilt", "side"), [(-0.3, -1), (0.0, 0), (0.3, 1)])
def test_the_key_light_comes_from_where_the_face_is_lit(
    face_crop: tuple[Image, Points], tilt: float, side: int
) -> None:
    _, points = face_crop
    facing = relief_on(points).surface.facing
    toon = (even() * (1 + tilt * facing[..., :1])).astype(np.float32)
    found = lamp_of(relief_on(points, toon), drawn(points), light(toon), light(even()))
    assert found is not None
    assert found[0] == pytest.approx(side, abs=0.25)


def test_nothing_is_known_of_a_face_that_is_not_there(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    relief = relief_on(points, head=0 * EVERYWHERE)
    assert lamp_of(relief, drawn(points), light(even()), light(even())) is None
    assert np.abs(relief_field(relief, even(), lamp(0.5))).max() == 0


def test_skin_shines_towards_the_light_and_lies_in_shade_away_from_it(
    face_crop: tuple[Image, Points],
) -> None:
    _, points = face_crop
    relief = relief_on(points)
    field = relief_field(relief, even(), lamp(-1)).mean(2)
    left, right = 50, 280  # the cheeks
    assert field[places(points, (left,))] > field[places(points, (right,))] + 3
    mirrored = relief_field(relief, even(), lamp(1)).mean(2)
    assert mirrored[places(points, (right,))] > mirrored[places(points, (left,))] + 3
    assert np.abs(field[relief.face == 0]).max() < 0.1
    assert relief.skin[places(points, (NOSE_TIP,))] > 0.9
    assert relief.plain[places(points, (NOSE_TIP,))] < 0.1
    nose = field[places(points, (NOSE_TIP,))]
    for ids in (LIPS, *EYE):
        assert relief.skin[places(points, ids)].mean() < 0.3
        assert field[places(points, ids)].mean() < 0.3 * nose
    assert nose > 4


def test_a_beard_does_not_shine(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    toon = even()
    rows, columns = np.indices((COARSE, COARSE))
    chin = points[CHIN] * COARSE
    near = (rows > chin[1] - 0.10 * COARSE) & (abs(columns - chin[0]) < 0.12 * COARSE)
    toon[near] *= 0.3
    relief = relief_on(points, toon)
    assert relief_field(relief, toon, lamp(0))[near].max() < 2


def as_photo(picture: Image, points: Points) -> float:
    """How clear its light is."""
    whole = drawn(points)._replace(crop=picture)
    found = lamp_of(relief_on(points), whole, light(even()), Small.of(picture).lab[..., 0])
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.25])
def test_a_milky_picture_is_known_whatever_its_exposure(
    face_crop: tuple[Image, Points], gain: float
) -> None:
    crop, points = face_crop
    clear, milky, foggy = (
        as_photo((gain * (haze + (1 - haze / 255) * crop)).astype(np.uint8), points)
        for haze in (0, 70, 150)
    )
    assert clear > 0.95
    assert 0 <= foggy < 0.05
    assert foggy <= milky <= clear


def test_in_fog_nothing_shines_and_shade_is_light(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    relief = relief_on(points)
    clear, foggy = (relief_field(relief, even(), lamp(-1, share)) for share in (1, 0))
    assert foggy.max() < 0.5 < 10 < clear.max()
    assert foggy.min() == pytest.approx(clear.min() / 2, abs=1)


def test_a_cheek_in_profile_does_not_glare(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    turned = points.copy()
    turned[NOSE_TIP, 0] = points[234, 0]  # as far aside as the ear
    assert relief_field(relief_on(turned), even(), lamp(-1)).max() < 0.5


def test_light_is_smooth(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    field = relief_field(relief_on(points), even(), lamp(-1)).mean(2)
    assert np.abs(np.diff(field, axis=0)).max() < 16
    assert np.abs(np.diff(field, axis=1)).max() < 16


@pytest.mark.parametrize("thing", [(200.0, 60.0, 20.0), (40.0, 130.0, 30.0), (210.0, 210.0, 210.0)])
def test_a_thing_before_the_face_is_not_lit_as_its_skin(
    face_crop: tuple[Image, Points], thing: tuple[float, float, float]
) -> None:
    _, points = face_crop
    toon, bare = even(), relief_field(relief_on(points), even(), lamp(-1))
    rows, columns = np.indices((COARSE, COARSE))
    right = points[280] * COARSE  # the cheek that lies in shade
    before = (abs(rows - right[1]) < 7) & (columns > right[0] - 6)
    toon[before] = thing
    field = relief_field(relief_on(points, toon), toon, lamp(-1))
    inside = cv2.erode(before.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.abs(bare[inside]).max() > 6
    assert np.abs(field[inside]).max() < 2
    other = columns < points[NOSE_TIP, 0] * COARSE - 3
    assert np.abs((field - bare)[other]).max() < 4


def test_only_the_head_is_lit(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    head = EVERYWHERE.copy()
    head[:, GRID // 2 :] = 0
    field = relief_field(relief_on(points, head=head), even(), lamp(-1))
    assert np.abs(field[:, COARSE // 2 + 4 :]).max() < 0.01
    assert np.abs(field[:, : COARSE // 2 - 4]).max() > 10


def test_the_light_stays_where_it_is_when_a_head_rolls(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    down = (0.0, 1.0)  # where the right of a crop is whose head lies on the frame's right
    whole = drawn(ball(), right=down)
    facing = surface_of(whole, still()).facing
    upright = surface_of(drawn(ball()), still()).facing
    assert np.allclose(facing[..., 0], -upright[..., 1], atol=1e-5)
    assert np.allclose(facing[..., 1], upright[..., 0], atol=1e-5)
    # Light from the crop's lower side is light from the frame's left.
    tilt = relief_on(points).surface.facing[..., 1:2]
    toon = (even() * (1 + 0.3 * tilt)).astype(np.float32)
    found = lamp_of(relief_on(points, toon, right=down), drawn(points), light(toon), light(even()))
    assert found is not None
    assert found[0] == pytest.approx(-1, abs=0.25)
