"""Lids that are shut, and skin over what a network drew of eyes beside the painted ones.

In a blink a network that was taught open eyes leaves half an eye now and then, most often the far
one of a turned head. So the eye is covered with the skin about it, and a shut one is drawn there.
Below an open eye it leaves whites and lashes of its own, larger one, and a photo's bags.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engines.faces.eyes.paint import EyePaint
from engines.faces.eyes.painted import along_lid, distance_to
from engines.faces.eyes.shape import CREASE_MARGIN, EyeShape, between, spline
from engines.faces.pixels import Floats, Reals, mix, smoothstep

MEETS = 0.80  # where shut lids meet: 0 at the upper one's place .. 1 at the lower one's
SAG = (0.07, 0.16)  # least and most that their line hangs, in widths of the eye
THICK = (0.017, 0.012)  # half of the thickness of their lashes, eye distances: least, and more
THINNEST = 0.7  # the same at least, pixels: a thinner line would fade
ROUND, ROUND_SHADE = 0.25, 0.36  # widths of the eye over which the lid above is round; its shade
COVERED = (0.06, 0.17)  # widths of the eye about its opening: all covered .. as it was
COVERED_BENEATH, BENEATH = (0.12, 0.24), (-0.02, 0.05)
"""The same below it, where a network opens narrow eyes too far; and how far below the line between
its corners that begins, in its widths: as above .. all of it."""
BAGS, BAGS_BENEATH = (0.06, 0.42), (0.05, 0.30)
"""The same of bags, which make round eyes tired, as far as they have the colour of skin."""
LEFT = 0.10
"""How much further shut lids are covered: a network may leave half an eye about them."""
REACH = 0.45  # the same in which skin is looked for
LIKE_SKIN = 0.20  # how far a colour, RGB in 0..1, may be from the skin's to count little
LOOKED_AT = 24  # pixels across an eye at which skin is spread over it
SPREAD, FARTHER = (0.06, 0.22), 0.03
"""By how much, in its widths: from beside, and where there is no skin from farther away, which
counts that little else. So what is laid meets what is about it without a seam."""


def shut(shape: EyeShape) -> EyeShape:
    """The same eye with its lids shut."""
    line = shape.upper + np.float32(MEETS) * (shape.lower - shape.upper)
    down = np.array([-shape.right[1], shape.right[0]], np.float32)
    chord = np.linspace(line[0], line[-1], len(line), dtype=np.float32)
    sag = np.clip((line[4] - chord[4]) @ down / max(shape.width, 1e-6), *SAG)
    along = np.linspace(0, 1, len(line), dtype=np.float32)[:, None]
    hanging = chord + 4 * along * (1 - along) * np.float32(sag * shape.width) * down
    return replace(shape, upper=hanging, lower=hanging, open=0.0, lowered=0.0)


def half_shut(shape: EyeShape, looks: float) -> EyeShape:
    """The same eye with its lids on their way: `looks` 0 shut .. 1 as it is."""
    if looks > 0.98:
        return shape
    line, share = shut(shape).upper, np.float32(looks)
    upper, lower = (line + share * (lid - line) for lid in (shape.upper, shape.lower))
    return replace(shape, upper=upper, lower=lower)


def covered(image: Floats, shape: EyeShape, skin: Reals, above: float = 1.0) -> Floats:
    """A picture whose eye, and bags below it, lie under the skin that is about them.

    Args:
        image: float32 [H, W, 3] RGB in 0..1, at least `REACH` widths about the eye where the
            picture is that large.
        shape: where the eye is.
        skin: the face's colour, [3]: hair and a wall beside it do not count.
        above: 0..1, how far that goes above the line between the eye's corners: upper lids of an
            eye that is drawn well stay.

    Returns:
        float32 [H, W, 3].
    """
    height, width = image.shape[:2]
    scale = min(LOOKED_AT / max(shape.width, 1.0), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    upper, lower = (
        (spline(curve) + 0.5) * np.float32(scale) - 0.5 for curve in (shape.upper, shape.lower)
    )
    outside = (between(upper, lower, size[::-1]) < 0.1).astype(np.uint8)
    far = cv2.distanceTransform(outside, cv2.DIST_L2, 5) / np.float32(shape.width * scale)
    away = ((small - np.asarray(skin, np.float32)) ** 2).sum(-1)
    far -= np.float32(LEFT * (1 - shape.open))
    like = np.exp(-away / LIKE_SKIN**2)
    counts = like * smoothstep(*COVERED, far) + np.float32(1e-6)
    counted = np.dstack([small * counts[..., None], counts])
    near, wide = (cv2.GaussianBlur(counted, (0, 0), s * shape.width * scale) for s in SPREAD)
    total = near + np.float32(FARTHER) * wide
    spread: Floats = total[..., :3] / total[..., 3:]
    spread = cv2.resize(spread, (width, height))
    beneath = _beneath(shape, upper, size)
    cover = smoothstep(*COVERED[::-1], far) * np.float32(above)
    left = smoothstep(*COVERED_BENEATH[::-1], far) * smoothstep(*BENEATH, beneath)
    cover = np.maximum(cover, left)
    bags = smoothstep(*BAGS[::-1], far) * smoothstep(*BAGS_BENEATH, beneath)
    cover = np.maximum(cover, bags * like)  # no rims of spectacles
    result, box = image.copy(), shape.box_in(image.shape, REACH)
    if box is not None:
        finer: Floats = cv2.resize(cover, (width, height))
        result[box] = mix(image[box], spread[box], finer[box])
    return result


def _beneath(shape: EyeShape, upper: Floats, size: tuple[int, int]) -> Floats:
    """How far each pixel of a picture of `size` (width, height) is below the line between the ends
    of an upper lid [N, 2] in it, in widths of the eye: float32 [height, width]."""
    start, across = upper[0], upper[-1] - upper[0]
    turned = np.sign(across @ np.array(shape.right, np.float32)) / max(float(across @ across), 1e-6)
    rows, columns = np.mgrid[: size[1], : size[0]].astype(np.float32)
    off = (rows - start[1]) * across[0] - (columns - start[0]) * across[1]
    return np.asarray(off * np.float32(turned), np.float32)


def paint_shut_eye(image: Floats, shape: EyeShape, paint: EyePaint) -> Floats:
    """Draw one shut eye over bare skin: the line of its lashes, and the lid's roundness above.

    Args:
        image: float32 [H, W, 3] RGB in 0..1.
        shape: where it is when it is open.
        paint: colours.
    """
    shape = shut(shape)
    box = shape.box_in(image.shape, CREASE_MARGIN)
    if box is None:
        return image
    region = image[box]
    line = spline(shape.upper) - np.array([box[1].start, box[0].start], np.float32)
    far = distance_to(region.shape[:2], line, 2)
    rows, columns = np.mgrid[: region.shape[0], : region.shape[1]].astype(np.float32)
    along = along_lid(line, rows, columns)
    tapered = smoothstep(-0.02, 0.15, along) * smoothstep(1.02, 0.65, along)
    half = max(paint.unit * (THICK[0] + THICK[1] * paint.lashes), THINNEST)
    thick = np.float32(half) * tapered
    lash = smoothstep(1, -1, (far - thick) / 0.5) * smoothstep(0.0, 0.6, thick)
    cos, sin = shape.right
    above = (rows - line[0, 1]) * cos - (columns - line[0, 0]) * sin < 0
    margin = np.float32(np.exp(-((CREASE_MARGIN / ROUND) ** 2)))  # none where the box ends
    round_ = above * np.maximum(np.exp(-((far / (ROUND * shape.width)) ** 2)) - margin, 0) * tapered
    region = mix(region, paint.skin_shadow, np.float32(ROUND_SHADE) * round_.astype(np.float32))
    colour = mix(paint.lash, np.ones(3, np.float32), paint.haze)
    result = image.copy()
    result[box] = mix(region, colour, np.float32(0.9) * lash)
    return result
