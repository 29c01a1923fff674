from __future__ import annotations

import numpy as np
import pytest

from engines.faces.film_print import printed
from engines.faces.pixels import to_lab

RAMP = np.repeat(np.linspace(0, 1, 33, dtype=np.float32)[None, :, None], 3, 2)


@pytest.mark.parametrize("middle", [0.3, 0.7])
def test_the_skins_light_stays_and_all_else_moves_away_from_it(middle: float) -> None:
    before, after = (to_lab(image)[0, :, 0] / 100 for image in (RAMP, printed(RAMP, middle)))
    assert (np.diff(after) > 0).all()
    dark, light = (before > 0.1) & (before < middle - 0.1), (before > middle + 0.1) & (before < 0.9)
    assert (after[dark] < before[dark] - 0.005).all()
    assert (after[light] > before[light] + 0.005).all()
    assert abs(np.interp(middle, before, after) - middle) < 0.01
    assert after[[0, -1]] == pytest.approx([0, 1], abs=0.01)


def test_colours_get_fuller_and_keep_their_hue() -> None:
    skin = np.array([[[0.75, 0.55, 0.45], [0.5, 0.5, 0.5], [1.0, 0.0, 0.0]]], np.float32)
    before, after = (to_lab(image)[0, :, 1:] for image in (skin, printed(skin, 0.6)))
    chroma = [np.hypot(*ab.T) for ab in (before, after)]
    assert 1.08 < chroma[1][0] / chroma[0][0] < 1.2
    hue = [np.arctan2(ab[0, 1], ab[0, 0]) for ab in (before, after)]
    assert abs(hue[1] - hue[0]) < 0.03
    assert chroma[1][1] < 0.5  # grey stays grey
    assert chroma[1][2] < chroma[0][2] * 1.03  # red is full already


def test_it_is_laid_only_where_it_is_asked_for() -> None:
    where = np.zeros((1, 33), np.float32)
    where[:, :16] = 1
    part, none = printed(RAMP, 0.6, where), printed(RAMP, 0.6, 0.0)
    assert np.abs(none - RAMP).max() < 2e-3
    assert np.abs(part[:, 16:] - RAMP[:, 16:]).max() < 2e-3
    assert np.abs(part[:, 4:14] - RAMP[:, 4:14]).min() > 2e-3
