"""Spectacles over the finished face: clean bars along the traced rims, bridge, temples, glass."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, Reals, blur, mix, smoothstep, to_lab, to_rgb
from engines.training.artist3d.observe.region import Region
from engines.training.artist3d.observe.scene import Scene
from engines.training.artist3d.paint.light import Lamp
from engines.training.artist3d.paint.rims import Rim, trace_rims

THINNEST, THICKEST = 0.018, 0.085  # bars, in eye distances
FAINTEST = 0.18  # of a rim where the photo shows none: a rimless lens has an edge, too
FACTOR = 2  # supersampling
EARS = (127, 356)  # landmarks where temples go


def draw_spectacles(scene: Scene, region: Region, lamp: Lamp, image: Floats) -> Floats:
    """Spectacles over a finished face [S, S, 3], sRGB."""
    unit, size = scene.unit, scene.size
    rims = trace_rims(scene)
    width = float(np.mean([rim.width for rim in rims])) * 1.08
    width = float(np.clip(width, THINNEST * unit, THICKEST * unit))
    bars, paint, glass = _draw(scene, rims, width)
    uncovered = np.clip((region.skin + 0.2 + blur(scene.frame, 2.0)) * 1.4, 0, 1)
    bars = bars * uncovered
    move = np.array([[1, 0, -lamp.key[0] * 0.035 * unit], [0, 1, 0.055 * unit]], np.float32)
    shadow = blur(cv2.warpAffine(bars, move, (size, size)), 0.022 * unit)
    dark = image * np.array([0.70, 0.58, 0.54], np.float32)
    image = mix(image, dark, 0.55 * shadow * region.skin)
    diagonal = scene.across / unit * -lamp.side - scene.above / unit * 1.1
    streak = smoothstep(-0.42, -0.30, diagonal) * smoothstep(-0.12, -0.22, diagonal)
    sheen = glass * (1 - bars) * (0.02 + 0.07 * streak)
    image = image + (1 - image) * sheen[..., None]
    soft = cv2.GaussianBlur(bars, (0, 0), max(0.35 * width, 0.8))
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    lit = np.clip(-(gx * np.float32(lamp.key[0]) - gy * np.float32(lamp.key[1])), -1, 1)
    ridge = np.clip(lit * 0.9, 0, 1) ** 1.5
    frame = np.clip(paint * (1 + 0.30 * lit[..., None]) + 0.40 * ridge[..., None], 0, 1)
    return mix(image, frame.astype(np.float32), np.clip(bars * 1.05, 0, 1))


def _draw(scene: Scene, rims: list[Rim], width: float) -> tuple[Floats, Floats, Floats]:
    """Bars [S, S], their colour [S, S, 3] and the lenses [S, S]."""
    shape = (scene.size * FACTOR,) * 2
    bars, glass = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    tint = np.zeros((*shape, 3), np.float32)
    thick = max(2, round(width * FACTOR))

    def place(points: Reals) -> NDArray[np.int32]:
        return np.round(((points + 0.5) * FACTOR - 0.5) * 16).astype(np.int32)

    def bar(start: Reals, end: Reals, colour: Reals, value: float, scale: float = 1.0) -> None:
        a, b = (tuple(int(v) for v in p) for p in (start, end))
        pen = max(1, round(thick * scale))
        cv2.line(bars, a, b, value, pen, cv2.LINE_AA, 4)
        cv2.line(tint, a, b, tuple(float(c) for c in colour), pen + 4, cv2.LINE_AA, 4)

    for rim in rims:
        corners = place(rim.line)
        cv2.fillPoly(glass, [corners], 1.0, cv2.LINE_AA, 4)
        for i in range(len(corners)):
            seen = float(rim.seen[i])
            bar(
                corners[i], corners[(i + 1) % len(corners)], rim.colour[i],
                FAINTEST + (1 - FAINTEST) * seen, 0.55 + 0.45 * seen,
            )  # fmt: skip
    colour = np.mean([rim.colour.mean(0) for rim in rims], 0)
    for line in _bridge_and_temples(scene, rims):
        corners = place(line)
        for i in range(len(corners) - 1):
            bar(corners[i], corners[i + 1], colour, 1.0, 0.9)

    def small(image: Floats) -> Floats:
        side = (scene.size, scene.size)
        return cv2.resize(image, side, interpolation=cv2.INTER_AREA)

    cover = small((tint.max(-1) > 0).astype(np.float32))
    lab = to_lab(np.clip(small(tint) / np.maximum(cover, 1e-3)[..., None], 0, 1))
    lab[..., 0] = np.clip(lab[..., 0] * 0.86, 5, 76)
    lab[..., 1:] *= 1.1
    return small(bars), to_rgb(lab), small(glass)


def _bridge_and_temples(scene: Scene, rims: list[Rim]) -> list[NDArray[np.float64]]:
    """An arched bridge between the rims, and temples to the ears that are seen."""
    unit, up = scene.unit, scene.up.astype(np.float64)
    right, down = np.array([-up[1], up[0]]), -up
    ends = []
    for rim, side in zip(rims, (1, -1), strict=True):
        height = np.abs((rim.line - rim.line.mean(0)) @ down + 0.12 * unit)
        ends.append(rim.line[np.argmax(side * (rim.line @ right) - 0.35 * height)])
    knee = (ends[0] + ends[1]) / 2 - down * 0.05 * unit
    t = np.linspace(0, 1, 12)[:, None]
    out = [(1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * knee + t**2 * ends[1]]
    for rim, side, ear in zip(rims, (-1, 1), EARS, strict=True):
        height = np.abs((rim.line - rim.line.mean(0)) @ down + 0.14 * unit)
        start = rim.line[np.argmax(side * (rim.line @ right) - 0.6 * height)]
        end = scene.points[ear, :2].astype(np.float64)
        if side * ((end - start) @ right) > 0.03 * unit:
            end = start + (end - start) * 1.06
            end = end + down * ((start - end) @ down) * 0.7
            out.append(np.stack([start, end]))
    return out
