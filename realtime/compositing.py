"""What of a toon is shown in its frame: masks, as functions of arrays.

They are made small, `GRID` pixels a side, in the crop's own coordinates, where they are cheap; only
`realtime.toons.pasting` touches the frame.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import smoothstep
from engines.pictures import FloatMask, Mask
from realtime.settings import Mode

GRID = 128  # side of masks


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
    return soften(mask, grow, feather)


def soften(mask: Mask, grow: float, feather: float) -> FloatMask:
    """A mask that is full `grow` beyond where it was, and fades over `feather` beyond that.

    Args:
        mask: uint8 [S, S].
        grow: share of the side.
        feather: share of the side.

    Returns:
        float32 [S, S] in [0, 1].
    """
    side = mask.shape[0]
    reach = max(round((grow + feather / 2) * side), 0)
    if reach:
        # Whole numbers: OpenCV compares sixteen of them in the time of four floats.
        mask = cv2.dilate(mask, _disk(reach)).astype(np.uint8, copy=False)
    return cv2.GaussianBlur(
        mask.astype(np.float32) * np.float32(1 / 255), (0, 0), max(feather * side / 4, 0.3)
    ).astype(np.float32, copy=False)


@lru_cache(maxsize=16)
def _disk(reach: int) -> Mask:
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return disk.astype(np.uint8, copy=False)


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
    around = soften(_as_mask(smoothstep(0.1, 0.7, known)), 0.012, 0.045) * border_fade(GRID, 0.07)
    return np.maximum(face, around)


def head_share(mode: Mode, head: FloatMask) -> FloatMask:
    """What of a toon's picture is its head; the rest is the room that was drawn about it.

    Args:
        mode: see `realtime.settings.CompositingSettings`.
        head: float32 [GRID, GRID] in [0, 1], where its head is.

    Returns:
        float32 [GRID, GRID] in [0, 1]; 1 everywhere in mode crop, which wants the room.
    """
    if mode == "crop":
        return np.ones((GRID, GRID), np.float32)
    # Inwards: a little less hair is not seen, a rim of the wall is. Without the blur, the grid is.
    return smoothstep(0.5, 1.0, cv2.GaussianBlur(head, (0, 0), 0.9))


def as_grid(mask: Mask | FloatMask) -> FloatMask:
    """A mask of any size, uint8 or float32, as float32 [GRID, GRID] in [0, 1]."""
    if mask.shape != (GRID, GRID):
        mask = cv2.resize(mask, (GRID, GRID), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if mask.dtype == np.uint8:
        return mask.astype(np.float32) * np.float32(1 / 255)
    return mask.astype(np.float32, copy=False)


def _as_mask(mask: FloatMask) -> Mask:
    """A mask float32 in 0..1 as uint8 0..255."""
    return cv2.convertScaleAbs(mask, alpha=255).astype(np.uint8, copy=False)
