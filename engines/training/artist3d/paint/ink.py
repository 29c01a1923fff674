"""The comic look: the same lit head in flat bands, with ink on its outlines and forms."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.pixels import Floats, blur, mix, smoothstep, to_lab, to_rgb
from engines.training.artist.imaging import guided_filter, luminance
from engines.training.artist3d.observe.region import Region
from engines.training.artist3d.observe.scene import Scene

BANDS = 5.0
INK = np.array([0.07, 0.05, 0.08], np.float32)


def comic(scene: Scene, region: Region, image: Floats) -> Floats:
    """Turn a film picture [S, S, 3] into a comic: three kinds of ink over flat colour.

    Ink follows the depth and normals of the head, the edges between skin, hair and background, and
    the picture's own lines (XDoG: Winnemöller, "XDoG: Advanced Image Stylization", 2011).
    """
    lab = to_lab(image)
    light = lab[..., 0] / 100
    level = guided_filter(light, light, 5, 0.004) * BANDS
    low = np.floor(level)
    banded = low + smoothstep(0.42, 0.58, level - low)
    lab[..., 0] = np.clip(mix(level, banded, 0.88) / BANDS * 108 - 1, 0, 100)
    lab[..., 1:] = blur(lab[..., 1:], 1.8) * 1.35
    flat = to_rgb(lab)
    lines = np.maximum.reduce([_forms(scene), _borders(scene, region), 0.95 * _drawn(image)])
    dots = _halftone(scene, light) * region.skin * smoothstep(0.50, 0.30, light)
    flat = mix(flat, flat * np.array([0.78, 0.68, 0.72], np.float32), 0.5 * dots)
    return mix(flat, np.broadcast_to(INK, flat.shape), np.clip(lines, 0, 1))


def _forms(scene: Scene) -> Floats:
    """Creases and silhouettes of the head: where depth jumps or normals turn away."""
    surface = scene.surface
    depth = cv2.GaussianBlur(surface.raw_position[..., 2] * surface.cover, (0, 0), 0.8)
    jump = np.hypot(cv2.Sobel(depth, cv2.CV_32F, 1, 0), cv2.Sobel(depth, cv2.CV_32F, 0, 1)) / 8
    inside = cv2.erode(surface.cover, np.ones((5, 5), np.uint8)) * scene.marks.oval
    scale = scene.fit.camera.scale
    line = smoothstep(3.0, 7.0, jump * scale) * inside
    return np.asarray(blur(line.astype(np.float32), 0.7) * 0.8, np.float32)


def _borders(scene: Scene, region: Region) -> Floats:
    """Outlines between person and background, skin and hair, beard and skin."""
    width = max(scene.size / 512, 0.5)
    out = np.zeros((scene.size, scene.size), np.float32)
    for mask, weight in ((scene.person, 1.0), (region.skin, 0.9), (region.beard, 0.5)):
        soft = blur(mask.astype(np.float32), 1.6 * width)
        out = np.maximum(out, weight * np.clip(1 - np.abs(soft - 0.5) / 0.28, 0, 1))
    return smoothstep(0.15, 0.75, out)


def _drawn(image: Floats) -> Floats:
    """The picture's own dark lines."""
    grey = luminance(image)
    difference = blur(grey, 1.0) - 0.975 * blur(grey, 1.8) - 0.006
    paper = np.clip(1 + np.tanh(55 * np.minimum(difference, 0)), 0, 1).astype(np.float32)
    return 1 - blur(paper, 0.6)


def _halftone(scene: Scene, light: Floats) -> Floats:
    """Dots of the printing screen, turned by 30 degrees; larger where it is darker."""
    size = scene.size
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) * np.float32(512 / size)
    u = (columns * 0.866 + rows * 0.5) / 5.0
    v = (rows * 0.866 - columns * 0.5) / 5.0
    wave = 0.5 + 0.25 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))
    return smoothstep(0.35, 0.65, wave + 0.6 * (0.35 - light))
