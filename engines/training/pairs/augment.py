"""Random changes that make training pairs look like webcam pictures.

Photo and toon are moved, turned, scaled, mirrored and lit alike. The photo alone is degraded as
cameras do it, because the toon must not show that. All functions take arrays and a
`numpy.random.Generator`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engines.pictures import Image

CLEAR = 0.3
"""Share of pictures left sharp: a network that never sees a sharp picture draws softly."""


@dataclass(frozen=True)
class GeometryRange:
    """Largest changes of the crop.

    The crops are aligned, live as in training, so the changes need only cover the error of the
    alignment. With wider ones (20 degrees were tried) the networks learn eyes far more slowly.

    Attributes:
        rotation: degrees.
        scale: logarithm of the scale.
        shift: share of the picture's side.
        wild: share of the crops that use the whole range; the others move by 0.3 of it, as tracked
            crops do.
    """

    rotation: float = 5.0
    scale: float = 0.06
    shift: float = 0.018
    wild: float = 0.3


def random_transform(rng: Generator, size: int, limits: GeometryRange) -> NDArray[np.float32]:
    """Random similarity about the centre, mirrored in half the cases.

    Returns:
        float32 [2, 3], from source to target pixels.
    """
    reach = 1.0 if rng.random() < limits.wild else 0.3
    angle = math.radians(rng.uniform(-1, 1) * limits.rotation * reach)
    scale = math.exp(rng.uniform(-1, 1) * limits.scale * reach)
    dx, dy = rng.uniform(-1, 1, 2) * limits.shift * reach * size
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    c, s, centre = scale * math.cos(angle), scale * math.sin(angle), (size - 1) / 2
    linear = np.array([[c * mirror, -s], [s * mirror, c]])
    offset = np.array([centre + dx, centre + dy]) - linear @ np.array([centre, centre])
    return np.hstack([linear, offset[:, None]]).astype(np.float32)


def rescale_transform(transform: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """The same move for a copy of the picture scaled by `ratio` (pixel centres at +0.5)."""
    linear, offset, half = transform[:, :2], transform[:, 2], np.array([0.5, 0.5])
    moved = ratio * (offset + 0.5) - 0.5 + (linear @ half) * (1 - ratio)
    return np.hstack([linear, moved[:, None]]).astype(np.float32)


def warp(image: Image, transform: NDArray[np.float32], size: int) -> Image:
    """`image` moved by `transform`, with Lanczos interpolation and mirrored borders."""
    out = cv2.warpAffine(
        image, transform, (size, size), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(out, np.uint8)


def move_warp(
    warp: NDArray[np.float32], transform: NDArray[np.float32], size: int
) -> NDArray[np.float32]:
    """A warp float32 [G, G, 2] (see `PairSet`) after photo and toon of `size` px were moved."""
    grid = warp.shape[0]
    small = rescale_transform(transform, grid / size)
    there = cv2.warpAffine(warp, small, (grid, grid), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(there @ transform[:, :2].T, np.float32)


def bent(mask: NDArray[np.float32], warp: NDArray[np.floating]) -> NDArray[np.float32]:
    """A mask float32 [S, S, 1] of the photo in the toon's shape; `warp`: see `PairSet`."""
    side = len(mask)
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    move = cv2.resize(warp.astype(np.float32), (side, side)) * side
    there = (columns + move[..., 0], rows + move[..., 1])
    return np.asarray(cv2.remap(mask, *there, cv2.INTER_LINEAR), np.float32)[..., None]


def light_curve(rng: Generator) -> NDArray[np.uint8]:
    """Random exposure, contrast and tint as a look-up table uint8 [256, 3] for both pictures."""
    x = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    gamma = math.exp(rng.uniform(-0.25, 0.25))
    gain = np.exp(rng.uniform(-0.12, 0.08) + rng.uniform(-0.06, 0.06, 3)).astype(np.float32)
    return (np.clip(x**gamma * gain, 0, 1) * 255 + 0.5).astype(np.uint8)


