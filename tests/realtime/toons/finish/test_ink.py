"""A comic's bands of light and ink."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.backends import EngineOutput
from engines.faces.alignment import ffhq_quad
from engines.faces.head import NOSE_TIP
from engines.finish import Finish
from engines.pictures import Image
from realtime.compositing import GRID, oval_mask
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.settings import CompositingSettings
from realtime.stylizer import Stylizer
from realtime.toons.finish.ink import inked
from tests.realtime.drawers import Inverter

HEAD = np.zeros((GRID, GRID), np.float32)
HEAD[:, : GRID // 2] = 1


def plain(light: NDArray[Any] | float, side: int = 512) -> Image:
    """A picture of one skin colour, as light as `light` says, 0..1."""
    colour = np.array([120, 160, 220], np.float32)
    return (np.ones((side, side, 1), np.float32) * light * colour).astype(np.uint8)


def grey(image: Image) -> NDArray[np.float32]:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)


@pytest.fixture(scope="module")
def points(face_crop: tuple[Image, NDArray[np.float32]]) -> NDArray[np.float32]:
    return face_crop[1]


@pytest.mark.parametrize("side", [256, 512, 640])
def test_shade_becomes_flat_bands_where_the_head_is(points: NDArray[np.float32], side: int) -> None:
    slope = np.linspace(0.2, 0.6, side, dtype=np.float32)[:, None, None]
    light = np.broadcast_to(slope, (side, side, 1)).copy()
    shade = oval_mask(points, 0.0, 0.03)
    light = np.maximum(light, cv2.resize(shade, (side, side))[..., None])  # a face in full light
    toon = plain(light, side)
    drawn = inked(toon, HEAD, points)
    left, right = slice(side // 8, side // 4), slice(side // 2 + 16, None)
    rows = slice(16, side // 2)
    steps = np.abs(np.diff(grey(drawn)[rows, left].mean(1)))
    even = np.abs(np.diff(grey(toon)[rows, left].mean(1))).mean()
    assert np.median(steps) < 0.6 * even  # flat nearly everywhere
    assert steps.max() > 2 * even  # and a step between two bands
    assert np.array_equal(drawn[:, right], toon[:, right])


def test_no_edge_of_a_band_crosses_an_even_face(points: NDArray[np.float32]) -> None:
    """However light the face is, a slight shade from side to side keeps it within one band, which
    makes it flatter; across an edge it would be a step."""
    everywhere = np.ones((GRID, GRID), np.float32)
    shade = np.linspace(-0.06, 0.06, 512, dtype=np.float32)[None, :, None].repeat(512, 0)
    face = cv2.resize(oval_mask(points, 0.0, 0.0), (512, 512)) > 0.99
    for light in np.linspace(0.4, 0.85, 10):
        toon = plain(light + shade)
        before, after = (
            np.ptp(np.percentile(grey(v)[face], (5, 95)))
            for v in (toon, inked(toon, everywhere, points))
        )
        assert after < before + 2  # a step is 25


def test_outlines_get_ink_and_noise_and_faces_get_none(points: NDArray[np.float32]) -> None:
    rng = np.random.default_rng(6)
    light = np.full((512, 512, 1), 0.7, np.float32)
    x, y = (points[NOSE_TIP, :2] * 512).astype(int)
    for row in (105, y):  # above the face, and across its nose
        cv2.line(light, (x - 40, row), (x + 40, row), 0.45, 5)
    soft = cv2.GaussianBlur(light, (0, 0), 1.5)[..., None]  # as a network draws it
    toon = plain(soft + rng.normal(0, 0.008, soft.shape).astype(np.float32))
    drawn = inked(toon, np.ones((GRID, GRID), np.float32), points)

    def darkest(image: Image, row: int) -> float:
        return float(grey(image)[row - 2 : row + 3, x - 30 : x + 30].min(0).mean())

    beside = slice(50, 80), slice(x - 30, x + 30)
    assert darkest(drawn, 105) < 0.75 * darkest(toon, 105)
    assert darkest(drawn, int(y)) > 0.9 * darkest(toon, int(y))
    assert grey(drawn)[beside].min() > 0.9 * grey(toon)[beside].mean()


def test_small_heads_get_no_ink(points: NDArray[np.float32]) -> None:
    toon = plain(np.linspace(0.2, 0.8, 512, dtype=np.float32)[:, None, None].repeat(512, 1))
    small, middling, large = (
        np.abs(inked(toon, HEAD, points, side).astype(int) - toon).sum() for side in (80, 140, 400)
    )
    assert small == 0
    assert 0.3 * large < middling < 0.7 * large


def test_white_hair_stays_lighter_than_a_forehead(points: NDArray[np.float32]) -> None:
    toon = plain(0.75)
    toon[:90] = 235  # grey, so no skin
    drawn = inked(toon, np.ones((GRID, GRID), np.float32), points)
    assert grey(drawn)[40:80, 200:300].mean() > 230


def test_hair_that_gets_darker_does_not_get_bluer(points: NDArray[np.float32]) -> None:
    toon = plain(0.8)
    toon[:90] = np.array([70, 48, 44]) * np.linspace(0.7, 1.3, 512)[None, :, None]
    drawn = inked(toon, np.ones((GRID, GRID), np.float32), points)
    blue = [
        (v[40:80, 150:400, 0].astype(float) / np.maximum(grey(v)[40:80, 150:400], 1)).max()
        for v in (toon, drawn)
    ]
    assert blue[1] < 1.08 * blue[0]


class Comic(Inverter):
    """Draws whatever it is given, and wants ink over it or none."""

    input_size = output_size = 256

    def __init__(self, wanted: bool) -> None:
        super().__init__()
        self._finish = Finish(inked=wanted)

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        heads = np.full((1, 64, 64), 255, np.uint8)
        return EngineOutput(crops.copy(), heads, np.zeros((1, 3, 32, 32), np.float32), self._finish)


@pytest.mark.parametrize("wanted", [True, False])
def test_frames_show_ink_if_style_and_user_want_it(
    face_crop: tuple[Image, NDArray[np.float32]], wanted: bool
) -> None:
    image, points = face_crop
    placed = points * np.float32(len(image))
    face = TrackedFace(1, placed, ffhq_quad(placed).astype(np.float32))

    def shown(ink: bool) -> Image:
        settings = CompositingSettings(colour=0, ink=ink, paint_hair=False, paint_eyes=False)
        return Stylizer(Comic(wanted), settings).apply(Frame(image, 0.0, 0), [face]).image

    changed = np.abs(shown(True).astype(int) - shown(False)).max(-1) > 8
    assert (changed.mean() > 0.1) == wanted
