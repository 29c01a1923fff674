"""The toon's eyes, painted at the frame's own resolution.

A network draws a few hundred pixels, in which an iris is a dozen wide: too few for a pupil, a rim
and the lights that make an eye live. The landmarks know where iris and lids are in the photo, and
the network's map says where they went in its toon. So there the eyes are painted again, sharp at
any size, both in the one colour that the person's irises have over time. Where no eye is seen,
because a hand or dark glasses cover it, nothing is painted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import transform_points
from engines.faces.eyes.painted import EyePaint, paint_eye, paint_shut_eye
from engines.faces.eyes.shape import MARGIN, EyeShape
from engines.faces.features import look_together, openness_together
from engines.faces.pixels import Floats, Reals, mix, step
from engines.pictures import Image
from realtime.compositing import GRID
from realtime.frame import as_uint8
from realtime.toons.detail import Box
from realtime.toons.eye_colours import CHEEKS, colours_of, paint_of
from realtime.toons.eye_trust import around, awake, darkness, likeness, same_place, trust
from realtime.toons.lids import REACH, covered, shut
from realtime.toons.places import settle_iris

WATCHED = 256  # side at which a toon is looked at, pixels
SMALLEST = 5.0  # width of an eye in frame pixels below which the network's is as good
COLOUR_MEMORY = 3.0  # seconds over which the light about the eyes and the lashes are averaged
SHAPE_MEMORY = 3.0  # the same of the shape of open eyes: no lid moves but in a blink
LOOK_MEMORY = 0.4  # the same of how they are drawn, and of what is about them
LOOKS = 15  # at well-seen irises over which their colour is averaged
SLIVER = (2.5, 5.5)  # width of an eye in frame pixels: nothing is painted .. all
DEEPER = 0.045
"""By how many of its widths a narrow eye's lower lid is lower: a network opens those further than
its map says, and its white would show below."""
NARROW = (0.47, 0.36)  # usual height over width of an eye: round .. narrow
MIXING_INTERVAL = 0.2  # seconds in which neither colours nor light are looked at again
DRAWN_BADLY = (0.16, 0.06)
"""`darkness` in a toon of an eye that is drawn well .. so badly that skin is laid under it."""
OPENING = (0.08, 0.20)  # openness: painted shut .. open; narrow for the same reason as `FIRM`
FIRM = (0.3, 0.7)  # trust: not painted .. painted; narrow, as a half-painted eye is a ghost
COMES, GOES = 0.12, 0.40  # seconds in which an eye comes from behind a hand, and goes there


@dataclass(frozen=True)
class Eyes:
    """Both eyes of one toon, ready to be painted wherever it lands.

    Attributes:
        points: float32 [478, 2], the toon's landmarks, 0..1 across its crop.
        open: 0 closed .. 1 open, of each eye.
        trust: 0..1, how surely each of them is there, see `realtime.toons.eye_trust`.
        awake: 0..1, how surely they are not in a blink that is too quick for the landmarks.
        faint: 0..1, how badly the network draws each of them.
        narrow: 0 round .. 1 narrow, as each of them usually is.
        paint: their colours; lengths in shares of the crop's side.
    """

    points: NDArray[np.float32]
    open: tuple[float, float]
    trust: tuple[float, float]
    awake: float
    faint: tuple[float, float]
    narrow: tuple[float, float]
    paint: EyePaint

    def shown(self, eye: int) -> float:
        """0..1, how far one of them is painted, open or shut."""
        return step(*FIRM, self.trust[eye])

    def looks(self, eye: int) -> float:
        """0 where one of them is painted shut .. 1 where it is painted open."""
        return step(*FIRM, self.awake) * step(*OPENING, self.open[eye])


class _Look(NamedTuple):
    """What one toon and its photo show of both eyes; see `_Memory`.

    Attributes:
        opened: 0 closed .. 1 open, of each.
    """

    trust: Floats
    faint: Floats
    around: Floats
    roundness: Floats
    opened: Floats


@dataclass
class _Memory:
    """What is known of one person's eyes.

    Attributes:
        colours: see `colours_of`, averaged.
        weight: how much the iris's counts against the next photo's.
        best: the most that one photo counted.
        paint: made of them at `mixed`, seconds.
        trust: 0..1 for each eye.
        faint: 0..1, how badly each of them is drawn.
        around: what is about them, see `around`.
        roundness: usual height over width of each in toons, while it is open.
        toons: how many of them were seen.
        time: of the newest toon, seconds.
    """

    colours: Floats
    weight: float
    best: float
    paint: EyePaint
    mixed: float
    trust: Floats
    faint: Floats
    around: Floats
    roundness: Floats
    toons: int
    time: float

    def follow(self, look: _Look, time: float) -> None:
        """Take in a newer toon; a blink says nothing of whether there is an eye, nor of what shape
        it is."""
        elapsed = max(time - self.time, 0.0)
        memory = np.where(look.trust > self.trust, COMES, GOES)
        share = (1 - np.exp(-elapsed / memory)) * look.opened
        self.trust = self.trust + share * (look.trust - self.trust)
        share = (1 - float(np.exp(-elapsed / LOOK_MEMORY))) * look.opened
        self.faint = self.faint + share * (look.faint - self.faint)
        self.around = self.around + share[:, None] * (look.around - self.around)
        self.toons += 1  # the first ones count alike: one of them may be a blink
        share = max(1 - float(np.exp(-elapsed / SHAPE_MEMORY)), 1 / self.toons) * look.opened
        self.roundness = self.roundness + share * (look.roundness - self.roundness)
        self.time = time

    def present(self, look: _Look) -> Floats:
        """0..1, how surely each eye is there: behind shut lids, if what is about them stayed."""
        gone = (1 - look.opened) * (1 - same_place(look.around, self.around))
        return np.asarray(self.trust * (1 - gone), np.float32)

    def average(self, colours: Floats, weight: float, time: float) -> None:
        """Take in a newer photo's colours: the light's and the lashes' over time, the iris's by how
        well it is seen, so that nobody's eyes turn brown who goes away from the camera."""
        self.best = max(self.best, weight)
        kept = min(self.weight, LOOKS * self.best)
        weight *= (weight / self.best) ** 2
        self.weight = kept + weight
        shares = np.full(len(colours), 1 - np.exp(-max(time - self.mixed, 0.0) / COLOUR_MEMORY))
        shares[:3] = weight / self.weight
        colours = np.where(np.isnan(colours), self.colours, colours)
        self.colours = (self.colours + shares * (colours - self.colours)).astype(np.float32)
        self.mixed = time


