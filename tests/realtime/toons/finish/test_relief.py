"""Light and shade on a face's own relief."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import EYE
from engines.faces.head import CHIN, LIPS, NOSE_TIP
from engines.finish import Finish
from engines.pictures import FloatMask, Image
from realtime.compositing import GRID
from realtime.settings import CompositingSettings, Mode
from realtime.toons.finish.colour import COARSE, Field, Small, as_lab
from realtime.toons.finish.drawn import Drawn
from realtime.toons.finish.light import Lights
from realtime.toons.finish.relief import (
    Relief,
    hardness,
    relief_field,
    relief_of,
    side_of_light,
)

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


def relief_on(
    points: Points, plan: NDArray[np.float32] | None = None, toon: Field | None = None, **rest: Any
) -> Relief:
    """The relief of an evenly lit toon; without a plan it shows everything where the photo does."""
    lab = as_lab(even() if toon is None else toon)
    return relief_of(drawn(points, **rest), still() if plan is None else plan, lab)


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
    relief = relief_on(ball(), toon=toon.astype(np.float32))
    assert side_of_light(relief, light(toon.astype(np.float32))) == pytest.approx(side, abs=0.25)


def test_nothing_is_known_of_a_face_that_is_not_there() -> None:
    nowhere = np.zeros((COARSE, COARSE), np.float32)
    relief = Relief(np.zeros((COARSE, COARSE, 3), np.float32), nowhere, nowhere, nowhere, 1.0)
    assert side_of_light(relief, light(even())) == 0
    assert hardness(relief, light(even())) == 0
    assert np.abs(relief_field(relief, even(), 0.5, 1.0)).max() == 0


def test_skin_shines_towards_the_light_and_lies_in_shade_away_from_it(
    face_crop: tuple[Image, Points],
) -> None:
    _, points = face_crop
    relief = relief_on(points)
    field = relief_field(relief, even(), -1.0, 1.0).mean(2)
    left, right = 50, 280  # the cheeks
    assert field[places(points, (left,))] > field[places(points, (right,))] + 3
    mirrored = relief_field(relief, even(), 1.0, 1.0).mean(2)
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
    relief = relief_on(points, toon=toon)
    assert relief_field(relief, toon, 0.0, 1.0)[near].max() < 2


def test_fog_and_grey_rooms_have_no_gloss_and_less_shade(
    face_crop: tuple[Image, Points],
) -> None:
    crop, points = face_crop
    photo = Small.of(crop).bgr
    relief = relief_on(points)
    found = [
        hardness(relief, light((120 + share * (photo - 120)).astype(np.float32)))
        for share in (1.0, 0.5, 0.2)
    ]
    assert found[0] > 0.9
    assert found[0] > found[1] > found[2]
    assert found[2] == pytest.approx(0, abs=0.05)
    clear, foggy = (relief_field(relief, even(), -1.0, hard) for hard in (1.0, 0.0))
    assert foggy.max() < 0.5 < 10 < clear.max()
    assert foggy.min() == pytest.approx(clear.min() / 2, abs=1)


def test_a_cheek_in_profile_does_not_glare(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    turned = points.copy()
    turned[NOSE_TIP, 0] = points[234, 0]  # as far aside as the ear
    assert relief_on(points).front > 0.95
    assert relief_on(turned).front == 0
    assert relief_field(relief_on(turned), even(), -1.0, 1.0).max() < 0.5


def test_light_is_smooth(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    field = relief_field(relief_on(points), even(), -1.0, 1.0).mean(2)
    assert np.abs(np.diff(field, axis=0)).max() < 14
    assert np.abs(np.diff(field, axis=1)).max() < 14


@pytest.mark.parametrize("thing", [(200.0, 60.0, 20.0), (40.0, 130.0, 30.0), (210.0, 210.0, 210.0)])
def test_a_thing_before_the_face_is_not_lit_as_its_skin(
    face_crop: tuple[Image, Points], thing: tuple[float, float, float]
) -> None:
    _, points = face_crop
    toon, bare = even(), relief_field(relief_on(points), even(), -1.0, 1.0)
    rows, columns = np.indices((COARSE, COARSE))
    right = points[280] * COARSE  # the cheek that lies in shade
    before = (abs(rows - right[1]) < 7) & (columns > right[0] - 6)
    toon[before] = thing
    field = relief_field(relief_on(points, toon=toon), toon, -1.0, 1.0)
    inside = cv2.erode(before.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.abs(bare[inside]).max() > 15
    assert np.abs(field[inside]).max() < 2
    other = columns < points[NOSE_TIP, 0] * COARSE - 3
    assert np.abs((field - bare)[other]).max() < 4


def test_only_the_head_is_lit(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    head = EVERYWHERE.copy()
    head[:, GRID // 2 :] = 0
    field = relief_field(relief_on(points, head=head), even(), -1.0, 1.0)
    assert np.abs(field[:, COARSE // 2 + 4 :]).max() < 0.01
    assert np.abs(field[:, : COARSE // 2 - 4]).max() > 10


def test_the_light_stays_where_it_is_when_a_head_rolls() -> None:
    toon = even()
    upright, lying = relief_on(ball()), relief_on(ball(), right=(0.0, 1.0))
    above, left = (slice(22, 26), slice(30, 34)), (slice(30, 34), slice(22, 26))
    for relief, lit in ((upright, above), (lying, left)):  # of the crop: the frame's upper side
        field = relief_field(relief, toon, 0.0, 1.0).mean(2)
        mirrored = field[::-1, ::-1]
        assert field[lit].mean() > mirrored[lit].mean() + 2
    # A lying crop's left is the frame's upper side, so light along its height is the frame's side.
    tilted = even() * (1 + 0.3 * relief_on(ball()).facing[..., 1:2])
    found = side_of_light(lying, light(tilted.astype(np.float32)))
    assert abs(found) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("mode", ["head", "face", "crop"])
@pytest.mark.parametrize(("style", "setting"), [(True, True), (True, False), (False, True)])
def test_skin_is_lit_where_style_and_settings_want_it(
    face_crop: tuple[Image, Points], style: bool, setting: bool, mode: Mode
) -> None:
    crop, points = face_crop
    toon = Drawn(crop, crop, points, EVERYWHERE, True, still(), Finish(relief=style))
    settings = CompositingSettings(colour=0, relief=setting, mode=mode)
    found = Lights().finish(1, 0.0, toon, settings)
    change = np.abs(cv2.subtract(Small.of(found).bgr, Small.of(crop).bgr)).max()
    assert (change > 4) == (style and setting)


def test_the_side_of_the_light_goes_over_and_starts_anew_where_nobody_asked(
    face_crop: tuple[Image, Points],
) -> None:
    crop, points = face_crop
    settings = CompositingSettings(colour=0, memory=1.0)
    facing = cv2.resize(relief_on(points).facing[..., :1], crop.shape[:2])[..., None]
    pictures = [
        np.clip(crop * (1 + tilt * facing), 0, 255).astype(np.uint8) for tilt in (-0.4, 0.4)
    ]

    def shine(lights: Lights, time: float, picture: Image, relief: bool = True) -> Image:
        finish = Finish(relief=relief)
        toon = Drawn(picture, picture, points, EVERYWHERE, True, still(), finish)
        return lights.finish(1, time, toon, settings)

    left, right = pictures
    at_once = shine(Lights(), 0.0, right)
    lights = Lights()
    shine(lights, 0.0, left)
    apart = [
        float(np.abs(shine(lights, time, right).astype(int) - at_once).mean())
        for time in (0.05, 0.5, 1.0, 8.0)
    ]
    assert apart[0] > apart[1] > apart[2] > apart[3]
    assert apart[0] > 0.5
    assert apart[3] < 0.05
    lights = Lights()
    shine(lights, 0.0, left, relief=False)
    assert np.array_equal(shine(lights, 0.05, right), at_once)
