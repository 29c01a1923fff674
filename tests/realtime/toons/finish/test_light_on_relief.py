"""When skin is lit by its relief, and how that light follows the scene's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.finish import Finish
from engines.pictures import Image
from realtime.settings import CompositingSettings, Mode
from realtime.toons.finish.colour import Small
from realtime.toons.finish.drawn import Drawn
from realtime.toons.finish.light import Lights
from tests.realtime.toons.finish.test_relief import EVERYWHERE, Points, relief_on, still


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


def shine(
    lights: Lights, time: float, picture: Image, points: Points, relief: bool = True
) -> Image:
    """A picture finished as if it were its own toon."""
    toon = Drawn(picture, picture, points, EVERYWHERE, True, still(), Finish(relief=relief))
    return lights.finish(1, time, toon, CompositingSettings(colour=0, memory=1.0))


def test_the_side_of_the_light_goes_over_and_starts_where_somebody_asks(
    face_crop: tuple[Image, Points],
) -> None:
    crop, points = face_crop
    facing = cv2.resize(relief_on(points).surface.facing[..., :1], crop.shape[:2])[..., None]
    left, right = (
        np.clip(crop * (1 + tilt * facing), 0, 255).astype(np.uint8) for tilt in (-0.4, 0.4)
    )
    at_once = shine(Lights(), 0.0, right, points)
    lights = Lights()
    shine(lights, 0.0, left, points)
    apart = [
        float(np.abs(shine(lights, time, right, points).astype(int) - at_once).mean())
        for time in (0.07, 0.5, 1.0, 8.0)
    ]
    assert apart[0] > apart[1] > apart[2] > apart[3]
    assert apart[0] > 0.5
    assert apart[3] < 0.05
    lights = Lights()
    shine(lights, 0.0, left, points, relief=False)
    assert np.array_equal(shine(lights, 0.05, right, points), at_once)


def test_the_light_on_a_relief_is_kept_for_a_moment(face_crop: tuple[Image, Points]) -> None:
    crop, points = face_crop
    lights, moved = Lights(), points + np.array([0.1, 0, 0], np.float32)
    first = shine(lights, 0.0, crop, points).astype(int)
    kept, anew = (np.abs(shine(lights, time, crop, moved) - first) for time in (0.07, 0.11))
    assert kept.max() <= 3  # the seam alone
    assert anew.max() > 6


def test_a_mask_over_half_the_face_does_not_become_its_skin(
    face_crop: tuple[Image, Points],
) -> None:
    crop, points = face_crop
    alone, lights = shine(Lights(), 0.0, crop, points).astype(int), Lights()
    shine(lights, 0.0, crop, points)
    worn = crop.copy()
    edge = int(points[6, 1] * len(crop))  # the root of the nose
    worn[edge:] = (225, 205, 180)
    for frame in range(1, 60):
        found = shine(lights, frame / 30, worn, points).astype(int)
    skin, mask = slice(None, edge - 20), slice(edge + 20, None)
    assert np.abs(found[mask] - worn[mask]).max() < 3
    assert np.abs(found[skin] - alone[skin]).mean() < 0.5 * np.abs(crop[skin] - alone[skin]).mean()
