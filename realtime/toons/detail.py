"""The frame's own finest detail in a toon: cloth and walls at full resolution, part of hair's.

A network sees a crop of a few hundred pixels and draws hair and walls softly, so a face would be
blurred where the toon is still the photo. The network says from where each place of the toon takes
the photo's detail, and how much of it; here that detail is taken from the frame, in place of the
network's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import pixel_matrix
from engines.faces.features import BROW
from engines.faces.pixels import Floats, polygon, smoothstep
from engines.pictures import FloatMask, Image
from realtime.compositing import GRID
from realtime.frame import as_uint8
from realtime.toons.places import moves, pixels, shifted, taken

WORTH = 0.6
"""Below this many frame pixels a pixel of the crop, a toon is so small that its own detail does,
but not its room's light: a pale rim about a head is seen at every size."""
LEAST_SHARE = 0.03
SPLIT = 4.0
"""Pixels of the crop: what is finer than that comes from the frame; a network draws it softly."""
BRUSHED = 0.6
"""Share of it that the head does without, hair above all: locks read as a film character's, single
hairs as a photo."""
BROWS = 0.5
"""Share of it in brows: a few hairs of one's own, or they look stuck on; more looks scratched."""
BROW_RIM = 0.008  # how softly a brow ends, in the crop's sides
BROW_ROOM = 0.14  # how far from its landmarks a toon can show a brow, in the crop's sides
BROW_BESIDE = 7  # places of a plan about it where its skin is looked for
BROW_DARK = (0.05, 0.16)  # by how much of the skin's light it is darker: none .. all of it
HEAD, BESIDE = (0.3, 0.8), 15
"""Of a head's mask: the room's .. the head's; and over how many places of it a room can be seen."""
FINE, STEP = 1.15, 64
"""Pixels of a toon that are kept for one of the frame, and the step of its sides: fine lines would
shimmer, had each frame another."""
CRISP, CRISP_RADIUS = 2.0, 0.006
"""Share of a toon's own contrast at edges that is added to it, and their width in its sides."""
HALO = 5  # pixels of a toon within which its lightest and darkest stay so, but for dark lines
INK = 0.5  # how much darker those may get, in shares of their depth


class Detail(NamedTuple):
    """Where a toon's finest detail comes from.

    Attributes:
        plan: float32 [3, M, M] over the crop: offset x, offset y in shares of its side, and how
            much of the detail is taken, 0..1.
        frame: uint8 [H, W, 3] BGR, the frame without toons.
        side: side of the crop that the network saw, pixels.
        room: float32 [M, M], where all of the light is the frame's, 0..1; None for nowhere.
    """

    plan: NDArray[np.float32]
    frame: Image
    side: int
    room: Floats | None = None


class Box(NamedTuple):
    """A box of a frame: upper left corner and size in pixels."""

    x: int
    y: int
    width: int
    height: int


def fitted(toon: Image, side: float) -> Image:
    """A toon, uint8 [R, R, 3], without pixels that a face of `side` frame pixels cannot show: all
    that follows takes as much less time."""
    size = STEP * max(math.ceil(FINE * side / STEP), 1)
    if size >= toon.shape[0]:
        return toon
    whole = toon.shape[0] // (toon.shape[0] // size)  # averaged by whole numbers, which is fast
    if whole < toon.shape[0]:
        toon = as_uint8(cv2.resize(toon, (whole, whole), interpolation=cv2.INTER_AREA))
    return as_uint8(cv2.resize(toon, (size, size), interpolation=cv2.INTER_LINEAR))


