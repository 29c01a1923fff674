"""Which pixels are skin, beard and lens: colour, the mesh, and the photo's own hairline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.training.artist import masks
from engines.training.artist.head import CHIN, EYE
from engines.training.artist.imaging import (
    Floats,
    blur,
    disc,
    guided_filter,
    luminance,
    polygon,
    smoothstep,
    union,
)
from engines.training.artist3d.beard import find_beard
from engines.training.artist3d.colour import rise
from engines.training.artist3d.scene import Scene

CUT_SIZE = 192  # side on which GrabCut runs
BRIDGE = [6, 122, 351, 197, 168]


@dataclass(frozen=True)
class Region:
    """Soft masks [S, S] in toon space.

    Attributes:
        skin: what is painted as skin.
        seen: skin by colour and place alone, for measuring.
        inner: the middle of the face, skin whatever its light.
        beard: dense facial hair.
        stubble: 0..1, shade of a shaved or thin beard.
        lens: of sunglasses.
        hair: hair, hats and cloth of the person.
    """

    skin: Floats
    seen: Floats
    inner: Floats
    beard: Floats
    stubble: Floats
    lens: Floats
    hair: Floats


def find_region(scene: Scene) -> Region:
    """Sort the person's pixels."""
    size, unit, oval, person = scene.size, scene.unit, scene.marks.oval, scene.person
    surface = scene.surface
    forehead = smoothstep(0.62 * unit, 0.30 * unit, scene.above)
    inner = polygon(size, scene.ring, 0.03 * unit, -0.07 * unit) * forehead
    seen = np.maximum(scene.skin * smoothstep(0.0, 0.15, scene.skin), inner)
    lens = _lens(scene) if scene.sunglasses > 0.5 else np.zeros((size, size), np.float32)
    drawn = union([scene.marks.eyes, scene.marks.brows * oval])
    skin = np.clip(np.maximum(seen, np.clip(drawn, 0, 1) * 0.98), 0, 1) * person
    beard, stubble = find_beard(scene)
    skin = np.maximum(skin, _cut_hairline(scene, skin, inner, beard))
    skin = _fill_bare_cheeks(scene, skin, beard)
    low = (scene.points[CHIN, :2] - scene.points[6, :2]) @ scene.up
    on_neck = (surface.cover > 0) & (surface.rest[..., 1] > -14.0)
    on_neck &= np.abs(surface.rest[..., 0]) < 7.8
    neck = blur(cv2.dilate(on_neck.astype(np.float32), disc(0.06 * unit)), 0.05 * unit)
    below = smoothstep(0.02 * unit, -0.15 * unit, scene.above - low)
    skin = skin * (1 - (1 - neck) * below)
    near_mesh = blur(cv2.dilate(surface.cover, disc(0.025 * unit)), 0.02 * unit)
    skin = skin * np.maximum(near_mesh, oval)
    off_face = (1 - blur(oval, 0.03 * unit)) * smoothstep(0.2 * unit, 0.5 * unit, scene.above)
    skin = skin * (1 - off_face * (1 - smoothstep(0.40, 0.85, skin)))
    hair = np.clip(person * (1 - skin), 0, 1)
    return Region(skin, seen, inner, beard, stubble, lens, hair)


def _lens(scene: Scene) -> Floats:
    """Dark or off-colour glass around the eyes."""
    size, unit, points, lab = scene.size, scene.unit, scene.points, scene.lab
    zone = union(polygon(size, points[ids], 0.04 * unit, 0.30 * unit) for ids in EYE)
    zone = np.maximum(zone, polygon(size, points[BRIDGE], 0.02 * unit, 0.05 * unit))
    cheek = masks.cheek_colour(lab, points)
    scale = np.clip(lab[..., 0] / max(cheek[0], 1), 0.2, 1.3)
    off = np.hypot(lab[..., 1] - cheek[1] * scale, lab[..., 2] - cheek[2] * scale)
    dark = smoothstep(0.62, 0.42, lab[..., 0] / max(cheek[0], 1))
    glass = np.maximum(smoothstep(7, 14, off), dark) * (zone > 0.3)
    glass = cv2.morphologyEx(glass.astype(np.float32), cv2.MORPH_CLOSE, disc(0.12 * unit))
    glass = cv2.morphologyEx(glass, cv2.MORPH_OPEN, disc(0.03 * unit))
    return smoothstep(0.3, 0.7, blur(glass, 1.5))


