"""What is known of everybody's eyes over time: colours, shape, and whether they are seen.

One picture says little of an iris that is a dozen pixels wide, and a blink or a hand hides it now
and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.eyes.paint import EyePaint
from engines.faces.eyes.shape import EyeShape
from engines.faces.features import look_together, openness_together
from engines.faces.pixels import Floats, step
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.eyes.colours import colours_of, paint_of
from realtime.toons.eyes.painting import Eyes
from realtime.toons.eyes.trust import around, awake, darkness, likeness, pair_of, same_place, trust
from realtime.toons.memory import Memory, lately, share_of
from realtime.toons.places import settle_iris

WATCHED = 256  # side at which a toon is looked at, pixels
COLOUR_MEMORY = 3.0  # seconds over which the light about the eyes and the lashes are averaged
SHAPE_MEMORY = 3.0  # the same of the shape of open eyes: no lid moves but in a blink
LOOK_MEMORY = 0.4  # the same of how they are drawn, and of what is about them
LOOKS = 15  # at well-seen irises over which their colour is averaged
NARROW = (0.47, 0.36)  # usual height over width of an eye: round .. narrow
MIXING_INTERVAL = 0.2  # seconds in which neither colours nor light are looked at again
DRAWN_BADLY = (0.16, 0.06)
"""`darkness` in a toon of an eye that is drawn well .. so badly that skin is laid under it."""
COMES, GOES = 0.12, 0.40  # seconds in which an eye comes from behind a hand, and goes there


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
        elapsed = time - self.time
        comes, goes = share_of(elapsed, COMES), share_of(elapsed, GOES)
        share = np.where(look.trust > self.trust, comes, goes) * look.opened
        self.trust = self.trust + share * (look.trust - self.trust)
        share = share_of(elapsed, LOOK_MEMORY) * look.opened
        self.faint = self.faint + share * (look.faint - self.faint)
        self.around = self.around + share[:, None] * (look.around - self.around)
        self.toons += 1  # the first ones count alike: one of them may be a blink
        share = max(share_of(elapsed, SHAPE_MEMORY), 1 / self.toons) * look.opened
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
        shares = np.full(len(colours), share_of(time - self.mixed, COLOUR_MEMORY))
        shares[:3] = weight / self.weight
        colours = np.where(np.isnan(colours), self.colours, colours)
        self.colours = (self.colours + shares * (colours - self.colours)).astype(np.float32)
        self.mixed = time


class EyeWatch(Memory[_Memory]):
    """Knows the eyes of everybody who is drawn, over time."""

    def see(
        self,
        identity: int,
        time: float,
        crop: Image,
        toon: Image,
        points: NDArray[np.floating],
        shown: NDArray[np.float32],
        zoom: float,
        soft: float = 0.0,
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
            soft: how soft the photo is, see `realtime.toons.softness`.
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
        lids, pair = awake(drawn), pair_of(crop, points)
        look = _Look(
            trust(drawn, photo, likeness(pair), widths),
            np.array([step(*DRAWN_BADLY, dark) for dark in drawn], np.float32),
            around(pair),
            np.array([shape.roundness for shape in shapes], np.float32),
            lids * np.array(opened, np.float32),
        )
        known = self._known.get(identity)
        if known is not None:
            known.follow(look, time)
        if known is None or not lately(time - known.mixed, MIXING_INTERVAL):
            colours, weight = colours_of(crop, points, look.trust * look.opened, zoom)
            if known is None:
                colours = np.nan_to_num(colours)
                paint = paint_of(colours, small, moved)
                look = look._replace(faint=look.opened * look.faint)
                known = _Memory(colours, weight, weight, paint, time, *look[:-1], 1, time)
                self._known[identity] = known
            else:
                known.average(colours, weight, time)
                known.paint = paint_of(known.colours, small, moved)
        left, right = known.present(look).tolist()
        narrow = step(*NARROW, known.roundness[0]), step(*NARROW, known.roundness[1])
        faint = float(known.faint[0]), float(known.faint[1])
        return Eyes(moved, opened, (left, right), lids, faint, narrow, known.paint, soft)
