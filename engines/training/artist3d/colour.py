"""Linear light and unit vectors: what shading computes in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, Reals, to_rgb

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709, linear light


def to_linear(srgb: Reals) -> Floats:
    """sRGB 0..1 to linear light 0..1 (IEC 61966-2-1)."""
    c = np.clip(np.asarray(srgb, np.float32), 0, None)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: Reals) -> Floats:
    """Linear light to sRGB; values above 1 stay above 1 (IEC 61966-2-1)."""
    c = np.clip(np.asarray(linear, np.float32), 0, None)
    power = 1.055 * np.power(np.maximum(c, 1e-6), 1 / 2.4) - 0.055
    return np.where(c <= 0.0031308, c * 12.92, power).astype(np.float32)


def lab_to_linear(lightness: float, a: float, b: float) -> Floats:
    """One CIE L*a*b* colour as linear RGB [3]."""
    return to_linear(to_rgb(np.array([[[lightness, a, b]]], np.float32)))[0, 0]


def unit(vectors: Reals) -> NDArray[np.float64] | Floats:
    """Vectors [..., n] scaled to length 1."""
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)


def rise(low: float, high: float, value: Reals | float) -> Reals:
    """Smoothstep in the precision of ``value``; ``low > high`` gives a falling edge."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
