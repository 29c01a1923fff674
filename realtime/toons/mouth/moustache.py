"""A moustache as the camera sees it: a network draws half of one, and blots of its ends."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import LIPS, NOSE_BASE
from engines.faces.pixels import Floats, blur, polygon, smoothstep, step
from engines.pictures import Image
from realtime.toons.finish.colour import as_lab, with_lab
from realtime.toons.finish.surface import EARS, frontness
from realtime.toons.places import box_about, taken

SIDES = (((165, 92), (205, 50, 36)), ((391, 322), (425, 280, 266)))
"""Landmarks where only a moustache is dark, not the shadow of a nose, and of the cheek beside:
light from aside darkens that as well."""
LOOK, LOOK_FOR_HAIRS = 0.02, 0.03  # how far about each of them, in widths of a face
DARK = (1.0, 0.9)  # light there in shares of the cheek's, where that is more: none .. a moustache
LIGHT, GREY = 0.5, (1.22, 1.12)
"""Chroma there, in the same shares, and so much of that light: shade, which leaves skin its colour
.. dark hair, which has hardly any."""
FINE = 0.012  # how fine hairs are, in widths of a face
HAIRS, MORE = (1.2, 1.7), (1.5, 2.0)
"""L* by which what is so fine differs from what is about it, in the middle (edges of shade do in
few places), and in shares of the cheek's: skin .. hair of any colour."""
OUTLINE = [129, 203, 206, 216, 212, 61, 0, 291, 432, 436, 426, 423, 358]
"""Landmarks about where a moustache can be, with its ends beside the mouth."""
RIM = 0.03  # how softly that ends, in widths of a face
NOSE_RIM, LIPS_RIM = 0.012, 0.006  # and at nose and lips
MARGIN = 0.14  # of the box about it
ABOUT = 0.10  # reach of the skin about a place, all in the same
LIKE_SKIN = (0.72, 0.88)  # light in shares of a face's skin: hair .. skin
HAIR = (0.08, 0.22)  # by which share of the skin's light hair is darker: none .. surely
DEEPEST = 0.30  # light in shares of the skin's, below which a film's hair is not black
GREYER = 0.7  # share of a photo's difference in colour from its skin: a film's hair is warmer
ENOUGH, SMOOTH = 120.0, 0.8
"""Places across a face of which one is made, and its softness in them: of paint, not of hairs."""
SMALLEST = 12  # pixels of the box below which it stays
FRONT = (0.2, 0.5)  # of a face that is turned far, landmarks say too little
LEAST = 0.02  # of 1: less is not painted


def moustache_in(photo: Image, at: Floats) -> float:
    """How surely one picture shows a moustache, 0..1: dark hair by its colour, hair of any colour
    by its hairs, where the picture is sharp enough to show them.

    Args:
        photo: uint8 [S, S, 3] BGR.
        at: float32 [478, 2], the face's landmarks in its pixels.
    """
    width = _width(at)
    box, low = box_about(
        photo, at[[id_ for side in SIDES for ids in side for id_ in ids]], 0.1 * width
    )
    lab, at = as_lab(photo[box]), at - low
    rough = np.abs(lab[..., 0] - blur(lab[..., 0], FINE * width))
    colours, hairs = [], []
    for lip, cheek in SIDES:
        hair, skin = (_middle(lab, at[list(ids)], LOOK * width) for ids in (lip, cheek))
        chroma = float(np.hypot(*hair[1:])) / max(float(np.hypot(*skin[1:])), 1.0)
        colours.append((chroma, float(hair[0]) / max(float(skin[0]), 1.0)))
        fine, even = (
            float(np.mean([_middle(rough, at[[one]], LOOK_FOR_HAIRS * width) for one in ids]))
            for ids in (lip, cheek)
        )
        hairs.append((fine, fine / max(even, 0.1)))
    chroma, light = np.max(colours, 0).tolist()
    fine, more = np.min(hairs, 0).tolist()
    hairy = step(*HAIRS, fine) * step(*MORE, more)
    return step(*DARK, light) * max(step(*GREY, chroma + LIGHT * light), hairy)


