"""Toons into frames: masks, colour and paste-back as functions of arrays.

Masks and colour fields are made small (`GRID` pixels a side) in the crop's own coordinates, where
they are cheap; only the last step, `paste`, touches the frame, and only inside the toon's box.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import invert, pixel_matrix, shrink, transform_points
from engines.pictures import FloatMask, Image, Mask
from realtime.settings import Mode

Field = NDArray[np.float32]
"""Colours or colour differences: float32 [COARSE, COARSE, 3] BGR, 0..255 scale."""

GRID = 128  # side of masks
COARSE = 64  # side of colour fields


def smoothstep(low: float, high: float, value: NDArray) -> FloatMask:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


@lru_cache(maxsize=16)
def border_fade(size: int, width: float) -> FloatMask:
    """1 inside a square, falling to 0 at its border over `width`, a share of the side.

    float32 [size, size] with round corners; shared, so read-only.
    """
    at = np.abs((np.arange(size, dtype=np.float32) + 0.5) / size - 0.5)
    inner = np.clip(at - (0.5 - width), 0, None) / width
    distance = np.hypot(inner[:, None], inner[None, :])
    fade = smoothstep(0.0, 1.0, (1.0 - distance).astype(np.float32))
    fade.flags.writeable = False
    return fade


def oval_mask(landmarks: NDArray[np.floating], grow: float, feather: float) -> FloatMask:
    """The outline of a face, filled: the hull of its landmarks, so that a profile's nose is inside.

    Args:
        landmarks: [478, >=2], 0..1 across the crop.
        grow: how far beyond the outline the mask is full, share of the crop's side.
        feather: width of the soft edge outside that, share of the crop's side.

    Returns:
        float32 [GRID, GRID] in [0, 1].
    """
    points = np.clip(landmarks[:, :2], -1, 2) * GRID - 0.5
    outline = cv2.convexHull(np.rint(points * 16).astype(np.int32))
    mask = np.zeros((GRID, GRID), np.uint8)
    cv2.fillConvexPoly(mask, outline, 255, cv2.LINE_AA, shift=4)
    return soften(as_grid(mask), grow, feather)


def soften(mask: FloatMask, grow: float, feather: float) -> FloatMask:
    """A mask that is full `grow` beyond where it was, and fades over `feather` beyond that."""
    side = mask.shape[0]
    reach = max(round((grow + feather / 2) * side), 0)
    if reach:
        disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        mask = cv2.dilate(mask, disk).astype(np.float32)
    return cv2.GaussianBlur(mask, (0, 0), max(feather * side / 4, 0.3)).astype(np.float32)


def head_guess(landmarks: NDArray[np.floating]) -> FloatMask:
    """Where a head usually is, for engines that give no mask.

    Args:
        landmarks: [478, >=2], 0..1 across the crop.

    Returns:
        float32 [GRID, GRID] in [0, 1]: an ellipse about the face.
    """
    points = np.asarray(landmarks, np.float64)[:, :2]
    down = points[152] - points[10]
    height = np.hypot(*down)
    down /= max(height, 1e-6)
    centre = points[10] + down * height * 0.44
    rows, columns = (np.mgrid[0:GRID, 0:GRID].astype(np.float32) + 0.5) / GRID
    x, y = columns - centre[0], rows - centre[1]
    along, across = x * down[0] + y * down[1], x * down[1] - y * down[0]
    # A skull rises about a third of the face's height above the hairline landmark.
    radius = np.hypot(across / 0.58, np.where(along < 0, along / 0.85, along / 0.62)) / height
    return smoothstep(1.12, 0.95, radius.astype(np.float32))


def toon_mask(
    mode: Mode, landmarks: NDArray[np.floating], head: Mask | FloatMask | None
) -> FloatMask:
    """Where a crop's toon replaces the frame.

    A toon's outline is not the photo's: the skull is larger, the jaw narrower. Therefore the mask
    takes in both heads: the toon's, and the photo's face as far as it sticks out.

    Args:
        mode: see `realtime.settings.CompositingSettings`.
        landmarks: [478, >=2], 0..1 across the crop.
        head: [H, W] over the crop, the toon's head: uint8 0..255 or float32 0..1; None: unknown.

    Returns:
        float32 [GRID, GRID] in [0, 1].
    """
    # A chin may come close to the crop's border; it must be covered up to there.
    face = oval_mask(landmarks, 0.012, 0.05) * border_fade(GRID, 0.03)
    if mode == "face":
        return face
    if mode == "crop":
        return np.maximum(face, border_fade(GRID, 0.14))
    known = head_guess(landmarks) if head is None else as_grid(head)
    around = soften(smoothstep(0.1, 0.7, known), 0.012, 0.045) * border_fade(GRID, 0.07)
    return np.maximum(face, around)


def as_grid(mask: Mask | FloatMask) -> FloatMask:
    """A mask of any size, uint8 or float32, as float32 [GRID, GRID] in [0, 1]."""
    scale = np.float32(1 / 255 if mask.dtype == np.uint8 else 1)
    small = cv2.resize(mask, (GRID, GRID), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * scale


def colour_stats(image: Image, mask: FloatMask) -> NDArray[np.float32]:
    """Mean and standard deviation of L, a, b (float32 CIELAB) under a mask.

    Args:
        image: uint8 [H, W, 3] BGR.
        mask: float32 [GRID, GRID] of weights; must not be empty.

    Returns:
        float32 [2, 3].
    """
    lab = cv2.cvtColor(coarse(image) * np.float32(1 / 255), cv2.COLOR_BGR2LAB).reshape(-1, 3)
    shares = cv2.resize(mask, (COARSE, COARSE), interpolation=cv2.INTER_AREA).reshape(-1, 1)
    weight = shares[:, 0] / max(float(shares.sum()), 1e-6)
    mean = weight @ lab
    return np.stack([mean, np.sqrt(weight @ np.square(lab - mean))]).astype(np.float32)


def coarse(image: Image) -> Field:
    """An image [H, W, 3] as float32 [COARSE, COARSE, 3], 0..255."""
    factor = image.shape[0] // COARSE
    if factor * COARSE == image.shape[0]:
        return shrink(image, factor).astype(np.float32)
    return cv2.resize(image, (COARSE, COARSE), interpolation=cv2.INTER_AREA).astype(np.float32)


def match_field(
    toon: Image, have: NDArray[np.float32], want: NDArray[np.float32], amount: float
) -> Field:
    """What to add to a toon to give it the scene's light and colour.

    Reinhard et al. 2001, "Color Transfer between Images": mean and deviation per Lab channel. The
    contrast is kept within a fifth, and the field is smooth, so that no detail of the toon is lost.

    Args:
        toon: uint8 [R, R, 3] BGR.
        have: float32 [2, 3], see `colour_stats`, of toons.
        want: the same of the scene.
        amount: 0..1.

    Returns:
        float32 [COARSE, COARSE, 3] BGR, 0..255 scale.
    """
    small = coarse(toon)
    lab = cv2.cvtColor(small * np.float32(1 / 255), cv2.COLOR_BGR2LAB)
    gain = 1 + amount * (np.clip(want[1] / np.maximum(have[1], 1e-3), 0.8, 1.25) - 1)
    shift = np.clip(amount * (want[0] - have[0]), -20, 20)
    moved = ((lab - have[0]) * gain + have[0] + shift).astype(np.float32)
    moved[..., 0] = np.clip(moved[..., 0], 0, 100)
    return cv2.cvtColor(moved, cv2.COLOR_LAB2BGR).astype(np.float32) * 255 - small


def seam_field(photo: Image, toon: Field, keep: FloatMask, face: FloatMask) -> Field:
    """What to add to a toon's surroundings so that they meet the frame without a seam.

    The low-frequency difference between frame and toon, measured where neither shows a head, and
    carried on under the heads by normalised convolution (Knutsson and Westin 1993).

    Args:
        photo: uint8 [S, S, 3] BGR, the crop of the frame.
        toon: float32 [COARSE, COARSE, 3] BGR, 0..255.
        keep: float32 [GRID, GRID], where the toon stays as it is.
        face: float32 [GRID, GRID], where the photo shows a face.

    Returns:
        float32 [COARSE, COARSE, 3] BGR, 0..255 scale.
    """
    kept, shown = (
        cv2.resize(mask, (COARSE, COARSE), interpolation=cv2.INTER_AREA) for mask in (keep, face)
    )
    weight = ((1 - kept) * (1 - shown))[..., None]
    known = np.concatenate([(coarse(photo) - toon) * weight, weight], axis=2)
    fine = cv2.GaussianBlur(known, (0, 0), 2.5)
    wide = cv2.GaussianBlur(known, (0, 0), 8)
    total = fine + 0.05 * wide
    field = total[..., :3] / (total[..., 3:] + 1e-3)
    return (field * (1 - kept)[..., None]).astype(np.float32)


def paste(
    frame: Image,
    alpha: Mask,
    toon: Image,
    mask: FloatMask,
    transform: NDArray[np.floating],
) -> None:
    """Blend one toon into a frame, in place, touching only the box of its mask.

    Args:
        frame: uint8 [H, W, 3] BGR.
        alpha: uint8 [H, W], how much of each pixel is toon; raised where this toon lands.
        toon: uint8 [R, R, 3] BGR.
        mask: float32 [GRID, GRID] in [0, 1] over the toon.
        transform: [2, 3], from a crop of `GRID` x `GRID` to the frame.
    """
    rows, columns = np.flatnonzero(mask.max(1) > 0.002), np.flatnonzero(mask.max(0) > 0.002)
    if not rows.size:
        return
    left, right, top, bottom = columns[0] - 1, columns[-1] + 2, rows[0] - 1, rows[-1] + 2
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    placed = transform_points(corners, transform)
    limit = [frame.shape[1], frame.shape[0]]
    x0, y0 = np.clip(np.floor(placed.min(0)), 0, limit).astype(int)
    x1, y1 = np.clip(np.ceil(placed.max(0)), 0, limit).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    back = invert(transform).astype(np.float64)  # frame -> grid
    back[:, 2] += back[:, :2] @ [x0, y0]

    # Colour and mask travel together, in 8 bits: one warp, and products that OpenCV vectorises.
    layer = _with_alpha(_fit_scale(toon, back), mask)
    warped = cv2.warpAffine(
        layer,
        pixel_matrix(back * (layer.shape[0] / GRID)),
        (int(x1 - x0), int(y1 - y0)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    weight = cv2.extractChannel(warped, 3)
    weights = cv2.merge([weight] * 3)
    drawn = cv2.multiply(cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR), weights, scale=1 / 255)
    region = frame[y0:y1, x0:x1]
    region[...] = cv2.add(drawn, cv2.multiply(region, cv2.bitwise_not(weights), scale=1 / 255))
    covered = alpha[y0:y1, x0:x1]
    np.maximum(covered, weight, out=covered)


def _with_alpha(toon: Image, mask: FloatMask) -> Image:
    """A toon uint8 [R, R, 3] and its mask float32 [GRID, GRID] as uint8 [R, R, 4]."""
    small = cv2.convertScaleAbs(mask, alpha=255)
    grown = cv2.resize(small, toon.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.merge([toon, grown]).astype(np.uint8, copy=False)


def _fit_scale(toon: Image, back: NDArray[np.float64]) -> Image:
    """The toon at a size from which bilinear sampling neither aliases nor shows its own squares."""
    ratio = toon.shape[0] / GRID * float(np.hypot(*back[:, 0]))  # toon pixels per frame pixel
    if ratio > 1.5:
        side = max(round(toon.shape[0] / ratio), 1)
        return cv2.resize(toon, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)
    if ratio < 0.7:
        return cv2.resize(toon, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return toon


def add_field(toon: Image, field: Field) -> Image:
    """A toon uint8 [R, R, 3] plus a smooth field float32 [COARSE, COARSE, 3], saturated."""
    side = toon.shape[0]
    shift = cv2.resize(field, (side, side), interpolation=cv2.INTER_LINEAR)
    return cv2.add(toon, shift, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def coverage(alpha: Mask, landmarks: NDArray[np.floating]) -> float:
    """Share of a face's landmarks inside the picture that lie fully under toons; 1 if none do."""
    points = np.floor(np.asarray(landmarks)[:, :2]).astype(int)
    height, width = alpha.shape
    inside = (points >= 0).all(1) & (points[:, 0] < width) & (points[:, 1] < height)
    if not inside.any():
        return 1.0
    x, y = points[inside].T
    return float((alpha[y, x] >= 250).mean())
