"""Heads cut out of the wall that the engine drew about them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engines.backends import EngineOutput
from engines.faces.alignment import ffhq_quad
from engines.faces.landmarker import Landmarker
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.guard import Output
from realtime.settings import CompositingSettings
from realtime.sources.sitters import portrait
from realtime.stylizer import Stylizer
from realtime.toons.matting import on_green, toons_alone, with_alpha
from tests.realtime.drawers import Inverter


class Copyist(Inverter):
    """Draws a red head before a loud wall as it is, and says how red it is."""

    def run(self, crops: np.ndarray) -> EngineOutput:
        super().run(crops)
        share = np.clip(crops[..., 0].astype(float) / 200, 0, 1)
        return EngineOutput(crops.copy(), (share * 255).astype(np.uint8))


def red_head(wall: np.ndarray, soft: float) -> tuple[np.ndarray, TrackedFace]:
    """A frame uint8 [H, W, 3] with a head in BGR (40, 40, 200) before `wall`, float [H, W, 3].

    The head's edge is as wide as a Gaussian of `soft` pixels.
    """
    picture = portrait()
    with Landmarker(blendshapes=False) as landmarker:
        points = landmarker.detect(np.ascontiguousarray(picture[..., ::-1]))[0].points
    face = TrackedFace(0, points, ffhq_quad(points).astype(np.float32))
    head = np.zeros(picture.shape[:2], np.uint8)
    middle = points[:, :2].mean(0).astype(int).tolist()
    cv2.ellipse(head, middle, (150, 190), 0, 0, 360, 255, cv2.FILLED)
    share = cv2.GaussianBlur(head, (0, 0), soft)[..., None] / 255
    return (share * (40, 40, 200) + (1 - share) * wall).astype(np.uint8), face


WALL = np.full((*portrait().shape[:2], 3), (255.0, 255.0, 0.0))


def test_what_is_cut_out_holds_nothing_of_the_drawn_wall() -> None:
    wall, face = red_head(WALL, 6)
    for mode in ("head", "face"):
        stylizer = Stylizer(Copyist(), CompositingSettings(mode=mode, colour=0))
        done = stylizer.apply(Frame(wall, 0.0, 0), [face])
        assert done.heads is not None
        heads = done.heads()
        assert (heads <= done.alpha).all()
        assert mode == "face" or (heads < done.alpha).any()  # which lies within the head
        output = Output(done.image, done.alpha, "toon", under=wall, heads=done.heads)
        colours, alpha = toons_alone(output)
        soft = (alpha > 8) & (alpha < 250)
        assert soft.any()
        # Red, not the wall's cyan: its share of what is laid over a scene stays below 3 %.
        cyan = colours[..., 0].astype(int) - 40
        assert (cyan * (alpha / 255.0)).max() < 0.03 * 255


def waves(side: int) -> np.ndarray:
    """A wall of soft blue and green hills, `side` pixels wide."""
    rows, columns = np.mgrid[: WALL.shape[0], : WALL.shape[1]] * (np.pi / side)
    share = (0.5 + 0.5 * np.sin(columns) * np.sin(rows))[..., None]
    return np.asarray(share * (255, 40, 0) + (1 - share) * (60, 255, 0))


def squares(side: int) -> np.ndarray:
    """A wall of blue and cyan squares, `side` pixels wide."""
    rows, columns = np.mgrid[: WALL.shape[0], : WALL.shape[1]] // side
    return np.where(((rows + columns) % 2)[..., None] > 0, WALL, (255.0, 0.0, 0.0))


@pytest.mark.parametrize("soft", [6, 12])
@pytest.mark.parametrize(
    ("wall", "worst", "usual"),
    [(WALL, 10, 2), (waves(48), 14, 2.5), (squares(48), 32, 4), (squares(16), 32, 4)],
)
def test_little_of_a_patterned_wall_is_left_about_a_soft_head(
    wall: np.ndarray, worst: float, usual: float, soft: float
) -> None:
    frame, face = red_head(wall, soft)
    stylizer = Stylizer(Copyist(), CompositingSettings(mode="head", colour=0))
    done = stylizer.apply(Frame(frame, 0.0, 0), [face])
    output = Output(done.image, done.alpha, "toon", under=frame, heads=done.heads)

    def left_over(output: Output) -> tuple[float, float]:
        """What the wall adds to a scene, in levels: the most, and the root of the mean square."""
        colours, alpha = toons_alone(output)
        added = np.abs(colours[..., :2].astype(int) - 40).max(2) * (alpha / 255)
        return float(added.max()), float(np.sqrt((added[alpha > 8] ** 2).mean()))

    most, mean = left_over(output)
    assert most < worst
    assert mean < usual
    # Without the head's shape, along the pasted region, all of the drawn wall would be left.
    most, mean = left_over(replace(output, heads=None))
    assert most > 4 * worst
    assert mean > 7 * usual


def test_a_toon_has_the_same_colours_alone_and_in_a_large_picture() -> None:
    frame, face = red_head(waves(48), 12)
    done = Stylizer(Copyist(), CompositingSettings(colour=0)).apply(Frame(frame, 0.0, 0), [face])
    output = Output(done.image, done.alpha, "toon", under=frame, heads=done.heads)
    wide = [(72, 40), (104, 16)]  # whole coarse pixels, as boxes are cut

    def within(picture: np.ndarray | None) -> np.ndarray:
        assert picture is not None
        return np.pad(picture, [*wide, (0, 0)][: picture.ndim])

    assert output.heads
    heads = within(output.heads())
    larger = Output(within(output.image), within(output.alpha), "toon",
                    under=within(output.under), heads=lambda: heads)  # fmt: skip
    for draw in (with_alpha, on_green):
        inner = draw(larger)[72:-40, 104:-16]
        assert np.abs(inner.astype(int) - draw(output)).max() <= 1
        assert not draw(larger)[:72, :, ::2].any()  # clear, or green alone
