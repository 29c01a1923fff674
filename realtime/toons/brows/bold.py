"""Brows as bold as a film character's.

A network draws them soft, in a brown that hardly differs between people, and often each in another
tone. So both are painted in one colour, where their own darkness says. How dark and how warm that
is, the photo says: black and fair brows stay what they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engines.faces.pixels import Floats, mix, smoothstep, step
from engines.pictures import Image
from realtime.toons.brows.strips import (
    ACROSS,
    ALONG_CHORD,
    DRAWN,
    FORESHORTENED,
    RIM,
    Strip,
    height_of,
    within,
)
from realtime.toons.finish.colour import as_lab, colourful
from realtime.toons.places import taken

BOLD, LEAST_SHARE = 1.5, 0.15
"""How many times as dark as the network's they are painted where the photo says nothing; and share
of skin that is left at least."""
OWN, SEEN = 0.75, (0.15, 0.60)
"""How far their colour is the photo's, not the toon's, and how clear its brows are for that: none
of it .. all."""
SOFT = (0.004, 0.001)  # softness of a photo: blur made its brows pale .. it counts
INSIDE, BETWEEN, PART = 4, slice(10, -10), 4
"""Places of a photo's brow that are looked at: so far across from its middle, and along it; and
the darkest of so many of them have its colour."""
WARM, REDDEST = (2.5, 3.0), (0.85, 1.0)
"""Least a* and b* of their paint, as dark brown that is made darker would be blue; and most a*, in
its b* and beyond: it would be purple."""
THICKER = (0.6, (5, 3))
"""The share of a place's darkness that those beside it get, within so many across and along."""
DARKEST_PERCENTILE, LEAST_DARK, LEAST = 97, 0.08, 0.5
"""Percentile of a brow's darkness with which its places are compared; what that is at least, and at
least in shares of the other brow's: what is left of a lost one is not made one."""
EVEN, ALONG_IT, PALE_END = 0.8, 7, 0.30
"""How far places are compared with the darkest across the brow there, within so many along it, so
that it has one tone; and what that is at least in shares of the whole brow's."""
SOLID = (0.55, 0.85)  # darkness, in that: what a network's colour is taken from, none .. all
CRISP = (0.14, 0.92)  # the same: skin .. full paint
TAPER, TAPERED = (0.72, 1.06), 0.5  # where its inner end fades, in its chords, and how far
PALER = 1.6  # how many times as light skin about it may become
ABOUT = 9.0  # places across a brow from its middle within which it is painted
CLEAR = (0.05, 0.35)  # how clear one is: it stays .. it is painted

_TAPERED = 1 - np.float32(TAPERED) * smoothstep(*TAPER, ALONG_CHORD)


def brow_paint_of(toon: Sequence[Strip], photo: Sequence[Strip], soft: float) -> Floats:
    """The one colour of both bold brows in shares of their skin, BGR float32 [3], from their strips
    in the toon and in the photo, which is so `soft`, in shares of its side, see
    `realtime.toons.softness`."""
    drawn, skin = _drawn(toon)
    seen = step(*SEEN, max(strip.clear for strip in photo)) * step(*SOFT, soft)
    share = np.maximum(1 - BOLD * (1 - drawn), LEAST_SHARE)
    share = np.maximum(mix(share, _own(photo), OWN * seen), LEAST_SHARE)
    paint, bare = as_lab(np.stack([share * skin, skin])[None])[0]
    paint[1:] = np.maximum(paint[1:], colourful(bare) * np.array(WARM))
    paint[1] = min(paint[1], REDDEST[0] * paint[2] + REDDEST[1])
    colour = cv2.cvtColor(paint[None, None], cv2.COLOR_LAB2BGR)[0, 0] * 255
    return np.asarray(np.clip(colour / skin, LEAST_SHARE, 1), np.float32)


