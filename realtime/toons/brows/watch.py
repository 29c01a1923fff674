"""Two brows of one kind, that stay the same over time, and as bold as a film character's.

In dim light and in turned heads a network draws one brow in full and a smudge for the other, and
leaves wrinkles of the photo about them. A person's brows are mirror images. So a brow is looked at
in coordinates of its own, along its landmarks and across them, in which both look alike; the
clearer one is remembered, and one that lacks much of it is drawn as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import FACE_OVAL
from engines.faces.pixels import Floats, mix, polygon, smoothstep, step
from engines.pictures import FloatMask, Image
from realtime.toons.brows.bold import LEAST_SHARE, as_bold, brow_paint_of, changes_of, with_bold
from realtime.toons.brows.strips import (
    ACROSS,
    ALONG,
    DRAWN,
    FORESHORTENED,
    Strip,
    height_of,
    places_of,
    strips_of,
    within,
)
from realtime.toons.memory import Memory, lately, share_of
from realtime.toons.places import taken

MEMORY = 1.0  # seconds over which a clear brow is averaged
SURE = (0.05, 0.25)  # how clear what is remembered is: nothing is drawn .. all
LACKING = (0.30, 0.50)  # share of its darkness that a brow lacks: it stays .. it is drawn
UNLIKE = (0.75, 0.50)  # correlation with the person's brow: it stays .. it is drawn
REDRAWN = 1.3  # how much darker one is drawn than it is remembered, as averages are soft
PAINT_INTERVAL = 0.5  # seconds in which their colour is not looked at again
CLEARER = 0.2  # share of what is clear now that was not before, by which it is all the same
INTERVAL = 0.1  # seconds in which brows that are there are not looked at again
COMES = 0.3  # seconds in which a drawn one comes and goes
CORE = (0.02, 0.12)  # darkness: skin about a brow .. the brow


class Photo(NamedTuple):
    """What a toon was drawn from.

    Attributes:
        image: uint8 [S, S, 3] BGR.
        points: float32 [478, 2], the face's landmarks in it, 0..1.
        soft: how soft it is, in shares of its side, see `realtime.toons.softness`.
    """

    image: Image
    points: NDArray[np.float32]
    soft: float = 0.0


class _Paint(NamedTuple):
    """The colour of somebody's bold brows.

    Attributes:
        colour: see `brow_paint_of`.
        clear: how clearly they were seen, 0..1.
        time: when last, seconds.
    """

    colour: Floats
    clear: float
    time: float


@dataclass
class _Memory:
    """The brow of one person.

    Attributes:
        share: `Strip.alone`, as it was seen clearly, in the middle of the strip.
        clear: how clearly, 0..1.
        heights: how far below the middle of its strip each brow is, in its places.
        drawn: how much of each is drawn, 0..1.
        paint: of bold ones; None until they were asked for.
        change: what makes each bold, see `changes_of`; none before.
        time: when last, seconds.
    """

    share: Floats
    clear: float
    heights: Floats
    drawn: Floats
    paint: _Paint | None
    change: Sequence[Floats]
    time: float


class BrowWatch(Memory[_Memory]):
    """Knows the brows of everybody who is drawn, over time."""

    def even(
        self,
        identity: int,
        time: float,
        toon: Image,
        shown: NDArray[np.float32],
        trust: Sequence[float],
        places: int,
        photo: Photo | None = None,
    ) -> tuple[Image, FloatMask]:
        """A toon in which a brow that lacks much is as this person's clearer one.

        Args:
            identity: whose.
            time: of the frame, seconds.
            toon: uint8 [R, R, 3] BGR.
            shown: float32 [478, 2], the face's landmarks in it, 0..1.
            trust: 0..1 for each, how surely the eye below it is seen: what covers both is found
                by it, a hand on the brow alone is not.
            places: side M of what says where they were drawn.
            photo: what it was drawn from, to make both bold, in the colour that they have there.

        Returns:
            uint8 [R, R, 3], and where brows were drawn, float32 [M, M] in [0, 1]: none of the
            photo's detail belongs there. `toon` itself where none was and none became bold.
        """
        where = np.zeros((places, places), np.float32)
        last = self._known.get(identity)
        if last and lately(time - last.time, INTERVAL) and last.drawn.max() < 0.02:
            if photo is None:
                return toon, where  # nothing was lacking just now
            if last.change:  # it is none where bold brows were not wanted then
                return with_bold(toon, places_of(shown), last.change), where
        strips, change = strips_of(toon, shown), []
        paint = last.paint if last else None
        clear = [s.clear * s.length * sure for s, sure in zip(strips, trust, strict=True)]
        if photo is not None:
            paint = _remembered(last, time, strips, photo, max(clear))
            change = changes_of(strips, trust, paint.colour)
            toon = with_bold(toon, [strip.places for strip in strips], change)
            strips = [as_bold(*pair) for pair in zip(strips, change, strict=True)]
        known, now = self._learned(identity, time, strips, clear)
        known.paint, known.change = paint, change
        result = toon
        outline = shown[FACE_OVAL] * np.float32(places) - np.float32(0.5)
        face = polygon(places, outline, 1.0, -1.0)
        for brow, strip in enumerate(strips):
            wanted = _lowered(known.share, float(known.heights[brow]))
            lacks = _lacking(strip, wanted) * step(*SURE, known.clear)
            known.drawn[brow] += now * (lacks - known.drawn[brow])
            amount = trust[brow] * step(*FORESHORTENED, strip.length) * known.drawn[brow]
            if amount < 0.02:
                continue
            # Beside hair no skin is drawn about a brow.
            about = np.maximum(smoothstep(*CORE, 1 - wanted.mean(2)), strip.free)
            weight = np.asarray(amount * DRAWN * strip.bare.max(0) * about, np.float32)
            weight *= taken(face, strip.places * np.float32(places) - np.float32(0.5))
            share = np.maximum(1 - REDRAWN * (1 - wanted), LEAST_SHARE)
            box, at = within(strip.places, toon.shape[0])
            if not at.size:
                continue
            if result is toon:
                result = toon.copy()
            drawn = mix(result[box], taken(strip.skin * share, at), taken(weight, at))
            result[box] = np.rint(drawn).astype(np.uint8)
            box, at = within(strip.places, places)
            if at.size:
                where[box] = np.maximum(where[box], taken(weight, at))
        return result, where

    def _learned(
        self, identity: int, time: float, strips: Sequence[Strip], clear: Sequence[float]
    ) -> tuple[_Memory, float]:
        """What is known of a person's brows with their newest toon, in which each is so `clear`,
        and how far to go at once from what was drawn last towards what is wanted now, 0..1."""
        best = int(clear[1] > clear[0])
        heights = np.array([height_of(strip.alone) for strip in strips], np.float32)
        # One that is hardly seen is where the other one is.
        heights += (1 - np.array(clear) / max(*clear, 1e-6)) * (heights[best] - heights)
        seen = _lowered(strips[best].alone, -float(heights[best]))
        known = self._known.get(identity)
        if known is None:
            known = _Memory(seen, clear[best], heights, np.zeros(2, np.float32), None, [], time)
            self._known[identity] = known
            return known, 1.0
        elapsed = time - known.time
        share = share_of(elapsed, MEMORY)
        share *= clear[best] / max(clear[best], known.clear, 1e-6)
        known.share = mix(known.share, seen, share)
        known.clear += share * (clear[best] - known.clear)
        known.heights = mix(known.heights, heights, share)
        known.time = time
        return known, share_of(elapsed, COMES)


def _remembered(
    last: _Memory | None,
    time: float,
    strips: Sequence[Strip],
    photo: Photo,
    clear: float,
) -> _Paint:
    """The paint of a person's bold brows, averaged over time as far as a brow is `clear`, 0..1."""
    known = None if last is None else last.paint
    if known is not None:
        clearer = max(1 - known.clear / max(clear, 1e-6), 0.0)  # that was what hid them
        if clearer < CLEARER and lately(time - known.time, PAINT_INTERVAL):
            return known
    colour = brow_paint_of(strips, strips_of(photo.image, photo.points), photo.soft)
    if known is None:
        return _Paint(colour, clear, time)
    most = max(clear, known.clear)
    share = share_of(time - known.time, MEMORY) * clear / max(most, 1e-6)
    return _Paint(mix(known.colour, colour, max(share, clearer)), most, time)


def _lacking(strip: Strip, wanted: Floats) -> float:
    """0 where a toon shows a brow as it is wanted .. 1 where it lacks it, or something else is dark
    there."""
    dark, asked = strip.dark, 1 - wanted.mean(2)
    seen = strip.bare.max(0)
    lost = float((np.maximum(asked - dark, 0) * seen).sum() / max((asked * seen).sum(), 1e-6))
    dark, asked = dark - dark.mean(), asked - asked.mean()
    like = float((dark * asked).sum() / np.sqrt((dark**2).sum() * (asked**2).sum() + 1e-6))
    return step(*LACKING, lost) * step(*UNLIKE, like)


def _lowered(share: Floats, by: float) -> Floats:
    """A brow that is so many places lower in its strip."""
    move = np.array([[1, 0, 0], [0, 1, by]], np.float32)
    return np.asarray(
        cv2.warpAffine(share, move, (ALONG, ACROSS), borderValue=(1, 1, 1)), np.float32
    )