class EyeWatch:
    """Knows the eyes of everybody who is drawn, over time."""

    def __init__(self) -> None:
        self._known: dict[int, _Memory] = {}

    def see(
        self,
        identity: int,
        time: float,
        crop: Image,
        toon: Image,
        points: NDArray[np.floating],
        shown: NDArray[np.float32],
        zoom: float,
    ) -> Eyes:
        """The eyes of one person's newest toon.

        Args:
            identity: whose.
            time: of the frame, seconds.
            crop: uint8 [S, S, 3] BGR, the photo.
            toon: uint8 [R, R, 3] BGR, in the scene's colours.
            points: float [478, 3], landmarks, 0..1 across the crop.
            shown: float32 [478, 2], the same in the toon, see `toon_points`.
            zoom: pixels of the frame in one of the crop.
        """
        opened = openness_together(points)
        flat = np.array(points, np.float32)[:, :2]
        moved = shown.copy()
        for eye in range(2):
            settle_iris(points, moved, eye)
        look_together(moved, opened)
        whole = toon.shape[0] % WATCHED == 0  # else averaging would be slow
        kernel = cv2.INTER_AREA if whole else cv2.INTER_LINEAR
        small = as_uint8(cv2.resize(toon, (WATCHED, WATCHED), interpolation=kernel))
        drawn, photo = (
            [darkness(picture, at, eye, opened[eye]) for eye in range(2)]
            for picture, at in ((small, moved), (crop, flat))
        )
        widths = [EyeShape.of(flat, eye, opened[eye]).width for eye in range(2)]
        shapes = [EyeShape.of(moved, eye, opened[eye]) for eye in range(2)]
        lids = awake(drawn)
        look = _Look(
            trust(drawn, photo, likeness(crop, points), widths),
            np.array([step(*DRAWN_BADLY, dark) for dark in drawn], np.float32),
            around(crop, points),
            np.array([shape.roundness for shape in shapes], np.float32),
            lids * np.array(opened, np.float32),
        )
        known = self._known.get(identity)
        if known is not None:
            known.follow(look, time)
        if known is None or not 0 <= time - known.mixed < MIXING_INTERVAL:
            colours, weight = colours_of(crop, points, look.trust * look.opened, zoom)
            if known is None:
                colours = np.nan_to_num(colours)
                paint = paint_of(colours, small, moved)
                known = _Memory(colours, weight, weight, paint, time, *look[:-1], 1, time)
                self._known[identity] = known
            else:
                known.average(colours, weight, time)
                known.paint = paint_of(known.colours, small, moved)
        left, right = known.present(look).tolist()
        narrow = step(*NARROW, known.roundness[0]), step(*NARROW, known.roundness[1])
        faint = float(known.faint[0]), float(known.faint[1])
        return Eyes(moved, opened, (left, right), lids, faint, narrow, known.paint)

    def forget(self, but: Collection[int] = ()) -> None:
        """Forget everybody `but` some."""
        self._known = {k: v for k, v in self._known.items() if k in but}


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
    seen = step(SMALLEST, 2 * SMALLEST, max(shape.width for shape in shapes))
    for eye, shape in enumerate(shapes):
        share = seen * eyes.shown(eye) * step(*SLIVER, shape.width)
        looks, faint = eyes.looks(eye), eyes.faint[eye]
        edges = shape.box(REACH if max(faint, 1 - looks) > 0.02 else MARGIN)
        left, top = np.maximum(edges[:2], 0)
        right, bottom = np.minimum(edges[2:], picture.shape[1::-1])
        if share < 0.02 or right <= left or bottom <= top:
            continue
        if result is picture:
            result = picture.copy()
        patch = cv2.cvtColor(result[top:bottom, left:right], cv2.COLOR_BGR2RGB)
        before = patch.astype(np.float32) / 255
        shape = shape.moved(-left, -top)
        drawn = _painted(before, shape, paint, _skin(picture, points), looks, faint)
        after = as_uint8(np.clip(mix(before, drawn, share) * 255 + 0.5, 0, 255).astype(np.uint8))
        result[top:bottom, left:right] = cv2.cvtColor(after, cv2.COLOR_RGB2BGR)
    return result


def _painted(
    patch: Floats, shape: EyeShape, paint: EyePaint, skin: Floats, looks: float, faint: float
) -> Floats:
    """A patch, float32 [h, w, 3] RGB in 0..1, with one eye: `looks` 0 shut .. 1 open, and `skin`
    under it as far as the network's is `faint`."""
    bare = patch
    if max(faint, 1 - looks) > 0.02:
        bare = covered(patch, shape, skin)
    closed = paint_shut_eye(bare, shut(shape), paint) if looks < 0.98 else bare
    if looks < 0.02:
        return closed
    opened = paint_eye(mix(patch, bare, faint), shape, paint, 1)
    return mix(closed, opened, looks) if looks < 0.98 else opened


def _skin(picture: Image, points: Reals) -> Floats:
    """Colour of a toon's cheeks, RGB in 0..1: float32 [3]."""
    x, y = np.clip(np.round(points[CHEEKS]).astype(int), 0, np.array(picture.shape[1::-1]) - 1).T
    return np.asarray(np.median(picture[y, x], 0)[::-1] / 255, np.float32)
