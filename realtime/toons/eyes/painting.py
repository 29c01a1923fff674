"""The toon's eyes, painted at the frame's own resolution.

A network draws a few hundred pixels, in which an iris is a dozen wide: too few for a pupil, a rim
and the lights that make an eye live. The landmarks know where iris and lids are in the photo, and
the network's map says where they went in its toon. So there the eyes are painted again, sharp at
any size, both in the one colour that the person's irises have over time. Where no eye is seen,
because a hand or dark glasses cover it, nothing is painted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import transform_points
from engines.faces.eyes.paint import EyePaint
from engines.faces.eyes.painted import paint_eye
from engines.faces.eyes.shape import EyeShape
from engines.faces.pixels import Floats, mix, step
from engines.pictures import Image
from realtime.compositing import GRID
from realtime.frame import as_uint8
from realtime.toons.detail import Box
from realtime.toons.eyes.lids import REACH, covered, half_shut, paint_shut_eye
from realtime.toons.finish.surface import skin_of
from realtime.toons.softness import blurred

SMALLEST = 5.0  # width of an eye in frame pixels below which the network's is as good
TURNED = 0.35  # least width of a far eye in the near one's that its iris is drawn as wide as
SLIVER = (2.0, 4.0)  # width of an eye in frame pixels: nothing is painted .. all
DEEPER = 0.08
"""By how many of its widths a narrow eye's lower lid is lower: a network opens those further than
its map says, and its white would show below."""
OPENING = (0.08, 0.20)  # openness: painted shut .. open; narrow for the same reason as `FIRM`
SHUT = 0.25  # how far open an eye is painted at least: else it is shut
SEEN = 0.02  # of 1: a fainter change is no paint
FIRM = (0.3, 0.7)  # trust: not painted .. painted; narrow, as a half-painted eye is a ghost


@dataclass(frozen=True)
class Eyes:
    """Both eyes of one toon, ready to be painted wherever it lands.

    Attributes:
        points: float32 [478, 2], the toon's landmarks, 0..1 across its crop.
        open: 0 closed .. 1 open, of each eye.
        trust: 0..1, how surely each of them is there, see `realtime.toons.eyes.trust`.
        awake: 0..1, how surely they are not in a blink that is too quick for the landmarks.
        faint: 0..1, how badly the network draws each of them.
        narrow: 0 round .. 1 narrow, as each of them usually is.
        paint: their colours; lengths in shares of the crop's side.
        soft: how soft the photo is, see `realtime.toons.softness`: they are painted as soft.
    """

    points: NDArray[np.float32]
    open: tuple[float, float]
    trust: tuple[float, float]
    awake: float
    faint: tuple[float, float]
    narrow: tuple[float, float]
    paint: EyePaint
    soft: float = 0.0

    def shown(self, eye: int) -> float:
        """0..1, how far one of them is painted, open or shut."""
        return step(*FIRM, self.trust[eye])

    def looks(self, eye: int) -> float:
        """0 where one of them is painted shut .. 1 where it is painted open."""
        return step(*FIRM, self.awake) * step(*OPENING, self.open[eye])


def paint_eyes(picture: Image, eyes: Eyes, box: Box, transform: NDArray[np.floating]) -> Image:
    """A pasted toon with its eyes painted.

    Args:
        picture: uint8 [h, w, 3] BGR, what is pasted into `box`.
        eyes: of this toon.
        box: where in the frame.
        transform: [2, 3], from a crop of `GRID` x `GRID` to the frame.

    Returns:
        uint8 [h, w, 3]; `picture` itself where there is nothing to paint.
    """
    side = np.asarray(transform, np.float64)[:, 0] * GRID  # the crop's upper side, frame pixels
    length = float(np.hypot(*side))
    points = transform_points(eyes.points * GRID, transform) - np.array([box.x, box.y], np.float32)
    points = points - 0.5  # OpenCV draws at the centres of pixels
    paint = replace(eyes.paint, unit=eyes.paint.unit * length)
    result = picture
    shapes = [
        EyeShape.of(points, eye, eyes.open[eye], side / length).deeper(DEEPER * eyes.narrow[eye])
        for eye in range(2)
    ]
    # The nearer eye counts for both: the far one of a turned head would have another colour.
    widest = max(shape.width for shape in shapes)
    seen = step(SMALLEST, 2 * SMALLEST, widest)
    skin = skin_of(picture, points)[::-1] / 255
    for eye, shape in enumerate(shapes):
        shape = shape.turned(max(shape.width / max(widest, 1e-6), TURNED))
        share = seen * eyes.shown(eye) * step(*SLIVER, shape.width)
        looks, faint = eyes.looks(eye), eyes.faint[eye]
        area = shape.box_in(picture.shape, REACH)
        if share < 0.02 or area is None or shape.box_in(picture.shape) is None:
            continue  # it stays the network's
        if result is picture:
            result = picture.copy()
        patch = cv2.cvtColor(result[area], cv2.COLOR_BGR2RGB)
        before = patch.astype(np.float32) / 255
        shape = shape.moved(-area[1].start, -area[0].start)
        above = faint if looks > 0.98 else 1.0  # an open one's lid stays where it is drawn well
        bare = covered(before, shape, skin, above)
        drawn = _softened(bare, _painted(bare, shape, paint, looks), eyes.soft * length)
        after = as_uint8(np.clip(mix(before, drawn, share) * 255 + 0.5, 0, 255).astype(np.uint8))
        result[area] = cv2.cvtColor(after, cv2.COLOR_RGB2BGR)
    return result


def _painted(bare: Floats, shape: EyeShape, paint: EyePaint, looks: float) -> Floats:
    """Bare skin, float32 [h, w, 3] RGB in 0..1, with one eye: `looks` 0 shut .. 1 open."""
    if looks < SHUT:
        return paint_shut_eye(bare, shape, paint)
    return paint_eye(bare, half_shut(shape, looks), paint, 1)


def _softened(bare: Floats, painted: Floats, deviation: float) -> Floats:
    """What was painted on bare skin, both float32 [h, w, 3], blurred by so many pixels."""
    soft = blurred(painted, deviation)
    if soft is painted:
        return painted
    where = (np.abs(painted - bare).max(-1) > SEEN).astype(np.float32)
    return mix(bare, soft, np.minimum(2 * cv2.GaussianBlur(where, (0, 0), deviation), 1))
