"""What the mesh lacks of this person: folds, hollows and edges of the photo, as soft shading."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.head import NASOLABIAL
from engines.faces.pixels import Floats, blur, disc, smoothstep, stroke
from engines.training.artist.imaging import luminance, masked_blur
from engines.training.artist3d.colour import rise
from engines.training.artist3d.curves import open_curve
from engines.training.artist3d.observe.region import Region
from engines.training.artist3d.observe.scene import Scene

FINE, WIDE = 0.018, 0.10  # scales of the structure that is kept, in eye distances
DEEPEST, HIGHEST = 0.22, 0.08  # limits of a fold, natural logarithm of lightness


def own_structure(scene: Scene, region: Region, light: Floats) -> Floats:
    """Factor of the skin's brightness [S, S], about 1: the photo's own forms that the model misses.

    Args:
        scene, region: the face.
        light: linear RGB [S, S, 3] that the model has already painted.
    """
    unit, traits = scene.unit, scene.traits
    free = _undrawn(scene, region)
    photo = np.log(np.clip(scene.lab[..., 0], 4, 100) / 100).astype(np.float32)
    model = np.log(np.clip(luminance(light), 0.05, 2)).astype(np.float32) / 2.4
    missing = _band(photo, free, unit) - 0.6 * _band(model, free, unit)
    missing = np.where(
        missing < 0,
        -DEEPEST * np.tanh(-missing / DEEPEST),
        HIGHEST * np.tanh(missing / HIGHEST),
    )
    hard = _hardness(photo, free, scene)
    young = 0.28 + 0.18 * traits.male  # a character under fifty has few folds
    amount = young + traits.old * (0.72 + 0.40 * traits.male - young)
    amount *= (1 - 0.75 * traits.child) * (1 - 0.55 * hard)
    bags = scene.surface.spot(3.1, 1.5, 2.6, 1.3) * (1 - traits.old)
    nose = scene.surface.spot(0, 1.6, 1.9, 3.2)
    soft = blur(free, 0.03 * unit) * free * (1 - 0.8 * bags) * (1 - 0.8 * nose)
    muzzle = scene.surface.spot(0, -3.2, 3.6, 2.2)  # a mouth in a dark ring looks like a snout
    soft = soft * (1 - (0.8 - 0.4 * traits.old) * muzzle)
    factor = amount * missing * soft
    folds = _folds(scene, region, free)
    return np.exp(1.9 * factor - folds).astype(np.float32)


def _undrawn(scene: Scene, region: Region) -> Floats:
    """Skin that nothing is drawn on: [S, S] 0..1."""
    unit = scene.unit
    marks = np.clip(blur(np.clip(scene.marks.all * 1.5, 0, 1), 0.03 * unit) * 1.5, 0, 1)
    hidden = np.clip(blur(scene.frame, 0.03 * unit) * 1.5, 0, 1)
    free = region.seen * region.skin * (1 - marks) * (1 - hidden)
    free = free * (1 - blur(region.beard, 0.03 * unit)) * (1 - region.lens)
    inside = smoothstep(0.35, 0.95, blur(scene.marks.oval, 0.10 * unit))
    return (free * inside * scene.surface.cover).astype(np.float32)


def _band(values: Floats, where: Floats, unit: float) -> Floats:
    """Structure between the two scales, measured on skin alone."""
    weight = where + np.float32(0.01)
    return masked_blur(values, weight, FINE * unit) - masked_blur(values, weight, WIDE * unit)


def _hardness(photo: Floats, free: Floats, scene: Scene) -> float:
    """0 soft .. 1 hard light: how far lightness spreads over the upper face."""
    use = (free > 0.5) & (scene.above > -0.8 * scene.unit)
    if use.sum() < 50:
        return 0.5
    low, high = np.percentile(blur(photo, 0.03 * scene.unit)[use], [12, 88])
    return float(rise(0.75, 1.5, high - low))


def _folds(scene: Scene, region: Region, free: Floats) -> Floats:
    """Wrinkles of old people and laugh lines, as a darkening exponent [S, S]."""
    unit, traits = scene.unit, scene.traits
    light = blur(scene.lab[..., 0], 0.9)
    kernel = disc(0.055 * unit)
    on = region.skin > 0.4
    top = cv2.dilate(np.where(on, light, np.float32(0)), kernel)
    top = cv2.erode(np.where(on, top, np.float32(100)), kernel)
    depth = np.clip(top - light, 0, 100) / (top + 10)
    lines = float((depth * free).sum() / (free.sum() + 1))
    worn = float(rise(0.022, 0.058, lines) * rise(42, 58, traits.age))
    aged = min(0.60 * traits.old + 0.75 * worn, 1.0) * (1 - traits.child)
    crease = np.tanh(blur(depth * 100, 0.024 * unit) / 11) * 0.44
    cheeks = 1 - 0.45 * scene.surface.spot(4.6, -1.6, 2.2, 3.0)  # blotches there are no folds
    total = cheeks * crease * aged * (0.75 + 0.25 * traits.male) * free
    size = scene.size
    for ids in NASOLABIAL:
        curve = open_curve(scene.points[ids, :2].astype(np.float64), 40)[2:34]
        soft = stroke(size, curve, max(2, int(0.03 * unit)), 0.022 * unit)
        total = total + soft * ((0.12 + 0.10 * traits.old) * traits.smile + 0.30 * aged)
    return np.clip(total, 0, 0.6).astype(np.float32)
