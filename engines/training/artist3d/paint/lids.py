"""Lids and lashes round an eye: crease, lid edge, lash lines, the curve of a closed eye."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.pixels import Floats, Reals, mix, smoothstep
from engines.training.artist3d.colour import rise, to_srgb, unit
from engines.training.artist3d.curves import along_curve
from engines.training.artist3d.paint.eyeball import EyePaint, EyeView


def draw_lids(canvas: Floats, view: EyeView, paint: EyePaint) -> Floats:
    """Draw over an sRGB canvas [H, W, 3] that shows skin and, where open, the ball."""
    box = (0, 0, view.shape[1], view.shape[0])
    wide, opened = view.width, view.opened
    along, above = along_curve(box, view.upper)
    if view.upper[-1, 0] > view.upper[0, 0]:
        above = -above  # positive above the lid, whichever way the curve runs
    canvas = _lower_rim(canvas, view, paint)
    canvas = _crease(canvas, along, above, wide, opened, paint)
    thick = wide * (0.030 + 0.024 * paint.lashes + 0.020 * paint.lashes * rise(0.75, 0.15, along))
    thick = (
        thick * (0.35 + 0.65 * rise(1.02, 0.80, along)) * (0.25 + 0.75 * rise(-0.03, 0.05, along))
    )
    line = smoothstep(1.0, 0.35, np.abs(above - thick * 0.25) / (thick * 0.80 + 0.6))
    line = line * smoothstep(-0.03, 0.01, along) * smoothstep(1.03, 0.97, along)
    share = line * (0.84 + 0.14 * paint.lashes) * (0.15 + 0.85 * opened)
    canvas = mix(canvas, np.broadcast_to(paint.lash, canvas.shape), share.astype(np.float32))
    if opened < 0.75:
        canvas = _closed(canvas, view, paint)
    if paint.lashes > 0.5 and opened > 0.25:
        canvas = _wing(canvas, view, paint, float(thick.mean()))
    return canvas


def _lower_rim(canvas: Floats, view: EyeView, paint: EyePaint) -> Floats:
    """The lit thickness of the lower lid and its soft lash line."""
    rows = np.mgrid[0 : view.shape[0], 0 : view.shape[1]][0].astype(np.float32)
    order = np.argsort(view.lower[:, 0])
    columns = np.arange(view.shape[1])
    edge = np.interp(columns, view.lower[order, 0], view.lower[order, 1])
    under = (rows > edge[None]) * (1 - view.opening())
    to_lower = view.distance(view.lower)
    rim = np.exp(-(((to_lower - 0.018) / 0.016) ** 2)) * under * view.opened * 0.45
    lit = np.clip(to_srgb(paint.skin * np.array([1.05, 0.82, 0.78], np.float32)), 0, 1)
    canvas = mix(canvas, np.broadcast_to(lit, canvas.shape), rim.astype(np.float32))
    along, across = along_curve((0, 0, view.shape[1], view.shape[0]), view.lower)
    line = np.exp(-((across / (view.width * 0.016)) ** 2))
    line = line * smoothstep(0.0, 0.06, along) * smoothstep(0.95, 0.55, along)
    line = line * (0.22 + 0.28 * paint.lashes) * (0.3 + 0.7 * view.opened)
    shadow = to_srgb(paint.skin * np.array([0.40, 0.27, 0.24], np.float32))
    return mix(canvas, np.broadcast_to(shadow, canvas.shape), line.astype(np.float32))


def _crease(
    canvas: Floats, along: Floats, above: Floats, wide: float, opened: float, paint: EyePaint
) -> Floats:
    """The fold over the upper lid."""
    at = wide * (0.115 + 0.03 * opened)
    fold = np.exp(-(((above - at) / (wide * 0.024)) ** 2)) * (above > 0)
    fold = fold * smoothstep(0.04, 0.22, along) * smoothstep(1.0, 0.80, along)
    fold = fold * (0.46 * opened + 0.1) * (1 - 0.3 * paint.skin_dark)
    dark = canvas * np.array([0.78, 0.66, 0.62], np.float32)
    return mix(canvas, dark, fold.astype(np.float32))


def _stroke(layer: Floats, points: Reals, width: float) -> None:
    """A tapering line through [N, 2] on a uint8 layer."""
    for j in range(len(points) - 1):
        thick = max(1, round(width * (1 - j / len(points))))
        ends = [tuple(int(v) for v in np.round(p * 16)) for p in points[j : j + 2]]
        cv2.line(layer, ends[0], ends[1], 255, thick, cv2.LINE_AA, 4)


def _closed(canvas: Floats, view: EyeView, paint: EyePaint) -> Floats:
    """A closed eye: one clean curve, lashes hanging from it."""
    upper, lower, wide = view.upper, view.lower, view.width
    middle = (upper + lower) / 2
    axis = upper[-1] - upper[0]
    length = float(np.linalg.norm(axis))
    axis = axis / length
    down = np.array([-axis[1], axis[0]])
    down = down * np.sign(down[1] + 1e-9)
    u, v = (middle - upper[0]) @ axis / length, (middle - upper[0]) @ down
    v = np.polyval(np.polyfit(u, v, 3), u)
    v = v + wide * 0.035 * np.sin(np.pi * np.clip(u, 0, 1))
    middle = upper[0] + u[:, None] * length * axis + v[:, None] * down
    along, across = along_curve((0, 0, view.shape[1], view.shape[0]), middle)
    full = wide * (0.020 + 0.022 * paint.lashes)
    thick = full * (0.4 + 0.6 * rise(1.03, 0.7, along)) * (0.3 + 0.7 * rise(-0.03, 0.10, along))
    line = smoothstep(1.15, 0.5, np.abs(across) / (thick + 0.5))
    line = line * smoothstep(-0.03, 0.01, along) * smoothstep(1.03, 0.97, along)
    layer = np.zeros(view.shape, np.uint8)
    tangent = unit(np.gradient(middle, axis=0))
    for i in range(2, 60, 5):
        outer = 1 - i / 60
        hair = wide * (0.05 + 0.07 * outer) * (0.45 + 0.55 * paint.lashes)
        tip = middle[i] - tangent[i] * hair * (0.25 + 0.6 * outer) + down * hair * 0.8
        _stroke(layer, np.stack([middle[i], tip]), wide * 0.014)
    lashes = cv2.GaussianBlur(layer.astype(np.float32) / 255, (0, 0), 0.8)
    line = np.maximum(line, lashes * 0.8 * (0.4 + 0.6 * paint.lashes) * (paint.lashes > 0.45))
    share = (line * (1 - view.opened) * 0.92).astype(np.float32)
    return mix(canvas, np.broadcast_to(paint.lash, canvas.shape), share)


def _wing(canvas: Floats, view: EyeView, paint: EyePaint, thick: float) -> Floats:
    """A few tapering lashes, longest at the outer third."""
    upper, wide = view.upper, view.width
    layer = np.zeros(view.shape, np.uint8)
    tangent = unit(np.gradient(upper, axis=0))
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    normal = normal * np.sign(-normal[:, 1])[:, None]
    t = np.linspace(0, 1, 10)[:, None]
    for i in range(1, 46, 3):
        outer = 1 - i / 46
        length = wide * (0.035 + 0.085 * outer**1.2) * paint.lashes
        root = upper[i] + normal[i] * thick * 0.2
        away = -tangent[i] * (0.35 + 0.75 * outer)
        knee = root + (normal[i] * 0.12 + away * 0.75) * length
        tip = root + (normal[i] * 0.75 + away) * length
        _stroke(layer, (1 - t) ** 2 * root + 2 * t * (1 - t) * knee + t**2 * tip, wide * 0.016)
    lashes = cv2.GaussianBlur(layer.astype(np.float32) / 255, (0, 0), 0.7) * 0.85
    lashes = lashes * float(rise(0.5, 0.65, paint.lashes))
    return mix(canvas, np.broadcast_to(paint.lash, canvas.shape), lashes)