def with_moustache(
    toon: Image,
    photo: Image,
    plan: NDArray[np.float32],
    shown: NDArray[np.float32],
    sure: float,
) -> Image:
    """A toon with the moustache of its photo.

    Args:
        toon: uint8 [R, R, 3] BGR.
        photo: uint8 [S, S, 3] BGR, the same crop.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        shown: float32 [478, 2], the face's landmarks in the toon, 0..1.
        sure: how surely there is one, 0..1.

    Returns:
        `toon` itself where there is none.
    """
    sure *= step(*FRONT, frontness(shown))
    if sure < LEAST:
        return toon
    at = np.asarray(shown * np.float32(len(toon)) - np.float32(0.5), np.float32)
    width = _width(at)
    box, low = box_about(toon, at[OUTLINE], MARGIN * width)
    whole = as_lab(toon[box])
    if min(whole.shape[:2]) < SMALLEST:
        return toon
    fine = min(ENOUGH / width, 1.0)  # what is as soft as this can be made of fewer places
    lab = cv2.resize(whole, None, fx=fine, fy=fine, interpolation=cv2.INTER_AREA)
    size, at, width = (
        lab.shape[:2],
        np.asarray((at - low + 0.5) * fine - 0.5, np.float32),
        fine * width,
    )
    seen = as_lab(_photo_in(photo, plan, box, len(toon), size))
    about, own = _skin_about(seen, width), _skin_about(lab, width)
    light = seen[..., 0] / about[..., 0]
    where = smoothstep(*HAIR, 1 - light) * _place(at, size, width)
    wanted = own + np.float32(GREYER) * (seen - about)
    hair = own[..., 0] * np.maximum(light, np.float32(DEEPEST))
    wanted[..., 0] = np.minimum(hair, lab[..., 0])
    change = np.float32(sure) * where[..., None] * (wanted - lab)
    change = cv2.resize(change, whole.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return with_lab(toon, box, whole + change)


def _width(at: Floats) -> float:
    """Of a face, by its landmarks."""
    return max(float(np.hypot(*(at[EARS[1]] - at[EARS[0]]))), 1.0)


def _middle(picture: Floats, at: Floats, reach: float) -> Floats:
    """The median of a picture [h, w] or [h, w, C] about some places in its pixels."""
    around = max(round(reach), 1)
    found = []
    inside = np.clip(np.rint(at), 0, [picture.shape[1] - 1, picture.shape[0] - 1])
    for x, y in inside.astype(int).tolist():
        part = picture[max(y - around, 0) : y + around + 1, max(x - around, 0) : x + around + 1]
        found.append(part.reshape(-1, *picture.shape[2:]))
    return np.asarray(np.median(np.concatenate(found), 0), np.float32)


def _place(at: Floats, size: tuple[int, int], width: float) -> Floats:
    """Where a moustache can be, [h, w] in 0..1."""
    place = polygon(size, cv2.convexHull(at[OUTLINE])[:, 0], RIM * width)
    place *= 1 - polygon(size, cv2.convexHull(at[NOSE_BASE])[:, 0], NOSE_RIM * width)
    place *= 1 - polygon(size, at[LIPS], LIPS_RIM * width)
    return place


def _photo_in(
    photo: Image, plan: Floats, box: tuple[slice, slice], side: int, size: tuple[int, int]
) -> Image:
    """What a photo has where a box of a toon of so many pixels shows it, in a picture of `size`."""
    (top, bottom), (left, right) = ((one.start / side, one.stop / side) for one in box)
    rows, columns = (
        np.linspace(low, high, 2 * count + 1, dtype=np.float32)[1::2]  # the middles of places
        for low, high, count in ((top, bottom, size[0]), (left, right, size[1]))
    )
    at = np.dstack(np.meshgrid(columns, rows))
    offsets = np.ascontiguousarray(np.moveaxis(plan[:2], 0, -1))
    from_where = at + taken(offsets, at * np.float32(plan.shape[1]) - np.float32(0.5))
    found = taken(photo, from_where * np.float32(len(photo)) - np.float32(0.5))
    return np.asarray(cv2.GaussianBlur(found, (0, 0), SMOOTH), np.uint8)


def _skin_about(lab: Floats, width: float) -> Floats:
    """L, a, b of the skin about each place of a picture."""
    skin = max(float(np.percentile(lab[..., 0], 75)), 1.0)
    counts = smoothstep(*LIKE_SKIN, lab[..., 0] / skin) + np.float32(1e-3)
    near = blur(np.dstack([lab * counts[..., None], counts]), ABOUT * width)
    about: Floats = near[..., :3] / near[..., 3:]
    about[..., 0] = np.maximum(about[..., 0], 1)
    return about
