"""Brows drawn again: the photo's are painted out and replaced by soft ones of the same colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.faces.build import heaviness
from engines.faces.features import BROW, BROW_BOTTOM, UPPER_LID
from engines.faces.head import Head
from engines.faces.pixels import Floats, Reals, blur, mix, polygon, smoothstep, step, to_lab, to_rgb
from engines.training.artist.imaging import masked_blur, union

GROWTH = 1.05  # of a brow: a film character's are a little larger
THINNEST = 0.03  # how far the outline of the thinnest brow is drawn in, in eye distances
ALIKE = 0.6  # how much the thicker brow counts where both are not the same
OWN = 0.8  # share of the photo's shape, the rest follows the eye below
SETTLED = (0.5, 1.4)  # of the deformation's lift that is undone, in light and in heavy faces
LEAST = 0.42  # opacity of a brow of which hardly a hair is seen: without brows no face has a mood
READABLE = 0.70  # the lightest a brow may be, L* in shares of the skin's: it must be seen
FULL = 75  # percentile of a brow's hair that counts as full
FAIREST = (0.45, 0.9)  # how faint that may be; from what on it is full as it is
HAIRS = (1.1, 9.0)  # how strongly a brow shows its own hairs, and by how much L* at most


@dataclass(frozen=True)
class Brows:
    """What the photo shows of the brows, in toon space."""

    cover: Floats  # [S, S] where the photo's brow must be painted out
    shape: Floats  # [S, S] opacity of the new brow
    hairs: Floats  # [S, S] L* by which its hairs differ from the brow around them
    colour: Floats  # [3] Lab


def find_brows(lab: Floats, skin: Floats, head: Head, points: Floats) -> Brows:
    """Opacity from the photo's own hair inside the landmarks' outline, evened out per brow.

    The deformation lifts a brow's middle over the larger eye, which would give everybody the same
    arch. So each brow is laid down in nearly the shape that it has in the photo.

    Args:
        lab: [S, S, 3] in toon space, brows arched by the deformation.
        skin: [S, S] of it.
        head: the photo's.
        points: toon landmarks [478, 3].
    """
    size, unit = lab.shape[0], head.unit
    light = lab[..., 0] / 100
    cover = union(polygon(size, points[ids], 0.055 * unit, 0.10 * unit) for ids in BROW)
    bare = np.clip(skin - cover * 1.5, 0, 1)
    around = masked_blur(light, bare, 0.16 * unit)
    visible = smoothstep(0.04, 0.16, blur(bare, 0.25 * unit))  # a fringe leaves nothing to repaint
    contrast = (around - blur(light, 0.010 * unit)) / (around + 0.05)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    usual = masked_blur(chroma, bare, 0.16 * unit)
    grey = smoothstep(0.92, 0.75, blur(chroma, 0.015 * unit) / (usual + 1))
    hair = np.maximum(
        smoothstep(0.05, 0.30, contrast), 0.8 * grey * smoothstep(0.0, 0.20, -contrast)
    )
    # The hair of fair brows differs little from the skin, but is as thick as any.
    full = hair
    inside = union(polygon(size, points[ids], -0.01 * unit) for ids in BROW) > 0.5
    if inside.any():
        full = np.clip(hair / np.clip(np.percentile(hair[inside], FULL), *FAIREST), 0, 1)
    shape, hairs, weight = np.zeros((3, size, size), np.float32)
    single = lab[..., 0] - blur(lab[..., 0], 0.022 * unit)
    owns = [_own_place(head, points, eye) for eye in range(2)]
    both = [_carried(full, points[ids, :2], own) for ids, own in zip(BROW, owns, strict=True)]
    shares = []
    for own, strands in zip(owns, both, strict=True):
        outline = polygon(size, own, 0.015 * unit, 0.018 * unit)
        shares.append(float((strands * outline).sum() / (outline.sum() + 1e-3)))
    # A shadow or a fringe hides hair of one brow; both of a person are equally thick.
    density = ALIKE * max(shares) + (1 - ALIKE) * min(shares)
    for ids, own, strands in zip(BROW, owns, both, strict=True):
        arched = points[ids, :2]
        # The landmarks know a brow's place, not how thin it is: that its hair says.
        outline = polygon(
            size, own, 0.015 * unit, (0.018 - THINNEST * step(0.75, 0.35, density)) * unit
        )
        thick = masked_blur(strands, outline, 0.07 * unit)  # single hairs would draw an edge
        thick = np.maximum(thick, 0.8 * density)
        body = LEAST + 0.10 * step(0.03, 0.28, density) + thick
        drawn = outline**0.8 * np.clip(body, 0, 1) * _tapered(size, own)
        shape = np.maximum(shape, drawn)
        hairs += _carried(single, arched, own) * outline
        weight = np.maximum(weight, polygon(size, arched) * hair)
    weight = weight**8 + 1e-6
    colour = (lab * weight[..., None]).sum((0, 1)) / weight.sum()
    return Brows(
        (cover * visible).astype(np.float32), (shape * visible).astype(np.float32), hairs, colour
    )


def _own_place(head: Head, points: Floats, eye: int) -> Floats:
    """Where a brow's landmarks [10, 2] go: in the photo's shape and larger. The deformation lifts
    them as the eye grows; in a heavy face that is a look of surprise, so there they lie closer to
    the eye than in the photo."""
    photo, arched = (p[BROW[eye], :2] for p in (head.landmarks, points))
    plain = (photo - photo.mean(0)) * GROWTH + arched.mean(0)
    before, after = (
        head.flat(p[UPPER_LID[eye]])[2:-2, 1].mean() - head.flat(p[BROW_BOTTOM[eye]])[:, 1].mean()
        for p in (head.landmarks, points)
    )
    share = float(np.interp(heaviness(head), (0, 1), SETTLED))
    lifted = max(share * (after - before), 0.0) * head.unit
    down = head.rotation[1, :2] / np.linalg.norm(head.rotation[1, :2])
    return np.asarray(OWN * plain + (1 - OWN) * arched + lifted * down, np.float32)


def _tapered(size: int, own: Reals) -> Floats:
    """1 along a brow, less towards its inner end, where hair begins thinly [S, S]."""
    outer, inner = own[[0, -1]].mean(0), own[[4, 5]].mean(0)
    axis = outer - inner
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    along = ((columns - inner[0]) * axis[0] + (rows - inner[1]) * axis[1]) / (axis @ axis)
    return 0.25 + 0.75 * smoothstep(-0.05, 0.24, along.astype(np.float32))


def _carried(hair: Floats, arched: Reals, own: Reals) -> Floats:
    """The hair of the arched brow in the brow's own shape: a quadratic map between landmarks."""
    size = hair.shape[0]
    middle, scale = own.mean(0), float(np.ptp(own, axis=0).max()) / 2

    def terms(x: Reals, y: Reals) -> Reals:
        return np.stack([np.ones_like(x), x, y, x * y, x * x], -1)

    x, y = ((own - middle) / scale).T
    solved = np.linalg.lstsq(terms(x, y), arched - own, rcond=1e-3)[0]
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    reach = 1.6  # half lengths: nothing of the brow lies outside, where the map means nothing
    x, y = (
        np.clip((v - m) / scale, -reach, reach)
        for v, m in zip((columns, rows), middle, strict=True)
    )
    source = np.stack([columns, rows], -1) + terms(x, y) @ solved
    source = source.astype(np.float32)
    return cv2.remap(hair, source[..., 0], source[..., 1], cv2.INTER_LINEAR)


def draw_brows(image: Floats, brows: Brows, skin_light: float) -> Floats:
    """Lay the new brows over a picture whose old ones are gone."""
    colour = brows.colour.astype(np.float32).copy()
    lightest = min(62, READABLE * skin_light)
    colour[0] = np.clip(0.88 * colour[0] + 0.05 * skin_light, 10, lightest)
    colour[1:] = colour[1:] * 0.9 + np.array([1.0, 2.0], np.float32) * smoothstep(
        2, 8, np.hypot(*colour[1:])
    )
    paint = np.broadcast_to(colour, image.shape).copy()
    paint[..., 0] += 6 * (blur(brows.shape, 1.5) - blur(brows.shape, 6.0))
    gain, most = HAIRS
    paint[..., 0] += most * np.tanh(brows.hairs * gain / most)
    return mix(image, to_rgb(mix(to_lab(image), paint, 0.94)), np.clip(brows.shape, 0, 0.95))
