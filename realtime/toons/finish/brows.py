"""Two brows of one kind, that stay the same over time, and as bold as a film character's.

In dim light and in turned heads a network draws one brow in full and a smudge for the other, and
leaves wrinkles of the photo about them. A person's brows are mirror images. So a brow is looked at
in coordinates of its own, along its landmarks and across them, in which both look alike; the
clearer one is remembered, and one that lacks much of it is drawn as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import FACE_OVAL
from engines.faces.pixels import Floats, mix, polygon, smoothstep, step
from engines.pictures import FloatMask, Image
from realtime.toons.finish.strips import (
    ACROSS,
    ALONG,
    DRAWN,
    Strip,
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
REDRAWN, LIGHTEST = 1.3, 0.15
"""How much darker one is drawn than it is remembered, as averages are soft; and share of skin that
is left where it is darkest."""
BOLD, THICKER = 1.2, (0.6, (5, 3))
"""How many times as dark bold brows are; and the share of that which they have beside them, within
so many places across and along."""
BOLD_ABOUT = 9.0  # places across a brow from its middle within which it is made bold
OWN_HUE = 0.5  # share of each place's own hue in it; else a thicker brow has a grey rim
HUE = (0.15, 0.35)  # darkness of what a brow's hue is taken from: none .. all
HAIRS = (0.03, 0.12)  # darkness: skin .. brow, which becomes bold
INTERVAL = 0.1  # seconds in which brows that are there are not looked at again
COMES = 0.3  # seconds in which a drawn one comes and goes
CORE = (0.02, 0.12)  # darkness: skin about a brow .. the brow
FORESHORTENED = (0.20, 0.40)  # length in shares of the other's: nothing is drawn .. all


@dataclass
class _Memory:
    """The brow of one person.

    Attributes:
        share: `Strip.alone`, as it was seen clearly, in the middle of the strip.
        clear: how clearly, 0..1.
        heights: how far below the middle of its strip each brow is, in its places.
        drawn: how much of each is drawn, 0..1.
        change: what makes each bold, see `_change`; none before.
        time: when last, seconds.
    """

    share: Floats
    clear: float
    heights: Floats
    drawn: Floats
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
        bold: bool = False,
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
            bold: make both darker and a little thicker, as a film character's.

        Returns:
            uint8 [R, R, 3], and where brows were drawn, float32 [M, M] in [0, 1]: none of the
            photo's detail belongs there. `toon` itself where none was and none became bold.
        """
        where = np.zeros((places, places), np.float32)
        last = self._known.get(identity)
        if last and lately(time - last.time, INTERVAL) and last.drawn.max() < 0.02:
            if not bold:
                return toon, where  # nothing was lacking just now
            if last.change:  # it is none where bold brows were not wanted then
                return _bolder(toon, places_of(shown), last.change), where
        strips, change = strips_of(toon, shown), []
        if bold:
            change = [_change(strip, sure) for strip, sure in zip(strips, trust, strict=True)]
            toon = _bolder(toon, [strip.places for strip in strips], change)
            strips = [_bold(*pair) for pair in zip(strips, change, strict=True)]
        known, now = self._learned(identity, time, strips, trust)
        known.change = change
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
            about = np.maximum(smoothstep(*CORE, 1 - wanted.mean(2)), strip.bare.min(0))
            weight = np.asarray(amount * DRAWN * strip.bare.max(0) * about, np.float32)
            weight *= taken(face, strip.places * np.float32(places) - np.float32(0.5))
            share = np.maximum(1 - REDRAWN * (1 - wanted), LIGHTEST)
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
        self, identity: int, time: float, strips: Sequence[Strip], trust: Sequence[float]
    ) -> tuple[_Memory, float]:
        """What is known of a person's brows with their newest toon, and how far to go at once from
        what was drawn last towards what is wanted now, 0..1."""
        clear = [
            strip.clear * strip.length * sure for strip, sure in zip(strips, trust, strict=True)
        ]
        best = int(clear[1] > clear[0])
        heights = np.array([_height(strip.alone) for strip in strips], np.float32)
        # One that is hardly seen is where the other one is.
        heights += (1 - np.array(clear) / max(*clear, 1e-6)) * (heights[best] - heights)
        seen = _lowered(strips[best].alone, -float(heights[best]))
        known = self._known.get(identity)
        if known is None:
            known = _Memory(seen, clear[best], heights, np.zeros(2, np.float32), [], time)
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


def _bolder(toon: Image, places: Sequence[Floats], changes: Sequence[Floats]) -> Image:
    """A toon, uint8 [R, R, 3], whose brows, at the `places` of their strips, are bold."""
    result = toon.copy()
    for at_strip, change in zip(places, changes, strict=True):
        box, at = within(at_strip, toon.shape[0])
        if at.size:
            drawn = result[box] * (1 + taken(change, at)) + 0.5
            result[box] = np.clip(drawn, 0, 255).astype(np.uint8)
    return result


def _bold(strip: Strip, change: Floats) -> Strip:
    """The same brow, bold."""
    return strip._replace(share=strip.share * (1 + change), alone=strip.alone * (1 + change))


def _change(strip: Strip, trust: float) -> Floats:
    """By how many times a strip's colours grow for a bold brow, at most 0: [ACROSS, ALONG, 3];
    `trust` as for `BrowWatch.even`."""
    dark = 1 - strip.share
    mean = dark.mean(2)
    hue = (dark / np.maximum(mean, 0.02)[..., None]).astype(np.float32)
    core = smoothstep(*HUE, mean)[..., None] + np.float32(1e-3)
    brow = (dark * core).sum((0, 1)) / max(float((mean[..., None] * core).sum()), 1e-3)
    about = cv2.dilate(mean, np.ones(THICKER[1], np.uint8))
    thick = cv2.GaussianBlur(np.maximum(mean, THICKER[0] * about), (0, 0), 0.7)
    wanted = np.float32(BOLD) * thick[..., None] * mix(brow, hue, OWN_HUE)
    gain = np.clip(1 - wanted, LIGHTEST, 1) / np.clip(strip.share, LIGHTEST, 1)
    middle = (ACROSS - 1) / 2 + _height(strip.alone)
    away = (np.arange(ACROSS, dtype=np.float32) - middle) / BOLD_ABOUT
    near = np.exp(-away * away)[:, None]
    weight = DRAWN * strip.bare.min(0) * near * smoothstep(*HAIRS, thick)
    weight *= np.float32(trust * strip.clear * step(*FORESHORTENED, strip.length))
    return np.asarray(weight[..., None] * (np.minimum(gain, 1) - 1), np.float32)


def _height(share: Floats) -> float:
    """How far below the middle of its strip a brow is, in its places."""
    dark = (1 - share).sum((1, 2))
    return float(dark @ (np.arange(ACROSS) - (ACROSS - 1) / 2) / max(float(dark.sum()), 1e-6))


def _lacking(strip: Strip, wanted: Floats) -> float:
    """0 where a toon shows a brow as it is wanted .. 1 where it lacks it, or something else is dark
    there."""
    dark, asked = 1 - strip.share.mean(2), 1 - wanted.mean(2)
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
