"""Which pixels are skin, beard, lens and hair: by segmented parts, mesh and outline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.faces.features import EYE
from engines.faces.head import CHIN
from engines.faces.pixels import Floats, blur, disc, polygon, smoothstep
from engines.training.artist import masks
from engines.training.artist.imaging import union
from engines.training.artist3d.colour import rise
from engines.training.artist3d.observe.beard import find_beard
from engines.training.artist3d.observe.scene import Scene

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
        thing: a hand or an object before the face.
    """

    skin: Floats
    seen: Floats
    inner: Floats
    beard: Floats
    stubble: Floats
    lens: Floats
    hair: Floats
    thing: Floats


def find_region(scene: Scene) -> Region:
    """Sort the person's pixels."""
    size, unit, oval, person = scene.size, scene.unit, scene.marks.oval, scene.person
    surface, parts = scene.surface, scene.parts
    covered = smoothstep(0.40, 0.72, parts.hair + parts.headwear)
    thing = smoothstep(0.40, 0.70, parts.object)
    lens = _lens(scene) if scene.sunglasses > 0.5 else np.zeros((size, size), np.float32)
    beard, stubble = find_beard(scene)
    inner = polygon(size, scene.ring, 0.03 * unit, -0.07 * unit)
    inner = inner * smoothstep(0.62 * unit, 0.30 * unit, scene.above)
    inner = inner * (1 - covered) * (1 - thing)
    rest = surface.rest
    middle = np.exp(-((rest[..., 0] / 4.2) ** 6) - ((rest[..., 1] - 0.5) / 4.6) ** 6)
    middle = middle * surface.cover * (rest[..., 2] > 6)  # nose, eyes and mouth, even in profile
    middle = middle * (1 - smoothstep(0.85, 0.97, parts.hair + parts.headwear)) * (1 - thing)
    inner = np.maximum(inner, blur(middle.astype(np.float32), 0.02 * unit))
    seen = np.maximum(scene.skin * (1 - covered), inner * (1 - beard))
    drawn = np.clip(union([scene.marks.eyes, scene.marks.brows * oval]), 0, 1) * 0.98
    skin = smoothstep(0.40, 0.66, parts.skin + parts.spectacles * oval + parts.beard * oval)
    skin = np.maximum(skin, np.maximum(inner, drawn * (1 - covered)))
    skin = np.maximum(skin, _scalp(scene))
    low = float((scene.points[CHIN, :2] - scene.points[6, :2]) @ scene.up)
    on_neck = (surface.cover > 0) & (surface.rest[..., 1] > -14.0)
    on_neck &= np.abs(surface.rest[..., 0]) < 7.8
    neck = blur(cv2.dilate(on_neck.astype(np.float32), disc(0.06 * unit)), 0.05 * unit)
    below = smoothstep(0.02 * unit, -0.15 * unit, scene.above - low)
    skin = skin * (1 - (1 - neck) * below)
    near_mesh = blur(cv2.dilate(surface.cover, disc(0.03 * unit)), 0.02 * unit)
    skin = np.clip(skin * np.maximum(near_mesh, oval) * (1 - thing), 0, 1) * person
    # A film's hairline and collar are clean curves: small bays and tufts are rounded off.
    clean = smoothstep(0.34, 0.66, blur(skin, 0.020 * unit))
    hairline = smoothstep(0.36, 0.64, blur(skin, 0.050 * unit))
    clean = clean + (hairline - clean) * smoothstep(0.3 * unit, 0.5 * unit, scene.above)
    smooth_neck = smoothstep(0.36, 0.64, blur(skin, 0.045 * unit))
    skin = clean + (smooth_neck - clean) * smoothstep(0.0, -0.12 * unit, scene.above - low)
    skin = np.minimum(_without_holes(scene, skin, thing), person).astype(np.float32)
    hair = np.clip(person * (1 - skin), 0, 1)
    return Region(skin, seen, inner, beard, stubble, lens, hair, thing)


def _without_holes(scene: Scene, skin: Floats, thing: Floats) -> Floats:
    """Islands in the skin are highlights or spots, islands in the hair above it are sheen."""
    other = (skin < 0.5).astype(np.uint8)
    count, part = cv2.connectedComponents(other)
    outside = (scene.surface.cover < 0.5) | (thing > 0.3) | (scene.parts.headwear > 0.5)
    reached = np.zeros(count, bool)
    reached[np.unique(part[outside])] = True
    reached[0] = True  # the skin itself
    island = cv2.dilate((~reached[part]).astype(np.float32), disc(3))  # with its soft edge
    skin = np.maximum(skin, blur(island, 1.0))
    count, part = cv2.connectedComponents((skin > 0.5).astype(np.uint8))
    low = np.zeros(count, bool)  # skin that reaches down to the eyes, or lies there
    low[np.unique(part[scene.above < 0.25 * scene.unit])] = True
    return skin * blur(low[part].astype(np.float32) * (part > 0) + (skin <= 0.5), 1.0)


def _scalp(scene: Scene) -> Floats:
    """Bald scalp of grown men: skin by colour, without the texture of hair."""
    traits, unit = scene.traits, scene.unit
    value = blur(scene.lab[..., 0] / 100, 0.7)
    mean = blur(value, 0.03 * unit)
    fine = value - blur(value, 0.02 * unit)  # of strands, not of a head's roundness
    texture = np.sqrt(np.maximum(blur(fine * fine, 0.05 * unit), 0))
    smooth = smoothstep(0.020, 0.010, texture)
    own = smoothstep(0.55, 0.85, scene.skin) * smooth * scene.surface.cover
    own = own * smoothstep(0.25 * unit, 0.5 * unit, scene.above) * (1 - scene.parts.headwear)
    # Short dark hair is as smooth and, on dark skin, as brown, but darker.
    own = own * smoothstep(0.62, 0.78, mean * 100 / max(float(scene.skin_colour[0]), 10.0))
    return own * float(rise(0.5, 0.9, traits.male) * rise(20, 30, traits.age))


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