def changes_of(strips: Sequence[Strip], trust: Sequence[float], paint: Floats) -> list[Floats]:
    """By how many times the colours of both strips grow for bold brows, less 1: float32
    [ACROSS, ALONG, 3] each.

    Args:
        trust: 0..1 for each, how surely nothing hides it.
        paint: see `brow_paint_of`.
    """
    darkest = [_darkest(strip) for strip in strips]
    found = []
    for strip, sure, most in zip(strips, trust, darkest, strict=True):
        whole = max(most, LEAST * max(darkest), LEAST_DARK)
        here = cv2.blur((strip.dark * strip.free).max(0, keepdims=True), (ALONG_IT, 1))
        dark = strip.dark / (whole + EVEN * (np.maximum(here, PALE_END * whole) - whole))
        about = cv2.dilate(dark, np.ones(THICKER[1], np.uint8))
        thick = cv2.GaussianBlur(np.maximum(dark, THICKER[0] * about), (0, 0), 0.7)
        amount = (smoothstep(*CRISP, thick) * _TAPERED)[..., None]
        gain = (1 + amount * (paint - 1)) / np.maximum(strip.share, LEAST_SHARE)
        middle = (ACROSS - 1) / 2 + height_of(strip.alone)
        away = (np.arange(ACROSS, dtype=np.float32) - middle) / ABOUT
        weight = DRAWN * strip.free * np.exp(-away * away)[:, None]
        weight *= np.float32(sure * step(*CLEAR, strip.clear) * step(*FORESHORTENED, strip.length))
        found.append(np.asarray(weight[..., None] * (np.minimum(gain, PALER) - 1), np.float32))
    return found


def with_bold(toon: Image, places: Sequence[Floats], changes: Sequence[Floats]) -> Image:
    """A toon, uint8 [R, R, 3], whose brows, at the `places` of their strips, see `Strip`, are bold;
    `changes` as `changes_of` gives them."""
    result = toon.copy()
    for at_strip, change in zip(places, changes, strict=True):
        box, at = within(at_strip, toon.shape[0])
        if at.size:
            drawn = result[box] * (1 + taken(change, at)) + 0.5
            result[box] = np.clip(drawn, 0, 255).astype(np.uint8)
    return result


def as_bold(strip: Strip, change: Floats) -> Strip:
    """The same brow, bold."""
    share, alone = (np.minimum(seen * (1 + change), 1) for seen in (strip.share, strip.alone))
    return strip._replace(share=share, alone=alone)


def _darkest(strip: Strip) -> float:
    """Darkness of the darkest of a brow, 0..1."""
    return float(np.percentile((strip.dark * strip.free)[RIM:-RIM], DARKEST_PERCENTILE))


def _own(strips: Sequence[Strip]) -> Floats:
    """The colour of a photo's brows in shares of their skin, BGR [3]: of the darkest of their hair,
    as black ones have none that is light, and fair ones none that is dark."""
    total, brow = 1e-3, np.full(3, 1e-3)
    for strip in strips:
        middle = round((ACROSS - 1) / 2 + height_of(strip.alone))
        dark = strip.share[max(middle - INSIDE, 0) : middle + INSIDE + 1, BETWEEN].reshape(-1, 3)
        dark = dark[np.argsort(dark.sum(1))[: len(dark) // PART]]
        weight = strip.clear * strip.length
        brow += weight * dark.mean(0)
        total += weight
    return np.asarray(brow / total, np.float32)


def _drawn(strips: Sequence[Strip]) -> tuple[Floats, Floats]:
    """The colour of a network's brows in shares of their skin, and that skin, BGR [3] in 0..255."""
    brow, skin, total = np.full(3, 1e-3), np.full(3, 1e-3), 1e-3
    for strip in strips:
        solid = smoothstep(*SOLID, strip.dark / max(_darkest(strip), LEAST_DARK)) * strip.free
        solid *= np.float32(strip.clear * strip.length)
        brow += (strip.share * solid[..., None]).sum((0, 1))
        skin += (strip.skin * solid[..., None]).sum((0, 1))
        total += float(solid.sum())
    share, skin = brow / total, np.maximum(skin / total, 1)
    return share.astype(np.float32), skin.astype(np.float32)