def sharpened(toon: Image) -> Image:
    """A toon, uint8 [R, R, 3], with lids, lips, brows and jaw as crisp as in the drawings that its
    network learned from: a network trained on the mean error draws edges softly, and without
    noise, which sharpening would bring out. Thin dark lines, as of ink, may get darker still. Only
    its light is sharpened: edges between colours would get coloured rims."""
    side = toon.shape[0]
    light = cv2.cvtColor(toon, cv2.COLOR_BGR2GRAY)
    half = cv2.resize(light, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    half = cv2.GaussianBlur(half, (0, 0), CRISP_RADIUS * side / 2)  # a third of the time
    soft = cv2.resize(half, (side, side), interpolation=cv2.INTER_LINEAR)
    crisp = cv2.addWeighted(light, 1 + CRISP, soft, -CRISP, 0)
    near = np.ones((HALO, HALO), np.uint8)  # nothing beyond what is there: no rims at edges
    limit = cv2.dilate(light, near)
    cv2.min(crisp, limit, dst=crisp)
    lines = cv2.subtract(cv2.erode(limit, near, dst=soft), light, dst=soft)
    cv2.erode(light, near, dst=limit)  # a new picture for each step would take half of the time
    cv2.addWeighted(limit, 1, lines, -INK, 0, dst=limit)
    cv2.max(crisp, limit, dst=crisp)
    change = cv2.subtract(crisp, light, dtype=cv2.CV_16S)
    return as_uint8(cv2.add(toon, cv2.merge([change] * 3), dtype=cv2.CV_8U))


def without(plan: NDArray[np.float32], where: Floats) -> NDArray[np.float32]:
    """A plan, see `Detail`, by which less detail is taken in some places.

    Args:
        plan: float32 [3, M, M].
        where: float32 [M, M], 0 as much .. 1 none.

    Returns:
        float32 [3, M, M]; `plan` itself where that is nowhere.
    """
    if not where.any():
        return plan
    result = plan.copy()
    result[2] *= 1 - where
    return result


def brushed(
    plan: NDArray[np.float32],
    head: FloatMask,
    locks: FloatMask | None = None,
    brows: FloatMask | None = None,
) -> NDArray[np.float32]:
    """A plan, see `Detail`, by which less detail is taken where a head is drawn, none in locks, and
    some in brows.

    Args:
        plan: float32 [3, M, M].
        head: float32 [GRID, GRID], where the head is.
        locks: float32 [GRID, GRID], where hair was painted (`realtime.toons.finish.locks`).
        brows: float32 [M, M], see `brows_of`.
    """
    size = (plan.shape[2], plan.shape[1])
    result = plan.copy()
    kept = 1 - BRUSHED * head
    if locks is not None:
        kept *= 1 - locks
    result[2] *= cv2.resize(kept, size, interpolation=cv2.INTER_AREA)
    if brows is not None:
        cv2.max(result[2], BROWS * brows, dst=result[2])
    return result


def brows_of(toon: Image, points: NDArray[np.floating], plan: NDArray[np.float32]) -> FloatMask:
    """Where a toon's brows are, float32 [M, M] in [0, 1]: not the skin about them, whose wrinkles
    a toon has not, nor the person's own lashes, which can lie below a toon's brow.

    Args:
        toon: uint8 [R, R, 3] BGR.
        points: [478, >=2], the face's landmarks, 0..1 across the crop.
        plan: float32 [3, M, M], see `Detail`.
    """
    places = plan.shape[1]
    at = np.asarray(points[:, :2] * places - 0.5, np.float32)
    high = at[[*BROW[0], *BROW[1]], 1]
    low, high = high.min() - BROW_ROOM * places, high.max() + BROW_ROOM * places
    rows = slice(max(int(low), 0), max(int(high), 0) + 1)
    brows = np.zeros((places, places), np.float32)
    small = cv2.resize(toon, (places, places), interpolation=cv2.INTER_LINEAR)  # it is smooth
    light = cv2.cvtColor(small[rows], cv2.COLOR_BGR2GRAY).astype(np.float32)
    outlines = [cv2.convexHull(at[list(ids)])[:, 0] for ids in BROW]
    both = np.dstack([polygon(places, outline, BROW_RIM * places) for outline in outlines])
    whence = (pixels(places) + moves(plan, places))[rows]
    if not len(whence):
        return brows
    for about in cv2.split(taken(both, np.asarray(whence, np.float32))):
        beside = cv2.dilate(about, np.ones((BROW_BESIDE, BROW_BESIDE), np.uint8)) > 0.5
        skin = np.percentile(light[beside], 85) if beside.any() else 0.0
        brow = about * smoothstep(*BROW_DARK, 1 - light / max(float(skin), 1.0))
        cv2.max(brows[rows], brow, dst=brows[rows])
    return brows


def room_about(head: FloatMask, plan: NDArray[np.float32], face: FloatMask) -> Floats:
    """Where a toon shows the room beside its head, float32 [M, M] in [0, 1]: a network draws a wall
    beside dark hair too light, which is seen as a halo.

    What comes from the photo's face is none of it, whatever the network says: nobody's own face may
    be seen.

    Args:
        head: float32 [GRID, GRID], where the toon's head is.
        plan: float32 [3, M, M], see `Detail`.
        face: float32 [GRID, GRID], where the photo shows the face.
    """
    places = plan.shape[1]
    near = cv2.dilate(head, np.ones((BESIDE, BESIDE), np.uint8))
    room, own = (
        np.asarray(cv2.resize(v, (places, places), interpolation=cv2.INTER_AREA), np.float32)
        for v in (near * (1 - smoothstep(*HEAD, head)), face)
    )
    return room * (1 - shifted(own, moves(plan, places)))


def add_detail(toon: Image, detail: Detail, box: Box, transform: NDArray[np.floating]) -> Image:
    """`toon` with the frame's detail in place of its own, as far as the network says.

    Only the detail of the light, as eyes see colours less finely.

    Args:
        toon: uint8 [h, w, 3] BGR, what is pasted into `box`.
        detail: what the network says.
        box: where in the frame.
        transform: [2, 3], from a crop of `GRID` x `GRID` to the frame.

    Returns:
        uint8 [h, w, 3]; `toon` itself where there is nothing to add.
    """
    linear = np.asarray(transform, np.float64)[:, :2]
    zoom = float(np.hypot(*linear[:, 0])) * GRID / detail.side  # frame pixels per crop pixel
    nothing = np.zeros_like(detail.plan[2])
    share = nothing if zoom < WORTH else detail.plan[2]
    room = nothing if detail.room is None else detail.room
    if max(float(share.max()), float(room.max())) < LEAST_SHARE:
        return toon
    by = np.tensordot(linear * GRID, detail.plan[:2], 1)  # in frame pixels
    reach = int(np.abs(by).max()) + 2
    left, top = max(box.x - reach, 0), max(box.y - reach, 0)
    frame = detail.frame[top : box.y + box.height + reach, left : box.x + box.width + reach]
    columns, rows, share, room = _placed([*by, share, room], box, transform)
    columns = columns + np.arange(box.width, dtype=np.float32) + (box.x - left)
    rows = rows + np.arange(box.height, dtype=np.float32)[:, None] + (box.y - top)
    taken = cv2.remap(
        cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY),
        columns,
        rows,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    light = cv2.cvtColor(toon, cv2.COLOR_BGR2GRAY)
    apart = np.asarray(cv2.subtract(taken, light, dtype=cv2.CV_32F), np.float32)
    share = cv2.max(share, room)
    change = cv2.multiply(apart, share)
    if zoom >= WORTH:
        coarse = cv2.multiply(_softened(apart, SPLIT * zoom), cv2.subtract(share, room))
        change = cv2.subtract(change, coarse)
    return as_uint8(cv2.add(toon, cv2.cvtColor(change, cv2.COLOR_GRAY2BGR), dtype=cv2.CV_8U))


def _placed(
    planes: Sequence[NDArray[np.floating]], box: Box, transform: NDArray[np.floating]
) -> Sequence[Floats]:
    """Four planes [M, M] of a crop in the pixels of a box: four of [h, w]."""
    placed = np.array(transform, np.float64)
    placed[:, :2] *= GRID / len(planes[0])
    placed[:, 2] -= (box.x, box.y)
    # So coarse a field is as smooth at half the pixels, in a third of the time.
    step = 2 if np.hypot(*placed[:, 0]) > 2 else 1
    width, height = (-(-length // step) + 1 for length in (box.width, box.height))
    matrix, found = pixel_matrix(placed / step), []
    for plane in planes:  # one by one: OpenCV splits pictures more slowly than it draws them
        coarse = cv2.warpAffine(
            np.asarray(plane, np.float32),
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        full = cv2.resize(coarse, (width * step, height * step), interpolation=cv2.INTER_LINEAR)
        found.append(full[: box.height, : box.width])
    return found


def _softened(image: Floats, width: float) -> Floats:
    """[h, w] without what is finer than `width` pixels."""
    soft, size = image, (image.shape[1], image.shape[0])
    for finest in (2.0, width) if width > 4 else (width,):  # halving first is faster
        fewer = tuple(max(round(length / finest), 1) for length in size)
        soft = np.asarray(cv2.resize(soft, fewer, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cv2.resize(soft, size), np.float32)
