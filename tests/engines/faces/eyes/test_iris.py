"""The colour of irises."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.faces.eyes.iris import doubt_of_light_eyes, iris_sample, iris_tones
from engines.faces.features import EYE, IRIS
from engines.faces.pixels import polygon, to_lab
from tests.engines.faces.drawn import eye_landmarks

SIZE = 256


def face(iris: tuple[int, int, int], light: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    """Skin with two eyes, in a coloured light: float32 [SIZE, SIZE, 3] L*a*b*."""
    points, rgb = eye_landmarks(SIZE), np.full((SIZE, SIZE, 3), (200, 160, 140), np.uint8)
    for eye in range(2):
        inside = polygon(SIZE, points[EYE[eye]]) > 0.5
        rgb[inside] = (205, 200, 196)
        disc = np.zeros((SIZE, SIZE), np.uint8)
        at = tuple(np.round(points[IRIS[eye][0], :2]).astype(int).tolist())
        cv2.circle(disc, at, round(0.044 * SIZE), 255, -1)
        rgb[inside & (disc > 0)] = iris
    return to_lab(rgb.astype(np.float32) / 255 * np.array(light, np.float32))


@pytest.mark.parametrize("light", [(1, 1, 1), (1.0, 0.93, 0.82), (0.6, 0.6, 0.6)])
@pytest.mark.parametrize(
    ("iris", "hue"), [((70, 95, 140), "blue"), ((72, 46, 26), "brown"), ((92, 108, 70), "green")]
)
def test_iris_colour_is_read_in_any_light_and_cleaned(
    iris: tuple[int, int, int], hue: str, light: tuple[float, float, float]
) -> None:
    sample, area = iris_sample(
        face(iris, light), eye_landmarks(SIZE), 0, np.array([70.0, 12.0, 14.0])
    )
    assert area > 10
    middle = iris_tones(sample, 1.0, 1.0, 0.0).middle
    lab = to_lab(middle[None, None])[0, 0]
    assert {
        "blue": lab[2] < -4,
        "brown": lab[1] > 4 and lab[2] > 8,
        "green": lab[1] < -2 and lab[2] > 2,
    }[hue]
    assert np.ptp(iris_tones(sample, 1.0, 0.0, 0.0).middle) < 0.03  # grey photo, grey iris


def test_brown_irises_are_golden_or_nearly_black_as_they_are_seen() -> None:
    seen = {"golden": (0.36, 7.6, 14.4), "brown": (0.27, 4.5, 4.8), "black": (0.08, 2.0, 1.5)}
    tones = {name: iris_tones(np.array(v), 1.0, 1.0, 0.0).middle for name, v in seen.items()}
    labs = {name: to_lab(tone[None, None])[0, 0] for name, tone in tones.items()}
    assert labs["golden"][0] > labs["brown"][0] + 8
    assert labs["brown"][0] > labs["black"][0] + 4
    hues = {name: np.degrees(np.arctan2(lab[2], lab[1])) for name, lab in labs.items()}
    assert hues["golden"] > hues["brown"] + 3
    assert 45 < hues["black"] < 65  # brown, not grey
    coloured = iris_tones(np.array([0.20, 12.5, 10.4]), 1.0, 1.0, 0.0).middle
    assert to_lab(coloured[None, None])[0, 0, 0] < 24  # red light in a dark one is no gold


def test_tones_go_from_dark_to_light_and_dark_skin_asks_for_more() -> None:
    blue = np.array([0.35, -1.0, -3.0])
    tones = iris_tones(blue, 1.0, 1.0, 0.0)
    assert tones.dark.sum() < tones.middle.sum() < tones.light.sum()
    assert iris_tones(blue, 1.0, 1.0, 1.0).middle[2] <= tones.middle[2]
    assert doubt_of_light_eyes(30) == 1
    assert doubt_of_light_eyes(70) == 0


def test_hazel_irises_are_olive_and_dark_ones_without_colour_are_hardly_brown() -> None:
    seen = {
        "hazel": (0.50, 3.3, 7.5),
        "green": (0.57, -2.5, 4.5),
        "brown": (0.17, 6.0, 6.0),
        "grey": (0.15, 1.5, 0.8),
    }
    labs = {
        name: to_lab(iris_tones(np.array(v), 1.0, 1.0, 0.0).middle[None, None])[0, 0]
        for name, v in seen.items()
    }
    assert labs["hazel"][1] > labs["green"][1] + 2
    assert labs["hazel"][2] > 3
    assert np.hypot(*labs["grey"][1:]) < 0.75 * np.hypot(*labs["brown"][1:])


def test_a_grey_iris_in_warm_light_is_not_sky_blue() -> None:
    grey = iris_tones(np.array([0.47, -2.5, 2.7]), 1.0, 1.0, 0.0).middle
    blue = iris_tones(np.array([0.47, -3.0, -6.0]), 1.0, 1.0, 0.0).middle
    b = [to_lab(tone[None, None])[0, 0, 2] for tone in (grey, blue)]
    assert b[0] > -3 > -6 > b[1]