def apply_curve(image: Image, curve: NDArray[np.uint8]) -> Image:
    """`image` uint8 [H, W, 3] mapped through a table uint8 [256, 3]."""
    return np.asarray(cv2.LUT(image, curve[None]), np.uint8)


def blur_motion(rng: Generator, image: Image) -> Image:
    """Motion blur of 2 to 7 pixels in a random direction."""
    length = int(rng.integers(2, 8))
    kernel = np.zeros((7, 7), np.float32)
    angle = rng.uniform(0, math.pi)
    dx, dy = math.cos(angle) * length / 2, math.sin(angle) * length / 2
    ends = [(round((3 + s * dx) * 16), round((3 + s * dy) * 16)) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return np.asarray(cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1e-3)), np.uint8)


def low_resolution(rng: Generator, image: Image) -> Image:
    """Shrunk to 100 px or more and enlarged again, like a small face in a large picture.

    A crop is 1.6 to 2 times as wide as the face in it, so 100 px are a face of about 60.
    """
    side = image.shape[0]
    small = int(rng.integers(min(100, side), side + 1))
    shrunk = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    way = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(shrunk, (side, side), interpolation=way), np.uint8)


def compress(rng: Generator, image: Image) -> Image:
    """JPEG blocks and chroma sub-sampling, as from MJPG and H.264 cameras."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def sensor(rng: Generator, image: Image, *, dim: bool) -> Image:
    """White balance, exposure, shot and read noise; `dim` is a badly lit room."""
    x = np.asarray(image, np.float32) / np.float32(255)
    exposure = rng.uniform(-0.9, -0.4) if dim else rng.uniform(-0.2, 0.15)
    x *= np.exp(exposure + rng.uniform(-0.07, 0.07, 3)).astype(np.float32)
    strength = rng.uniform(0.01, 0.06) if dim else rng.uniform(0.0, 0.03)
    noise = rng.standard_normal(x.shape, np.float32)
    if rng.random() < 0.5:  # many cameras denoise, which leaves coarse noise
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.8), np.float32) * 1.8
    x += noise * np.float32(strength) * np.sqrt(np.clip(x, 0, 1) * 0.8 + 0.2)
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def occlude(rng: Generator, image: Image) -> Image:
    """A plain patch or a hand-like group of strokes over a part of the picture."""
    out, side = image.copy(), image.shape[0]
    colour = [int(c) for c in rng.integers(0, 256, 3)]
    x, y = (int(v) for v in rng.uniform(0.1, 0.9, 2) * side)
    if rng.random() < 0.5:
        axes = tuple(int(v) for v in rng.uniform(0.06, 0.2, 2) * side)
        cv2.ellipse(out, (x, y), axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
        return out
    skin = image[int(side * 0.6), side // 2].astype(int)  # near the mouth: the person's skin tone
    colour = [int(c) for c in np.clip(skin + rng.integers(-25, 26), 0, 255)]
    base = rng.uniform(0, 2 * math.pi)
    for finger in range(4):
        angle = base + (finger - 1.5) * 0.22
        tip = (round(x + math.cos(angle) * side * 0.25), round(y + math.sin(angle) * side * 0.25))
        cv2.line(out, (x, y), tip, colour, max(2, round(side * 0.05)), cv2.LINE_AA)
    return out


def webcam(rng: Generator, image: Image) -> Image:
    """Random defects of a webcam picture: uint8 RGB [S, S, 3] -> the same shape.

    A share of `CLEAR` stays as it is: a good camera in good light has no defects at this size.
    """
    if rng.random() < CLEAR:
        return image
    if rng.random() < 0.08:
        image = occlude(rng, image)
    if rng.random() < 0.35:
        image = low_resolution(rng, image)
    draw = rng.random()
    if draw < 0.12:
        image = blur_motion(rng, image)
    elif draw < 0.3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6)), np.uint8)
    if rng.random() < 0.75:
        image = sensor(rng, image, dim=rng.random() < 0.15)
    return compress(rng, image) if rng.random() < 0.5 else image