def _cut_hairline(scene: Scene, skin: Floats, inner: Floats, beard: Floats) -> Floats:
    """Skin of the whole face by GrabCut: this face's colours against this hair's.

    Rother et al., "GrabCut: Interactive Foreground Extraction using Iterated Graph Cuts" (2004).
    """
    n, unit, size = CUT_SIZE, scene.unit, scene.size

    def small(image: Floats) -> Floats:
        return cv2.resize(image.astype(np.float32), (n, n), interpolation=cv2.INTER_AREA)

    picture = (np.clip(small(scene.rgb), 0, 1) * 255).astype(np.uint8)
    on_face = scene.surface.cover * scene.surface.face
    zone = (small(scene.person) > 0.5) & (small(on_face) > 0.5)
    core = small(inner)
    labels = np.full((n, n), cv2.GC_BGD, np.uint8)
    labels[zone] = cv2.GC_PR_BGD
    labels[zone & (small(skin) > 0.5)] = cv2.GC_PR_FGD
    low = (small(scene.above) < -0.1 * unit) & (small(scene.marks.oval) > 0.8)
    labels[zone & low] = cv2.GC_PR_FGD
    labels[(core > 0.9) & (small(scene.frame) < 0.1)] = cv2.GC_FGD
    labels[small(beard) > 0.3] = cv2.GC_BGD
    sure = labels == cv2.GC_FGD
    other = (labels == cv2.GC_BGD) | (labels == cv2.GC_PR_BGD)
    if sure.sum() < 50 or other.sum() < 50:
        return np.zeros_like(skin)
    cv2.setRNGSeed(1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(picture, labels, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # one colour only: nothing to tell apart
        return np.zeros_like(skin)
    found = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.float32)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, disc(1))
    _, part = cv2.connectedComponents((found > 0.5).astype(np.uint8))
    found = found * np.isin(part, np.unique(part[(core > 0.9) & (part > 0)]))
    wide = cv2.resize(found, (size, size), interpolation=cv2.INTER_LINEAR)
    wide = np.clip(guided_filter(luminance(scene.rgb), wide, 5, 1e-3), 0, 1)
    return smoothstep(0.2, 0.8, wide) * on_face * scene.person


def _fill_bare_cheeks(scene: Scene, skin: Floats, beard: Floats) -> Floats:
    """Where no hair hangs beside a cheek, the cheek reaches the outline, shadow or not."""
    size, unit, oval = scene.size, scene.unit, scene.marks.oval
    whole = polygon(size, scene.ring, 0.012 * unit, -0.008 * unit)
    around = polygon(size, scene.ring, 0, 0.26 * unit) * (1 - oval)
    rows = smoothstep(-0.25 * unit, -0.45 * unit, scene.above)
    height = smoothstep(-1.25 * unit, -1.05 * unit, scene.above)
    no_beard = 1 - smoothstep(0.1, 0.4, blur(beard, 0.1 * unit))
    for side in (-1, 1):
        half = smoothstep(-0.05 * unit, 0.05 * unit, scene.across * side)
        zone = around * rows * half * height
        hangs = (zone * scene.person * (1 - skin) * no_beard).sum() / (zone.sum() + 1)
        bare = float(rise(0.42, 0.22, float(hangs)))
        skin = np.maximum(skin, whole * rows * half * scene.person * bare)
    return skin
