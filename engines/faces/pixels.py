"""Small operations on pictures and masks, which are float32 in 0..1."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]  # float32; numpy's stubs widen it in most expressions
Reals: TypeAlias = NDArray[Any]  # any real numbers

SUBPIXEL_BITS = 4  # OpenCV draws polygons on a grid of 1/16 pixel


def smoothstep(low: float, high: float, value: Reals | float) -> NDArray[np.float32]:
    """Rise smoothly from 0 at `low` to 1 at `high`; `low > high` gives a falling edge."""
    t = np.asarray(np.asarray(value, np.float32) - np.float32(low))
    t *= np.float32(1 / (high - low))
    np.maximum(t, 0, out=t)
    np.minimum(t, 1, out=t)
    rise = np.float32(3) - np.float32(2) * t
    rise *= t
    rise *= t
    return rise


def step(low: float, high: float, value: float) -> float:
    """`smoothstep` of one number."""
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return float(t * t * (3 - 2 * t))


def blur(image: Floats, sigma: float) -> Floats:
    """Gaussian blur; wide ones are computed on a reduced grid."""
    if sigma < 6:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    height, width = image.shape[:2]
    factor = 2 if sigma < 12 else 4
    small = cv2.resize(image, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def disc(radius: float) -> NDArray[Any]:
    """A round structuring element of at least one pixel radius."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(radius), 1) + 1,) * 2)


def polygon(
    size: int | tuple[int, int], points: Reals, soft: float = 0.0, grow: float = 0.0
) -> Floats:
    """Anti-aliased filled polygon [size, size], or of `size` (height, width), grown by `grow`
    pixels, then blurred."""
    mask: NDArray[Any] = np.zeros((size, size) if isinstance(size, int) else size, np.uint8)
    corners = np.round(points[:, :2] * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    if abs(grow) > 0.5:
        mask = (cv2.dilate if grow > 0 else cv2.erode)(mask, disc(abs(grow)))
    result = mask.astype(np.float32) / 255
    return blur(result, soft) if soft > 0 else result


def stroke(size: int | tuple[int, int], points: Reals, width: float, soft: float) -> Floats:
    """Soft open line through `points` [N, >=2], so many pixels wide, 0..1 in a picture of `size` as
    for `polygon`."""
    mask: NDArray[Any] = np.zeros((size, size) if isinstance(size, int) else size, np.uint8)
    corners = np.round(points[:, :2] * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.polylines(mask, [corners], False, 255, max(round(width), 1), cv2.LINE_AA, SUBPIXEL_BITS)
    return blur(mask.astype(np.float32) / 255, soft)


def mix(first: Floats, second: Floats, amount: Floats | float) -> Floats:
    """`first` where `amount` is 0, `second` where it is 1.

    Args:
        first, second: anything of one shape, or what numpy makes one: [h, w, C] and colours [C].
        amount: one number, or as many; [h, w] for each place of [h, w, C].
    """
    if not isinstance(amount, np.ndarray):
        shape = max(first.shape, second.shape, key=len)
        weight: Floats | np.float32 = np.float32(amount)
    elif amount.ndim == 2 and max(first.ndim, second.ndim) in (1, 3):
        shape = (*amount.shape, max(first.shape[-1], second.shape[-1]))
        weight = cv2.merge([amount] * shape[2]) if amount.dtype == np.float32 else amount[..., None]
    else:
        shape, weight = max(first.shape, second.shape, amount.shape, key=len), amount
    first, second = _everywhere(first, shape), _everywhere(second, shape)
    change = second - first
    if weight.dtype != change.dtype or weight.shape not in ((), change.shape):
        return first + change * weight
    change *= weight  # in place: a new picture for each step would take half of the time
    change += first
    return change


def _everywhere(colour: Floats, shape: tuple[int, ...]) -> Floats:
    """A picture of `shape` [h, w, C] in one colour [C], as numpy is slow in repeating so few
    numbers; anything else stays."""
    if len(shape) != 3 or colour.shape != shape[2:]:
        return colour
    picture = np.empty(shape, colour.dtype)
    picture.reshape(shape[0], -1)[:] = np.tile(colour, shape[1])
    return picture


def to_lab(rgb: Floats) -> Floats:
    """sRGB in 0..1 -> CIE L*a*b* (L in 0..100)."""
    return cv2.cvtColor(np.clip(rgb, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)


def to_rgb(lab: Floats) -> Floats:
    """CIE L*a*b* -> sRGB clipped to 0..1."""
    return np.clip(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)


def lab_colour(lightness: float, a: float, b: float) -> Floats:
    """One L*a*b* colour as RGB [3]."""
    return to_rgb(np.array([[[lightness, a, b]]], np.float32))[0, 0]
