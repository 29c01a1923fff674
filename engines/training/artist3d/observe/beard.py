"""Facial hair: grain, greyness and darkness of the lower face against the cheek above it."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.head import FACE_OVAL, LIPS, SUBNASALE
from engines.faces.pixels import Floats, blur, disc, polygon, smoothstep
from engines.training.artist.imaging import masked_blur
from engines.training.artist3d.colour import rise
from engines.training.artist3d.observe.scene import Scene

CELLS = 48  # of the mean lower face, per side
REACH, BOTTOM, TOP = 9.0, -12.0, 1.0  # its extent on the mean head, centimetres


def find_beard(scene: Scene) -> tuple[Floats, Floats]:
    """Dense facial hair and stubble, [S, S] 0..1 each; both 0 where nobody expects a beard."""
    unit, lab, points = scene.unit, scene.lab, scene.points
    size, oval = scene.size, scene.marks.oval
    expected = scene.traits.beard * float(rise(0.10, 0.45, scene.traits.male))
    nothing = np.zeros((size, size), np.float32)
    if expected < 0.4:
        return nothing, nothing
    light = lab[..., 0]
    under_nose = scene.above - (points[SUBNASALE, :2] - points[6, :2]) @ scene.up
    hangs = 0.10 + 0.18 * float(rise(1.8, 2.8, expected))
    low = polygon(size, points[FACE_OVAL], 0.04 * unit, hangs * unit)
    low = low * smoothstep(0.02 * unit, -0.10 * unit, under_nose)
    lips = np.clip(polygon(size, points[LIPS], 0.02 * unit, 0.005 * unit), 0, 1)
    low = low * _where_beards_grow(scene)
    free = low * (1 - lips)
    cheek = scene.skin * oval * (1 - scene.marks.all) * (1 - scene.frame)
    cheek = cheek * smoothstep(-0.75 * unit, -0.5 * unit, scene.above)
    cheek = np.clip(cheek * smoothstep(-0.05 * unit, -0.2 * unit, scene.above), 0.0005, 1)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    cheek_light = masked_blur(light, cheek, 0.38 * unit)
    cheek_chroma = masked_blur(chroma, cheek, 0.38 * unit)
    fine = blur(light, 1.2)
    grain = blur(np.abs(light - blur(light, 1.6)), 0.035 * unit) / (fine + 12)
    smooth_grain = float((grain * cheek).sum() / cheek.sum())
    darker = (cheek_light - blur(light, 0.03 * unit)) / (cheek_light + 4)
    darker = np.minimum(darker, _mirrored(scene, darker.astype(np.float32)) + 0.06)
    expected_chroma = cheek_chroma * np.clip(fine / (cheek_light + 1), 0.35, 1.2) + 1
    relative = blur(chroma, 0.03 * unit) / expected_chroma
    grainy = smoothstep(1.15, 1.9, grain / (smooth_grain + 0.004))
    grey = smoothstep(0.92, 0.62, relative)
    found = grainy * np.maximum(grey, smoothstep(0.26, 0.46, darker))
    found = found + 0.8 * grey * smoothstep(0.12, 0.30, darker)
    found = found + smoothstep(0.55, 0.70, darker) * grainy
    if expected > 1.2:  # hair without grain: dark all over, or white all over
        found = np.maximum(found, smoothstep(0.30, 0.50, darker))
        white = smoothstep(0.74, 0.52, relative)
        white = white * (0.6 + 0.4 * smoothstep(-0.9, 0.1, darker + 0.4 * grainy))
        found = np.maximum(found, 0.95 * white * rise(34, 44, scene.traits.age))
    found = np.clip(found, 0, 1) * _trusted(scene, light, cheek)
    found = masked_blur(found.astype(np.float32), free, 0.040 * unit) * low
    old = scene.traits.old  # a white beard on pale skin is easily underestimated
    sure = float(rise(0.9 - 0.3 * old, 2.0 - 0.7 * old, expected))
    closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, disc(0.16 * unit))
    dense = smoothstep(0.36 - 0.14 * sure, 0.62 - 0.16 * sure, blur(closed, 0.02 * unit))
    dense = dense * free * sure * (1 - lips)
    named = smoothstep(0.35, 0.65, scene.parts.beard) * float(rise(0.35, 0.9, expected))
    named = named * _where_beards_grow(scene)
    likely = float(rise(1.1 - 0.4 * old, 2.1 - 0.7 * old, expected))
    unnamed = likely + (1 - likely) * smoothstep(0.05, 0.2, scene.parts.beard)
    dense = _round_the_mouth(scene, np.maximum(dense * unnamed, named * (1 - lips)))
    shade = np.clip(darker - 0.04, 0, 0.5) * (0.5 + 0.5 * grey) * 2
    shade = masked_blur(np.maximum(shade, 0.6 * found).astype(np.float32), free, 0.05 * unit)
    shade = shade * (1 - 0.85 * _whiteness(scene, dense))
    stubble = shade * low * (1 - lips) * float(rise(0.4, 1.3, expected)) * (1 - dense)
    return dense, np.clip(stubble, 0, 1).astype(np.float32)


def _trusted(scene: Scene, light: Floats, cheek: Floats) -> Floats:
    """A side of the face in deep shadow tells nothing about hair: [S, S] 0..1."""
    unit = scene.unit
    sides = [cheek * (scene.across * side > 0) for side in (-1, 1)]
    lights = [
        float((light * zone).sum() / (zone.sum() + 1e-3)) if zone.sum() > 30 else -1.0
        for zone in sides
    ]
    trust = np.ones_like(light)
    for side, value in zip((-1, 1), lights, strict=True):
        if value >= 0:
            doubt = 1 - float(rise(0.25, 0.50, value / max(max(lights), 1)))
            half = smoothstep(-0.05 * unit, 0.05 * unit, scene.across * side)
            trust = trust * (1 - doubt * half)
    return trust


def _round_the_mouth(scene: Scene, dense: Floats) -> Floats:
    """Beards grow round the mouth or the chin; a patch on a cheek alone is a shadow."""
    rest = scene.surface.rest
    middle = (np.abs(rest[..., 0]) < 3.4) & (rest[..., 1] < -1.5) & (scene.surface.cover > 0.5)
    count, part = cv2.connectedComponents((dense > 0.35).astype(np.uint8))
    kept = np.zeros(count, bool)
    kept[np.unique(part[middle])] = True
    kept[0] = True
    return dense * blur(kept[part].astype(np.float32), 1.5)


def _whiteness(scene: Scene, dense: Floats) -> float:
    """1 where the beard is as light as the skin: it darkens nothing."""
    share = dense + 0.5 * scene.parts.beard
    if share.sum() < 100:
        return float(scene.traits.old)
    light = float((scene.lab[..., 0] * share).sum() / share.sum())
    skin = max(float(scene.skin_colour[0]), 10.0)
    return float(rise(0.80, 1.05, light / skin))


def _where_beards_grow(scene: Scene) -> Floats:
    """Prior on the head: below the nose, and below a line that rises from the mouth to the ear."""
    x, y = np.abs(scene.surface.rest[..., 0]), scene.surface.rest[..., 1]
    line = -1.3 - 1.0 * rise(2.0, 3.6, x) + 2.7 * rise(4.2, 7.4, x)
    off_mesh = 1 - scene.surface.cover
    return np.maximum(rise(0.7, -0.5, y - line), off_mesh).astype(np.float32)


def _mirrored(scene: Scene, values: Floats) -> Floats:
    """Values [S, S] of the other half of the lower face; a cast shadow is on one side only.

    Where the other half is not seen, the value itself.
    """
    surface = scene.surface
    x = (surface.rest[..., 0] + REACH) / (2 * REACH) * (CELLS - 1)
    y = (surface.rest[..., 1] - BOTTOM) / (TOP - BOTTOM) * (CELLS - 1)
    seen = (surface.cover > 0) & (surface.filled[..., 2] > 0.25) & (y > 0) & (y < CELLS - 1)
    seen &= (x > 0) & (x < CELLS - 1)
    cell = np.round(y[seen]).astype(int) * CELLS + np.round(x[seen]).astype(int)
    total = np.bincount(cell, values[seen], CELLS * CELLS).reshape(CELLS, CELLS)
    count = np.bincount(cell, minlength=CELLS * CELLS).reshape(CELLS, CELLS)
    soft = cv2.GaussianBlur(np.dstack([total, count]).astype(np.float32), (0, 0), 1.0)
    half = soft[:, ::-1]

    def look(image: Floats) -> Floats:
        return cv2.remap(
            np.ascontiguousarray(image), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    known = look(half[..., 1])
    other = look(half[..., 0]) / (known + 1e-3)
    return np.where((known > 0.3) & (surface.cover > 0), other, values)
