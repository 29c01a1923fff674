"""How surely a photo and its toon show each eye: a hand or dark glasses may cover it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.eyes.painted import IRIS_SCALE
from engines.faces.eyes.shape import EyeShape
from engines.faces.features import UPPER_LID
from engines.faces.pixels import Floats, smoothstep, step
from engines.pictures import Image

OPEN = (0.02, 0.07)  # how much darker than the white an iris is drawn: both shut .. one open
PAIR = (0.05, 0.18)  # the same: no eyes, but dark glasses .. surely eyes
DRAWN = (0.22, 0.36)  # the same of one eye, whatever the photo shows: none .. surely one
LESS, DARKER = 2.3, 4.2  # how much the evidence against and for an eye counts beside `likeness`
EVIDENCE = (-0.10, 0.10)  # a hand .. an eye
NEAR = 0.65  # the evidence that it gives for the near eye of a turned head to see the far one
NEARER = (1.35, 1.75)  # how much wider the near eye is: the head is hardly turned .. is turned
SIDES, TOP = [0, 1, 2, 21, 22, 23], [0, 1]  # columns and rows of those, where no lid moves
CHANGED = (0.25, 0.12)  # share of their light by which surroundings change: another thing .. same
LOOKED_AT = (24, 14)  # size in which the two eyes are compared, pixels


def trust(
    drawn: Sequence[float], shown: Sequence[float], alike: float, widths: Sequence[float]
) -> Floats:
    """0..1, how surely each eye is seen.

    A network draws the far eye of a turned or tilted head faintly, and half an eye onto a hand. So
    the photo counts as well: irises are darker than their whites, and two eyes are mirror images.
    The weights are fitted to 950 eyes of portraits and clips, of which 120 are behind hands, cups
    and phones. `benchmarks quality` counts the errors.

    Args:
        drawn: `darkness` of each in the toon.
        shown: the same in the photo.
        alike: `likeness` of both in the photo.
        widths: of both in the photo. Where the far eye of a turned head is seen, less evidence is
            asked for the near one: it seldom looks like its twin.
    """
    toon, photo = np.asarray(drawn), np.clip(shown, -0.05, 0.20)
    less = np.clip(toon - toon[::-1], -0.30, 0.0)
    evidence = LESS * less + DARKER * photo + alike
    near = int(widths[1] > widths[0])
    turned = step(*NEARER, widths[near] / max(widths[1 - near], 1e-6))
    evidence[near] += NEAR * turned * step(*EVIDENCE, evidence[1 - near])
    seen = [
        max(step(*EVIDENCE, at), step(*DRAWN, dark))
        for at, dark in zip(evidence, toon, strict=True)
    ]
    return np.asarray(step(*PAIR, float(toon.max())) * np.array(seen), np.float32)


def awake(drawn: Sequence[float]) -> float:
    """0 where a toon shows both eyes shut .. 1, from the `darkness` of each in it.

    In a quick blink it knows more than the landmarks, which leave the lids open.
    """
    return step(*OPEN, max(drawn))


def likeness(pair: Floats) -> float:
    """Correlation of a photo's two eyes, -1..1, from what `pair_of` gave."""
    first, second = ((eye - eye.mean()) / (eye.std() + 1) for eye in pair)
    return float((first * second).mean())


def around(pair: Floats) -> Floats:
    """How light a photo is about each eye, beside what lids move over: float32 [2, N], 0..255, from
    what `pair_of` gave."""
    return np.stack([np.concatenate([*eye[:, SIDES].T, *eye[TOP]]) for eye in pair])


def same_place(now: Floats, before: Floats) -> Floats:
    """0..1, how surely the same is about each eye as before, from what `around` gave: lids that
    shut leave their surroundings, a hand does not."""
    change = np.abs(now - before).mean(1) / (before.mean(1) + 1)
    return np.asarray(smoothstep(*CHANGED, change), np.float32)


def pair_of(crop: Image, points: NDArray[np.floating]) -> Floats:
    """Both eyes of a photo, grey, the second mirrored: float32 [2, h, w], 0..255.

    Args:
        crop: uint8 [S, S, 3] BGR, the photo.
        points: float [478, 2 or more], landmarks, 0..1 across it.
    """
    width, height = LOOKED_AT
    flat = np.array([[0, 0], [width - 1, 0], [0, height - 1]], np.float32)
    patches = []
    for upper, mirrored in zip(UPPER_LID, (False, True), strict=True):
        outer, inner = (
            np.asarray(points[corner, :2], np.float32) * crop.shape[0] - 0.5
            for corner in (upper[0], upper[-1])
        )
        across = inner - outer
        down = np.array([-across[1], across[0]]) * (-1 if mirrored else 1)
        start = outer - 0.25 * across - 0.45 * down
        placed = np.stack([start, start + 1.5 * across, start + 0.9 * down]).astype(np.float32)
        matrix = cv2.getAffineTransform(flat, placed)
        patch = cv2.warpAffine(
            crop, matrix, LOOKED_AT, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        grey = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.float32)
        patches.append(grey)
    return np.stack(patches)


def darkness(picture: Image, points: NDArray[np.float32], eye: int, opened: float) -> float:
    """How much darker a toon or photo, uint8 [S, S, 3] BGR, is where an iris would be painted than
    beside it, as a share of the light there; 0 where no eye can be painted."""
    side = picture.shape[0]
    shape = EyeShape.of(points * side - 0.5, eye, opened)
    left, top, right, bottom = shape.box(0.0)
    if opened < 0.05 or min(left, top) < 0 or max(right, bottom) > side:
        return 0.0
    size = (bottom - top, right - left)
    inside = shape.moved(-left, -top).opening(size)
    grey = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
    iris = np.hypot(columns - shape.centre[0], rows - shape.centre[1]) < IRIS_SCALE * shape.radius
    on, beside = inside * iris, inside * ~iris
    if min(on.sum(), beside.sum()) < 6:
        return 0.0
    white = float((grey * beside).sum() / beside.sum())
    return 1 - float((grey * on).sum() / on.sum()) / max(white, 1.0)
