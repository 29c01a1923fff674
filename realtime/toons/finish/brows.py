"""Two brows of one kind, that stay the same over time.

In dim light and in turned heads a network draws one brow in full and a smudge for the other, and
leaves wrinkles of the photo about them. A person's brows are mirror images. So a brow is looked at
in coordinates of its own, along its landmarks and across them, in which both look alike; the
clearer one is remembered, and one that lacks much of it is drawn as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW_BOTTOM, BROW_TOP
from engines.faces.head import FACE_OVAL
from engines.faces.pixels import Floats, mix, polygon, smoothstep, step
from engines.pictures import FloatMask, Image
from realtime.toons.finish.surface import skin_of
from realtime.toons.memory import share_of
from realtime.toons.places import taken

ALONG, ACROSS = 56, 36  # places of a strip along a brow, from its outer end, and across, downwards
BEYOND = 0.15  # how far a strip goes on beyond its landmarks, in shares of their chord
ABOVE, BELOW = 0.042, 0.044  # how far it goes from their middle, in the crop's sides
RIM = 7  # places of it, above and below, over which it goes over into the skin about it
ENDS = 6  # places at its ends over which it goes over into what is there
LIGHT = (0.35, 0.60)  # of a strip's skin in shares of the face's: hair .. skin
RED = (-0.20, 0.10)  # by how much it is redder than blue, in shares of the face's: wall .. skin
GREY = 0.04  # the same of a face that says nothing
SOCKET = (0.40, 0.60)  # light below a brow in shares of that above: an eye, or hair .. skin
FAINT = (0.02, 0.07)  # mean darkness of a brow: none .. surely one
MEMORY = 1.0  # seconds over which a clear brow is averaged
SURE = (0.05, 0.25)  # how clear what is remembered is: nothing is drawn .. all
LACKING = (0.30, 0.50)  # share of its darkness that a brow lacks: it stays .. it is drawn
UNLIKE = (0.75, 0.50)  # correlation with the person's brow: it stays .. it is drawn
BOLD, LIGHTEST = 1.3, 0.15
"""How much darker one is drawn than it is remembered, as averages are soft; and share of skin that
is left where it is darkest."""
INTERVAL = 0.1  # seconds in which brows that are there are not looked at again
COMES = 0.3  # seconds in which a drawn one comes and goes
CORE = (0.02, 0.12)  # darkness: skin about a brow .. the brow
FORESHORTENED = (0.20, 0.40)  # length in shares of the other's: nothing is drawn .. all


class _Strip(NamedTuple):
    """One brow of a toon.

    Attributes:
        places: float32 [ACROSS, ALONG, 2], where its strip lies in the toon, 0..1.
        skin: float32 [ACROSS, ALONG, 3], BGR of the skin under it, 0..255.
        share: float32 [ACROSS, ALONG, 3], how much of it is seen, 0..1.
        alone: the same without hair that hangs into it.
        bare: float32 [2, ALONG] in [0, 1], where there is skin above and below, not hair or a wall.
        length: of its chord, in shares of the longer one's.
        clear: 0..1, how surely it is a brow.
    """

    places: Floats
    skin: Floats
    share: Floats
    alone: Floats
    bare: Floats
    length: float
    clear: float


@dataclass
class _Memory:
    """The brow of one person.

    Attributes:
        share: `_Strip.alone`, as it was seen clearly, in the middle of the strip.
        clear: how clearly, 0..1.
        heights: how far below the middle of its strip each brow is, in its places.
        drawn: how much of each is drawn, 0..1.
        time: when last, seconds.
    """

    share: Floats
    clear: float
    heights: Floats
    drawn: Floats
    time: float


class BrowWatch:
    """Knows the brows of everybody who is drawn, over time."""

    def __init__(self) -> None:
        self._known: dict[int, _Memory] = {}

    def even(
        self,
        identity: int,
        time: float,
        toon: Image,
        shown: NDArray[np.float32],
        trust: Sequence[float],
        places: int,
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

        Returns:
            uint8 [R, R, 3], and where brows were drawn, float32 [M, M] in [0, 1]: none of the
            photo's detail belongs there. `toon` itself where none was.
        """
        where = np.zeros((places, places), np.float32)
        last = self._known.get(identity)
        if last and 0 <= time - last.time < INTERVAL and last.drawn.max() < 0.02:
            return toon, where  # nothing was lacking just now
        strips = _strips(toon, shown)
        known, now = self._learned(identity, time, strips, trust)
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
            weight = np.asarray(amount * _DRAWN * strip.bare.max(0) * about, np.float32)
            weight *= taken(face, strip.places * np.float32(places) - np.float32(0.5))
            bold = np.maximum(1 - BOLD * (1 - wanted), LIGHTEST)
            box, at = _within(strip, toon.shape[0])
            if not at.size:
                continue
            if result is toon:
                result = toon.copy()
            drawn = mix(result[box], taken(strip.skin * bold, at), taken(weight, at))
            result[box] = np.rint(drawn).astype(np.uint8)
            box, at = _within(strip, places)
            if at.size:
                where[box] = np.maximum(where[box], taken(weight, at))
        return result, where

    def _learned(
        self, identity: int, time: float, strips: Sequence[_Strip], trust: Sequence[float]
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
            known = _Memory(seen, clear[best], heights, np.zeros(2, np.float32), time)
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

    def forget(self, but: Collection[int] = ()) -> None:
        """Forget everybody `but` some."""
        self._known = {k: v for k, v in self._known.items() if k in but}


def _rise(length: int, soft: int) -> Floats:
    """1 in the middle of so many places, 0 at both ends."""
    at = np.arange(length)
    return smoothstep(0, soft, at) * smoothstep(0, soft, at[::-1])


_INSIDE = _rise(ACROSS, RIM)[:, None]
_DRAWN = _INSIDE * _rise(ALONG, ENDS)
_DOWN = np.linspace(-ABOVE, BELOW, ACROSS, dtype=np.float32)
_ALONG = np.linspace(-BEYOND, 1 + BEYOND, ALONG, dtype=np.float32)


def _strips(toon: Image, shown: NDArray[np.float32]) -> list[_Strip]:
    """Both brows of a toon."""
    face = skin_of(toon, shown * np.float32(toon.shape[0]) - np.float32(0.5))
    strips = [
        _strip(toon, (shown[top] + shown[bottom]) / 2, face)
        for top, bottom in zip(BROW_TOP, BROW_BOTTOM, strict=True)
    ]
    longest = max(strip.length for strip in strips)
    return [strip._replace(length=strip.length / longest) for strip in strips]


def _strip(toon: Image, curve: Floats, face: Floats) -> _Strip:
    """A brow along a curve [5, 2] from its outer end, 0..1 across a toon, of somebody whose `face`
    has that colour, BGR; its length in the crop's sides."""
    chord = curve[-1] - curve[0]
    length, along, down = _axes(chord)
    off = curve - curve[0]
    bend = np.interp(_ALONG, off @ along / length, off @ down).astype(np.float32)
    middle = curve[0] + _ALONG[:, None] * chord + bend[:, None] * down
    places = np.asarray(middle + _DOWN[:, None, None] * down, np.float32)
    strip = taken(toon, places * np.float32(toon.shape[0]) - np.float32(0.5)).astype(np.float32)
    rims = np.stack([strip[: RIM - 2].mean(0), strip[2 - RIM :].mean(0)])
    rims = np.asarray(cv2.blur(rims, (9, 1)), np.float32)  # [2, ALONG, 3]
    bare = np.asarray(smoothstep(*LIGHT, rims.mean(2) / max(float(face.mean()), 1.0)))
    red = float(_redder(face))
    if red > GREY:
        bare = np.asarray(bare * smoothstep(*RED, _redder(rims) / red), np.float32)
    light = rims.mean(2)
    bare[1] *= smoothstep(*SOCKET, light[1] / np.maximum(light[0], 1))
    bare = np.asarray(cv2.blur(bare, (9, 1)), np.float32)
    lost = np.maximum(bare[::-1] - bare, 0)  # the other side's skin is the best guess there
    rims = mix(rims, rims[::-1], lost)
    below = np.linspace(0, 1, ACROSS, dtype=np.float32)[:, None, None]
    skin = mix(rims[:1], rims[1:], below)
    share = np.clip(strip / np.maximum(skin, 1), 0, 1)
    share = mix(np.ones_like(share), share, np.broadcast_to(_INSIDE, share.shape[:2]))
    both = bare.min(0)
    alone = mix(np.ones_like(share), share, np.broadcast_to(both, share.shape[:2]))
    dark = 1 - float(alone.mean())
    clear = step(*FAINT, dark * ACROSS / float(_INSIDE.sum())) * float(both.mean())
    return _Strip(places, skin, share, alone, bare, length, clear)


def _height(share: Floats) -> float:
    """How far below the middle of its strip a brow is, in its places."""
    dark = (1 - share).sum((1, 2))
    return float(dark @ (np.arange(ACROSS) - (ACROSS - 1) / 2) / max(float(dark.sum()), 1e-6))


def _lacking(strip: _Strip, wanted: Floats) -> float:
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


def _axes(chord: Floats) -> tuple[float, Floats, Floats]:
    """Length of a chord [2], and the unit vectors along it and down from it."""
    length = max(float(np.hypot(*chord)), 1e-3)
    along = np.asarray(chord / length, np.float32)
    down = np.array([-along[1], along[0]], np.float32) * np.sign(along[0])
    return length, along, down


def _redder(colour: Floats) -> Floats:
    """By how much colours [..., 3] BGR are redder than blue, -1..1."""
    blue, red = colour[..., 0], colour[..., 2]
    return np.asarray((red - blue) / np.maximum(red + blue, 1), np.float32)


def _within(strip: _Strip, side: int) -> tuple[tuple[slice, slice], Floats]:
    """The box of a strip in a picture of `side`, and which of its places each pixel there is,
    float32 [h, w, 2]: what `taken` wants."""
    start = strip.places[0, 0]
    length, along, down = _axes(strip.places[0, -1] - start)
    low = np.floor(strip.places.min((0, 1)) * side).astype(int)
    high = np.ceil(strip.places.max((0, 1)) * side).astype(int) + 1
    (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, side)
    right, bottom = max(right, left), max(bottom, top)
    x = (np.arange(left, right, dtype=np.float32) + 0.5) / side - start[0]
    y = (np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5) / side - start[1]
    u = (x * along[0] + y * along[1]) * np.float32((ALONG - 1) / length)
    bend = (strip.places[0] - start) @ down
    v = x * down[0] + y * down[1] - np.interp(u, np.arange(ALONG), bend)
    v = v * np.float32((ACROSS - 1) / (ABOVE + BELOW))
    area = slice(int(top), int(bottom)), slice(int(left), int(right))
    return area, np.dstack([u, v]).astype(np.float32)
