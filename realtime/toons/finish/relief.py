"""Light and shade on a face's own relief, as a film's renderer gives them.

A network that learns from mean errors draws skin evenly lit, which is taken for a retouched photo.
The landmarks' depth says how the face is curved; a soft key light from the side from which the toon
is lit, and its gloss, make a solid head of it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW, EYE
from engines.faces.pixels import Floats, mix, smoothstep, step
from engines.pictures import FloatMask
from realtime.toons.finish.colour import COARSE, Field, as_lab, like_skin, shrink_mask
from realtime.toons.finish.drawn import Drawn
from realtime.toons.finish.surface import SOFT, Surface

HAIR = (-18.0, -8.0)  # L* by which hair above a face is darker than its skin .. skin
DARK = (-28.0, -8.0)  # L* by which a place is darker than skin: beard, no gloss .. skin, all
KEY = (0.55, -0.55, 0.75)  # where the key light is, if it is wholly to one side: right, down, front
LIT = 8.0  # L* for each unit of the normal, at which a face is clearly lit from one side
SHEEN, SHEEN_EDGE = 0.19, 8  # of the gloss: how strong, and how narrow (Blinn's exponent)
SPOT, SPOT_EDGE = 0.28, 30  # of its middle
CAMERA = np.array([0, 0, 1], np.float32)
EYES_AND_BROWS = [*EYE[0], *EYE[1], *BROW[0], *BROW[1]]
MILKY = (0.30, 0.55)
"""L* of the darkest of them in shares of the skin's: a clear picture .. one without any dark."""
DULL = 0.018  # how softly gloss lies on skin, in the crop's sides: a sharp nose is a stripe
GLOSS = (0.86, 0.94, 1.0)  # its colour, BGR
COVER = 0.6  # share of the skin's own light that gloss covers
SHADE = 0.18  # of what faces away from the key light
BRIDGE = 0.35  # share of the gloss that a nose gets: a network's is light already
NOSE, NOSE_LIT = 0.20, 0.3
"""Shade of the slopes of a nose, without which a network's is flat; and how much of it goes over
from the slope that is lit to the other one, in light from one side."""
NOSE_WARM = (1.3, 1.05, 0.65)  # how much of it blue, green and red lose
SHADED = (0.55, -0.1)  # cosine of the angle to it: lit .. in full shade
BELOW, HOLE = (3.0, 25.0), (55.0, 35.0)
"""L* by which skin is darker than its middle: no fill light .. all of it; nostrils get none."""
FILL = 0.25  # gain of the fill light there
LIFT, BRIGHT, SPARED = 0.06, (72.0, 88.0), 0.8
"""Gain of all skin, and L* over which a share of it is spared: it is light enough."""
VIVID, GROWING, FADES = (42.0, 26.0), 0.5, 0.4
"""Chroma that grows by that share less .. as light does, and the share by which it grows less in
deep shade: folds would be orange."""
YELLOWER = (0.10, 0.85)
"""Sine of the angle by which a hue may be yellower than skin's, and how much of more than that
goes."""
EVEN = 1.0  # how softly that lies, in places of `COARSE`
WARM = (1.15, 1.0, 0.8)  # how much of it blue, green and red lose: red light goes through skin


class Relief(NamedTuple):
    """Where a toon's face may be lit.

    Attributes:
        surface: of the face.
        face: float32 [COARSE, COARSE] in [0, 1], where there is a face, and nothing of another
            colour before it.
        bare: the same without eyes, brows and lips.
        skin: the same without what is as dark as a beard.
        plain: the same without the nose.
        wide: `face` as far as its skin goes on above the landmarks, without hair.
    """

    surface: Surface
    face: FloatMask
    bare: FloatMask
    skin: FloatMask
    plain: FloatMask
    wide: FloatMask


def relief_of(surface: Surface, drawn: Drawn, lab: Field, skin: NDArray[np.float32]) -> Relief:
    """What of a face is skin.

    Args:
        surface: of the face.
        drawn: the toon.
        lab: float32 [COARSE, COARSE, 3], CIELAB of the toon.
        skin: L, a, b of its skin, see `Surface.colour`.
    """
    like = cv2.GaussianBlur(like_skin(lab, skin), (0, 0), SOFT * COARSE)
    like = np.asarray(like * shrink_mask(drawn.head), np.float32)
    light = np.asarray(like * smoothstep(*DARK, lab[..., 0] - skin[0]), np.float32)
    wide = np.maximum(surface.face, surface.wide * smoothstep(*HAIR, lab[..., 0] - skin[0])) * like
    face, bare = surface.face * like, surface.bare * like
    lighter, plain = surface.bare * light, surface.plain * light
    return Relief(surface, face, bare, lighter, plain, np.asarray(wide, np.float32))


def lamp_of(
    relief: Relief, drawn: Drawn, toon: Floats, photo: Floats
) -> NDArray[np.float32] | None:
    """The light in which a face is, float32 [2]: from where it comes, -1 the frame's left .. 1 its
    right, as the toon says, and how clear it is, 0 for fog and milky cameras .. 1, as the photo
    says. None where hardly any skin is seen.

    Args:
        relief: of the face.
        drawn: its toon.
        toon, photo: float32 [COARSE, COARSE], L* of both.
    """
    weight, across = relief.skin, relief.surface.facing[..., 0]
    total, shown = float(weight.sum()), relief.surface.photo
    if min(total, float(shown.sum())) < 1:
        return None
    off = across - float((weight * across).sum()) / total
    slope = float((weight * off * toon).sum()) / max(float((weight * off * off).sum()), 1e-3)
    skin = float(np.median(photo[shown >= 0.5 * shown.max()]))
    clear = 1 - step(*MILKY, _darkest(drawn) / max(skin, 1.0))
    return np.array([np.tanh(slope / LIT), clear], np.float32)


