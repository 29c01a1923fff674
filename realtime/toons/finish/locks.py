"""Hair as a film character has it: in locks, painted along the flow of the person's own hair.

A small network draws hair softly, and the frame shows single hairs, as a photo does. So the light
of the crop is smoothed along its flow (line integral convolution, after Cabral and Leedom, "Imaging
Vector Fields Using Line Integral Convolution", 1993), and takes the place of the finer part of the
toon's. Where nothing flows, as in fur, tight curls and patterns, there are no locks.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW_TOP
from engines.faces.head import CHEEK, CHIN, FACE_OVAL, FOREHEAD
from engines.faces.pixels import Floats, polygon, smoothstep
from engines.pictures import FloatMask, Image
from realtime.compositing import GRID
from realtime.frame import as_uint8
from realtime.toons.finish.colour import COARSE, Small, coarse, shrink_mask
from realtime.toons.finish.drawn import Drawn
from realtime.toons.memory import Memory, lately
from realtime.toons.places import moves, pixels, shifted

SIDE = 192
"""Pixels across the crop at which locks are painted, at most; finer ones would be hairs again."""
UNITS = 256  # of the lengths below, across the crop
STROKES = (1.3, 3.9)  # steps to both sides along the flow, one after the other
FLOW, STRANDS = 2.5, 9.0  # widths (sigma) over which the flow is that of one strand, of many
FLOWING = (0.40, 0.60)  # coherence of fur and tight curls, which would turn to worms; of strands
EVEN, DARK = (0.065, 0.085), 120  # spread of colours' shares of light, in hair; in a pattern
CRISP, CRISP_WIDTH = 2.2, 2.4  # share of the contrast across the flow that is added; its width
BROAD = 9.0  # width (sigma) above which light and shade stay the toon's
NEAR = 5  # within this window nothing gets lighter or darker than it was
LIKE_HAIR = (0.55, 0.72)  # distance of a colour from skin over its distances from skin and hair
UNLIKE_SKIN = (12.0, 22.0)  # distance of a colour from skin: one lit otherwise; hair
TAKEN = (0.03, 0.09)  # share of the frame's detail that a network takes in skin; in hair
EDGE = 0.75  # softness of outlines, pixels of `COARSE`
NECK = 0.45  # length of a neck, which has none, in heights of the face
INTERVAL = 0.15  # seconds between two looks for hair
LEAST = 0.05  # share of hair below which none is painted
FEWEST = 20  # pixels of hair, of `COARSE` squared, that tell its colour
NOISE = 2.4  # gradient, as the Scharr operator gives it, below which nothing flows
CHEEKS, OVER_BROWS = [*CHEEK[0], *CHEEK[1]], [9, 107, 108, 151, 336, 337]  # landmarks


class HairWatch(Memory[tuple[float, FloatMask]]):
    """Where everybody's hair is. It is looked for a few times a second: a crop moves with its
    face."""

    def see(self, identity: int, time: float, drawn: Drawn) -> FloatMask:
        """Where a person's newest toon has hair: float32 [COARSE, COARSE] in [0, 1].

        Args:
            identity: whose.
            time: of the frame, seconds.
            drawn: the toon, of an engine that gives a plan.
        """
        known = self._known.get(identity)
        if known is None or not lately(time - known[0], INTERVAL):
            known = self._known[identity] = time, _hair(drawn)
        return known[1]


def combed(drawn: Drawn, hair: FloatMask) -> tuple[Image, FloatMask]:
    """A toon with its hair in locks.

    Args:
        drawn: the toon, of an engine that gives a plan.
        hair: what `HairWatch.see` saw in it.

    Returns:
        The toon, and how far its hair is in locks: float32 [GRID, GRID] in [0, 1].
    """
    toon = drawn.toon
    if float(hair.max()) < LEAST:
        return toon, np.zeros((GRID, GRID), np.float32)
    assert drawn.plan is not None
    side = min(SIDE, toon.shape[0])
    size = (side, side)
    light, own = (
        as_uint8(
            cv2.resize(cv2.cvtColor(v, cv2.COLOR_BGR2GRAY), size, interpolation=cv2.INTER_AREA)
        )
        for v in (drawn.crop, toon)
    )
    along, flowing = _flow(light)
    where = np.asarray(cv2.resize(flowing * hair, (GRID, GRID)), np.float32)
    strokes = shifted(_stroked(light, along), moves(drawn.plan, side))
    apart = np.asarray(cv2.subtract(strokes, own, dtype=cv2.CV_32F), np.float32)
    broad = cv2.resize(apart, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    broad = cv2.resize(cv2.GaussianBlur(broad, (0, 0), BROAD * COARSE / UNITS), size)
    return _lit(toon, (apart - broad) * cv2.resize(where, size)), where


def _lit(toon: Image, by: Floats) -> Image:
    """A toon with so much more light, -255..255, [S, S]; in 8 bits, in a third of the time."""
    size, none = toon.shape[1::-1], np.zeros_like(by)
    for change, part in ((cv2.add, cv2.max(by, none)), (cv2.subtract, cv2.max(-by, none))):
        some = cv2.resize(cv2.convertScaleAbs(part), size, interpolation=cv2.INTER_LINEAR)
        toon = as_uint8(change(toon, cv2.cvtColor(some, cv2.COLOR_GRAY2BGR)))
    return toon


def _stroked(light: Image, along: Floats) -> Image:
    """Light, uint8 [S, S], smoothed along unit vectors [S, S, 2] and crisp across them."""
    scale = light.shape[0] / UNITS
    for step in STROKES:
        reach = along * np.float32(step * scale)
        both = cv2.addWeighted(shifted(light, reach), 0.5, shifted(light, -reach), 0.5, 0)
        light = as_uint8(cv2.addWeighted(both, 2 / 3, light, 1 / 3, 0))
    soft = cv2.GaussianBlur(light, (0, 0), CRISP_WIDTH * scale)
    crisp = cv2.addWeighted(light, 1 + CRISP, soft, -CRISP, 0)
    near = np.ones((NEAR, NEAR), np.uint8)  # or silhouettes would get rims
    return as_uint8(cv2.max(cv2.min(crisp, cv2.dilate(light, near)), cv2.erode(light, near)))


def _flow(light: Image) -> tuple[Floats, FloatMask]:
    """Unit vectors along the flow of light, uint8 [S, S]: [S, S, 2], and how surely it is one of
    strands: [COARSE, COARSE] in [0, 1]."""
    small = cv2.resize(light, (GRID, GRID), interpolation=cv2.INTER_AREA)
    gx, gy = (cv2.Scharr(small, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    tensor = cv2.merge([gx * gx, gx * gy, gy * gy])
    xx, xy, yy = cv2.split(cv2.GaussianBlur(tensor, (0, 0), FLOW * GRID / UNITS))
    across, twice = xx - yy, 2 * xy
    cosine = np.clip(across / (cv2.magnitude(across, twice) + np.float32(1e-3)), -1, 1)
    # Half of the angle, and at right angles to the gradient. Strokes go both ways: no sign counts,
    # but vectors of two signs must not be mixed.
    along = cv2.merge(
        [np.sqrt(0.5 - 0.5 * cosine), -np.copysign(np.sqrt(0.5 + 0.5 * cosine), twice)]
    )
    along = cv2.resize(along, light.shape[::-1], interpolation=cv2.INTER_NEAREST)
    # Each gradient counts by itself and not by its square, or one edge would speak for all hairs.
    even = tensor / (cv2.magnitude(gx, gy) + np.float32(1e-3))[..., None]
    even = cv2.resize(even, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    xx, xy, yy = cv2.split(cv2.GaussianBlur(even, (0, 0), STRANDS * COARSE / UNITS))
    coherence = cv2.magnitude(xx - yy, 2 * xy) / (xx + yy + np.float32(NOISE))
    return along, smoothstep(*FLOWING, coherence)


def _hair(drawn: Drawn) -> FloatMask:
    """Where a toon has hair: [COARSE, COARSE] in [0, 1].

    It has the colour of what lies above the brows beside the face rather than that of the cheeks,
    so a bald head has none. Skin takes hardly any of the frame's detail.
    """
    assert drawn.plan is not None
    at = np.asarray(drawn.points, np.float32)[:, :2] * COARSE
    down = at[CHIN] - at[FOREHEAD]
    down /= np.linalg.norm(down) + 1e-6
    brows = float((at[[point for ids in BROW_TOP for point in ids]] @ down).min()) - 0.03 * COARSE
    oval = at[FACE_OVAL]
    below = oval + np.maximum(brows - oval @ down, 0)[:, None] * down
    neck = below + NECK * (at[CHIN] - at[FOREHEAD])
    both = np.concatenate([below, neck])
    low = polygon(COARSE, cv2.convexHull(both)[:, 0], EDGE)
    head, taken = shrink_mask(drawn.head), shrink_mask(drawn.plan[2])
    lab, free = Small.of(drawn.toon).lab, head * (1 - low)
    above = pixels(COARSE) @ down < brows
    sure = above & (head > 0.9) & (polygon(COARSE, oval, EDGE) < 0.05)
    if sure.sum() < FEWEST:
        return np.zeros((COARSE, COARSE), np.float32)
    hair = np.median(lab[sure], 0)
    cheeks, brow = (np.median(_at(lab, at[ids]), 0) for ids in (CHEEKS, OVER_BROWS))
    from_hair, from_skin = (_apart(lab, colour) for colour in (hair, cheeks))
    if np.linalg.norm(brow - cheeks) < np.linalg.norm(brow - hair):  # no fringe hides it
        from_skin = np.minimum(from_skin, _apart(lab, brow))
    alike = smoothstep(*LIKE_HAIR, from_skin / (from_hair + from_skin + 1e-3))
    unlike = smoothstep(*UNLIKE_SKIN, from_skin)
    plain = _plain(coarse(drawn.crop), free * unlike)
    return alike * unlike * smoothstep(*TAKEN, taken) * free * plain


def _plain(bgr: Floats, where: FloatMask) -> FloatMask:
    """Whether a picture is of one colour there, dark or light, as hair is and a pattern is not:
    [COARSE, COARSE] in [0, 1]."""
    total = cv2.transform(bgr, np.ones((1, 3))) + np.float32(DARK)
    blue, red = bgr[..., 0] / total, bgr[..., 2] / total
    weight = where + np.float32(1e-3)
    planes = cv2.merge([weight, *(weight * v for v in (blue, blue * blue, red, red * red))])
    count, *sums = cv2.split(cv2.GaussianBlur(planes, (0, 0), 3))
    blue, blues, red, reds = (total / count for total in sums)
    spread = np.maximum(blues - blue * blue + reds - red * red, 0)
    return 1 - smoothstep(*EVEN, np.sqrt(spread))


def _apart(lab: Floats, colour: NDArray[np.floating]) -> Floats:
    """Distance of every pixel [S, S, 3] from a colour [3]: [S, S]; shade counts little."""
    apart = (lab - colour.astype(np.float32)) * np.array([0.4, 1.5, 1.5], np.float32)
    return np.sqrt(np.einsum("xyc,xyc->xy", apart, apart))


def _at(picture: Floats, places: NDArray[np.floating]) -> Floats:
    """The pixels [N, 3] of a picture [S, S, 3] at places [N, 2], or nearest to them."""
    x, y = np.clip(places.astype(int), 0, picture.shape[0] - 1).T
    return picture[y, x]
