"""Hair and cloth painted along their own flow: strands gather into smooth glossy masses."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.pixels import Floats, blur, mix, smoothstep
from engines.training.artist.imaging import luminance

STROKE_STEPS = 6
STROKE_STEP = 1.75  # pixels
PASSES = 2
LOCK = 14.0  # pixels, the width (sigma) within which strands must go one way
STRANDS = (0.12, 0.35)  # coherence of fur and patterns, which would turn to worms; of strands


def flow_paint(
    image: Floats, where: Floats, sharpen: Floats | float, tensor_sigma: float = 4.0
) -> Floats:
    """Smooth along the structure tensor's flow, sharpen across it where the flow is coherent. Where
    nothing goes one way, as in fur, the picture stays.

    Line integral convolution followed by a shock filter, after Kyprianidis and Kang, "Image and
    Video Abstraction by Coherence-Enhancing Filtering" (2011).
    """
    size = image.shape[0]
    strands = smoothstep(*STRANDS, _coherence(*_structure(image, LOCK)))
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    square = np.ones((3, 3), np.uint8)
    result = image
    for _ in range(PASSES):
        xx, xy, yy = _structure(result, tensor_sigma)
        angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
        tx, ty = np.cos(angle), np.sin(angle)
        total, weights = result.copy(), 1.0
        for sign in (1.0, -1.0):
            px, py = columns.copy(), rows.copy()
            dx, dy = tx * np.float32(sign), ty * np.float32(sign)
            for number in range(1, STROKE_STEPS + 1):
                px += dx * np.float32(STROKE_STEP)
                py += dy * np.float32(STROKE_STEP)
                cell_x, cell_y = cv2.convertMaps(px, py, cv2.CV_16SC2, nninterpolation=True)
                hx, hy = (
                    cv2.remap(t, cell_x, cell_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
                    for t in (tx, ty)
                )
                turn = np.copysign(np.float32(1), hx * dx + hy * dy)  # tangents have no sign
                dx, dy = hx * turn, hy * turn
                weight = float(np.exp(-0.5 * (number / (STROKE_STEPS * 0.55)) ** 2))
                total += weight * cv2.remap(
                    result, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
                )
                weights += weight
        result = total / np.float32(weights)
        anisotropy = _coherence(*(blur(v, 4.0) for v in (xx, xy, yy)))
        grey = blur(luminance(result), 1.6)
        nx, ny = -ty, tx
        curvature = (
            nx * nx * cv2.Sobel(grey, cv2.CV_32F, 2, 0, ksize=3)
            + 2 * nx * ny * cv2.Sobel(grey, cv2.CV_32F, 1, 1, ksize=3)
            + ny * ny * cv2.Sobel(grey, cv2.CV_32F, 0, 2, ksize=3)
        )
        amount = np.clip(np.abs(curvature) * 40, 0, 1) * sharpen * where
        amount = amount * smoothstep(0.22, 0.50, anisotropy)
        shock = np.where(
            (curvature < 0)[..., None], cv2.dilate(result, square), cv2.erode(result, square)
        )
        result = mix(result, shock, amount.astype(np.float32))
    return mix(image, result, strands)


def _coherence(xx: Floats, xy: Floats, yy: Floats) -> Floats:
    """0 where a structure tensor knows no direction .. 1 where all goes one way [S, S]."""
    return np.asarray(np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (xx + yy + 1e-5), np.float32)


def _structure(image: Floats, sigma: float) -> tuple[Floats, Floats, Floats]:
    """The structure tensor of a picture's light, averaged over `sigma` pixels: xx, xy, yy."""
    grey = blur(luminance(image), 1.0)
    gx, gy = cv2.Scharr(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    xx, xy, yy = (blur(v, sigma) for v in (gx * gx, gx * gy, gy * gy))
    return xx, xy, yy