def _darkest(drawn: Drawn) -> float:
    """L* of the darkest about a photo's eyes and brows."""
    crop = drawn.crop
    low, high = (
        np.clip(np.rint(edge(drawn.points[EYES_AND_BROWS, :2], 0) * len(crop)), 0, len(crop))
        for edge in (np.min, np.max)
    )
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    if right - left < 2 or bottom - top < 2:
        return 0.0
    half = np.ascontiguousarray(crop[top:bottom:2, left:right:2])  # every other one is enough
    grey = cv2.cvtColor(half, cv2.COLOR_BGR2GRAY)
    dark = np.full((1, 1, 3), np.percentile(grey, 1), np.float32)
    return float(as_lab(dark)[0, 0, 0])


def fill_field(relief: Relief, toon: Field, lamp: NDArray[np.float32]) -> Field:
    """What to add to a toon for a fill light on the skin of its face, as films light their
    characters: no part of it lies in deep shade. Colours grow with it, but those that are strong
    already would burn. In fog and before milky cameras there is none, or a face would glow above
    its neck.

    Args:
        relief: of the face.
        toon: float32 [COARSE, COARSE, 3] BGR, 0..255.
        lamp: see `lamp_of`.

    Returns:
        float32 [COARSE, COARSE, 3] BGR, 0..255 scale.
    """
    shown = np.clip(toon, 0, 255).astype(np.float32)
    lab = as_lab(shown)
    light, chroma = lab[..., 0], cv2.magnitude(lab[..., 1], lab[..., 2])
    plain = relief.plain >= 0.5 * relief.plain.max()
    middle = np.median(light[plain])
    dark = np.float32(middle) - light
    below = smoothstep(*BELOW, dark) * smoothstep(*HOLE, dark)
    masks = np.dstack([relief.skin, relief.face, relief.wide, below])
    skin, face, wide, below = np.moveaxis(cv2.GaussianBlur(masks, (0, 0), EVEN), -1, 0)
    lift = np.maximum((skin + face) / 2, wide - face)  # lips, which are not skin, gain half
    bright = SPARED * smoothstep(*BRIGHT, light)
    gain = 1 + lamp[1] * (LIFT * (1 - bright) * lift + FILL * below * wide)
    lab[..., 0] = np.minimum(light * gain, 100)
    growth = 1 - GROWING * (1 - smoothstep(*VIVID, chroma)) - FADES * below
    lab[..., 1:] *= (1 + (gain - 1) * growth)[..., None]
    own = np.median(lab[plain], 0)
    lab[..., 1:] = _no_greener(lab[..., 1:], own[1:], skin)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR) * np.float32(255) - shown, np.float32)


def _no_greener(colours: Floats, skin: Floats, where: FloatMask) -> Floats:
    """Colours a, b [h, w, 2] whose hue is hardly yellower than skin's, a, b [2], without loss of
    chroma: where light burns a photo's skin it does so, and greenish stains are left of it when
    shade is laid there."""
    own = skin / max(float(np.hypot(*skin)), 1e-3)
    along, off = cv2.split(cv2.transform(colours, np.array([own, [-own[1], own[0]]], np.float32)))
    chroma = cv2.magnitude(along, off)  # `off` is above 0 where it is yellower
    over = np.maximum(off - np.float32(YELLOWER[0]) * chroma, 0) * where * (along > 0)
    kept = off - np.float32(YELLOWER[1]) * over
    along = np.where(over > 0, np.sqrt(np.maximum(chroma * chroma - kept * kept, 0)), along)
    back = np.array([[own[0], -own[1]], [own[1], own[0]]], np.float32)
    return np.asarray(cv2.transform(cv2.merge([along, kept]), back), np.float32)


def relief_field(relief: Relief, toon: Field, lamp: NDArray[np.float32]) -> Field:
    """What to add to a toon to light the skin of its face.

    Args:
        relief: of the face.
        toon: float32 [COARSE, COARSE, 3] BGR, 0..255.
        lamp: see `lamp_of`; in fog nothing shines.

    Returns:
        float32 [COARSE, COARSE, 3] BGR, 0..255 scale.
    """
    side, clear = (float(value) for value in lamp)
    key = _unit(np.array(KEY) * (side, 1, 1))
    half = _unit(key + CAMERA)  # Blinn, "Models of Light Reflection" (1977)
    towards, lit = cv2.split(cv2.transform(relief.surface.facing, np.stack([half, key])))  # cosines
    towards = np.maximum(towards, 0)
    skin = mix(relief.plain, relief.skin, BRIDGE)
    sharp = skin * (SHEEN * towards**SHEEN_EDGE + SPOT * towards**SPOT_EDGE)
    gloss = clear * relief.surface.front * cv2.GaussianBlur(sharp, (0, 0), DULL * COARSE)
    face = (1 + clear) / 2 * relief.face
    shade = SHADE * face * smoothstep(*SHADED, lit)
    left, right = cv2.split(relief.surface.flanks)
    nose = NOSE * face * ((1 + NOSE_LIT * side) * left + (1 - NOSE_LIT * side) * right)
    shaded = toon * (1 - shade[..., None] * np.array(WARM, np.float32))
    shaded *= 1 - nose[..., None] * np.array(NOSE_WARM, np.float32)
    glossy = shaded + gloss[..., None] * (255 * np.array(GLOSS, np.float32) - COVER * shaded)
    return np.asarray(glossy - toon, np.float32)


def _unit(vector: NDArray[np.floating]) -> Floats:
    """A vector [3] of length 1."""
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
