"""Brows in coordinates of their own, along their landmarks and across them, in which both look
alike."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW_BOTTOM, BROW_TOP
from engines.faces.pixels import Floats, mix, smoothstep, step
from engines.pictures import Image
from realtime.toons.finish.surface import colour_at, skin_of
from realtime.toons.places import taken

ALONG, ACROSS = 56, 36  # places of a strip along a brow, from its outer end, and across, downwards
BEYOND = 0.15  # how far a strip goes on beyond its landmarks, in shares of their chord
ABOVE, BELOW = 0.042, 0.044  # how far it goes from their middle, in the crop's sides
RIM = 7  # places of it, above and below, over which it goes over into the skin about it
ENDS = 6  # places at its ends over which it goes over into what is there
LIGHT = (0.35, 0.60)  # of a strip's skin in shares of the face's: hair .. skin
BESIDE, DIMMEST = ((108, 118, 50), (337, 347, 280)), 0.5
"""Landmarks of each brow's side of the face, whose shade is no hair; least share of the face's
light that such shade has."""
RED = (-0.20, 0.10)  # by how much it is redder than blue, in shares of the face's: wall .. skin
GREY = 0.04  # the same of a face that says nothing
SOCKET = (0.40, 0.60)  # light below a brow in shares of that above: an eye, or hair .. skin
FORESHORTENED = (0.20, 0.40)  # length in shares of the other's: nothing is drawn .. all
FAINT = (0.02, 0.07)  # mean darkness of a brow: none .. surely one


class Strip(NamedTuple):
    """One brow of a toon, or of a photo.

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

    @property
    def dark(self) -> Floats:
        """How dark it is, float32 [ACROSS, ALONG], 0 skin .. 1 black."""
        return np.asarray(1 - self.share.mean(2))

    @property
    def free(self) -> Floats:
        """Where there is skin on both sides, float32 [ALONG] in [0, 1]."""
        return np.asarray(self.bare.min(0))


def _rise(length: int, soft: int) -> Floats:
    """1 in the middle of so many places, 0 at both ends."""
    at = np.arange(length)
    return smoothstep(0, soft, at) * smoothstep(0, soft, at[::-1])


_INSIDE = _rise(ACROSS, RIM)[:, None]
DRAWN = _INSIDE * _rise(ALONG, ENDS)
_DOWN = np.linspace(-ABOVE, BELOW, ACROSS, dtype=np.float32)
ALONG_CHORD = np.linspace(-BEYOND, 1 + BEYOND, ALONG, dtype=np.float32)  # of places along a brow


def places_of(shown: NDArray[np.float32]) -> list[Floats]:
    """Where the strips of both brows lie, see `Strip`, for landmarks [478, 2]."""
    found = []
    for top, bottom in zip(BROW_TOP, BROW_BOTTOM, strict=True):
        curve = (shown[top] + shown[bottom]) / 2
        down = axes_of(curve[-1] - curve[0])[2]
        middle = on_brow(curve, ALONG_CHORD)
        found.append(np.asarray(middle + _DOWN[:, None, None] * down, np.float32))
    return found


def on_brow(curve: Floats, at: Floats) -> Floats:
    """Places on the curve of a brow, [5, 2] from its outer end: float32 [N, 2], `at` such shares of
    its chord, [N]."""
    chord = curve[-1] - curve[0]
    length, along, down = axes_of(chord)
    off = curve - curve[0]
    bend = np.interp(at, off @ along / length, off @ down).astype(np.float32)
    return np.asarray(curve[0] + at[:, None] * chord + bend[:, None] * down, np.float32)


def strips_of(toon: Image, shown: NDArray[np.float32]) -> list[Strip]:
    """Both brows of a toon, or of a photo.

    Args:
        toon: uint8 [R, R, 3] BGR.
        shown: float32 [478, 2], the face's landmarks in it, 0..1.
    """
    at = shown * np.float32(toon.shape[0]) - np.float32(0.5)
    face = skin_of(toon, at)
    strips = []
    for places, spots in zip(places_of(shown), BESIDE, strict=True):
        beside = colour_at(toon, at, spots)
        lit = min(max(float(beside.mean() / max(face.mean(), 1)), DIMMEST), 1.0)
        strips.append(_strip(toon, places, face, lit))
    longest = max(*(strip.length for strip in strips), 1e-6)
    return [strip._replace(length=strip.length / longest) for strip in strips]


def _strip(toon: Image, places: Floats, face: Floats, lit: float) -> Strip:
    """A brow whose strip lies at such `places`, of somebody whose `face` has that colour, BGR, and
    is so many times as light there; its length in the crop's sides, with what is `BEYOND` its
    chord."""
    strip = taken(toon, places * np.float32(toon.shape[0]) - np.float32(0.5)).astype(np.float32)
    rims = np.stack([strip[: RIM - 2].mean(0), strip[2 - RIM :].mean(0)])
    rims = np.asarray(cv2.blur(rims, (9, 1)), np.float32)  # [2, ALONG, 3]
    bare = np.asarray(smoothstep(*LIGHT, rims.mean(2) / max(lit * float(face.mean()), 1.0)))
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
    length = float(np.linalg.norm(places[0, -1] - places[0, 0]))
    return Strip(places, skin, share, alone, bare, length, clear)


def height_of(share: Floats) -> float:
    """How far below the middle of its strip a brow is, in its places."""
    dark = (1 - share).sum((1, 2))
    return float(dark @ (np.arange(ACROSS) - (ACROSS - 1) / 2) / max(float(dark.sum()), 1e-6))


def axes_of(chord: Floats) -> tuple[float, Floats, Floats]:
    """Length of a chord [2], and the unit vectors along it and down from it."""
    length = max(float(np.hypot(*chord)), 1e-3)
    along = np.asarray(chord / length, np.float32)
    down = np.array([-along[1], along[0]], np.float32) * np.sign(along[0])
    return length, along, down


def _redder(colour: Floats) -> Floats:
    """By how much colours [..., 3] BGR are redder than blue, -1..1."""
    blue, red = colour[..., 0], colour[..., 2]
    return np.asarray((red - blue) / np.maximum(red + blue, 1), np.float32)


def within(places: Floats, side: int) -> tuple[tuple[slice, slice], Floats]:
    """The box of a strip that lies at `places` in a picture of `side`, and which of those each
    pixel there is, float32 [h, w, 2]: what `taken` wants."""
    start = places[0, 0]
    length, along, down = axes_of(places[0, -1] - start)
    low = np.floor(places.min((0, 1)) * side).astype(int)
    high = np.ceil(places.max((0, 1)) * side).astype(int) + 1
    (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, side)
    right, bottom = max(right, left), max(bottom, top)
    x = (np.arange(left, right, dtype=np.float32) + 0.5) / side - start[0]
    y = (np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5) / side - start[1]
    u = (x * along[0] + y * along[1]) * np.float32((ALONG - 1) / length)
    bend = (places[0] - start) @ down
    v = x * down[0] + y * down[1] - np.interp(u, np.arange(ALONG), bend)
    v = v * np.float32((ACROSS - 1) / (ABOVE + BELOW))
    area = slice(int(top), int(bottom)), slice(int(left), int(right))
    return area, np.dstack([u, v]).astype(np.float32)
