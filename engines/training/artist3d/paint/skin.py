"""The painted skin: albedo by zone, lips, nostrils, gloss, rim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.faces.head import INNER_LIPS, LIPS
from engines.faces.pixels import Floats, blur, mix, polygon, smoothstep, to_rgb
from engines.training.artist.imaging import guided_filter, luminance, masked_blur
from engines.training.artist3d.colour import rise, to_linear, unit
from engines.training.artist3d.curves import closed_curve
from engines.training.artist3d.observe.region import Region
from engines.training.artist3d.observe.scene import Scene
from engines.training.artist3d.observe.tone import Tone
from engines.training.artist3d.paint.light import Lamp

BLOOD = np.array([0.45, 0.95, 1.0], np.float32)  # what a fold takes from red, green, blue
SHOULDER, ROOM = 0.55, 0.42  # highlights are rolled off above the first by the second


@dataclass(frozen=True)
class Lips:
    """Mask [S, S] and colour (linear, per light) [S, S, 3] of the lips."""

    mask: Floats
    colour: Floats


def skin_albedo(scene: Scene, region: Region, tone: Tone, reference: Floats) -> Floats:
    """Reflectance [S, S, 3], linear: one tone, warmer where blood is near, stubble, nostrils.

    Args:
        scene, region, tone: the face.
        reference: [3] light under which the tone is to be seen.
    """
    spot, rest, unit_px = scene.surface.spot, scene.surface.rest, scene.unit
    grown, colour = 1 - scene.traits.child, tone.colour
    size = scene.size
    albedo = np.broadcast_to(tone.linear / reference, (size, size, 3)).astype(np.float32).copy()
    front = rest[..., 2]
    female = 1 - 0.45 * scene.traits.male
    blush = 0.85 * female * spot(4.3, -0.3, 2.2, 1.7)
    blush = blush + 0.60 * spot(0, 0.2, 1.2, 1.1) * rise(10.5, 12, front)
    blush = blush + 0.25 * spot(0, -6.8, 1.6, 1.0)
    ears = rise(6.7, 7.6, np.abs(rest[..., 0])) * (front < 4) * scene.surface.cover
    blush = blur((blush + 0.5 * ears).astype(np.float32), 2.0)[..., None]
    light_warm = np.array([1.03, 0.80, 0.76], np.float32)
    dark_warm = np.array([1.08, 0.84, 0.78], np.float32)
    warm = mix(light_warm, dark_warm, tone.dark)
    albedo *= 1 + blush * (warm - 1) * (0.4 + 0.6 * colour)
    lid = np.maximum(spot(3.1, 4.5, 2.0, 0.9), 0.2 * spot(3.1, 2.4, 1.9, 0.6))
    shade = np.array([0.95, 0.84, 0.82], np.float32) - 1
    albedo *= 1 + blur(lid.astype(np.float32), 2.0)[..., None] * shade
    albedo *= 1 + 0.04 * spot(0, 8.5, 4.5, 2.6)[..., None]
    own = masked_blur(scene.lab[..., 1:], region.seen * region.skin + 0.003, 0.20 * unit_px)
    own = np.clip(own - scene_mean(own, region), -6, 6) * 0.35 * colour
    albedo *= np.exp(np.dstack([own[..., 0] * 0.020, -own[..., 0] * 0.012, -own[..., 1] * 0.022]))
    nose = front > 9
    wing = np.exp(
        -(((np.abs(rest[..., 0]) - 1.72) / 0.30) ** 2) - ((rest[..., 1] + 0.55) / 0.62) ** 2
    )
    wing = blur((wing * scene.surface.cover * nose).astype(np.float32), 0.010 * unit_px)
    albedo *= 1 - wing[..., None] * (0.08 + 0.12 * grown) * BLOOD
    under = np.exp(-((rest[..., 0] / 1.1) ** 4) - ((rest[..., 1] + 1.45) / 0.38) ** 2)
    under = blur((under * scene.surface.cover * (front > 9.5)).astype(np.float32), 0.014 * unit_px)
    albedo *= 1 - under[..., None] * 0.12 * BLOOD
    hole = np.exp(
        -(((np.abs(rest[..., 0]) - 0.72) / 0.42) ** 2) - ((rest[..., 1] + 0.92) / 0.26) ** 2
    )
    facing_down = smoothstep(0.12, -0.35, scene.surface.filled[..., 1])
    hole = blur((hole * scene.surface.cover * (front > 10) * facing_down), 0.008 * unit_px)
    dark = np.array([0.72, 0.86, 0.88], np.float32)
    albedo *= 1 - np.clip(hole * 0.95, 0, 0.9)[..., None] * dark
    shaved = np.clip(region.stubble, 0, 0.7)[..., None] * grown
    albedo *= np.exp(-shaved * np.array([1.30, 1.22, 1.05], np.float32))
    return albedo.astype(np.float32)


def scene_mean(values: Floats, region: Region) -> Floats:
    """Mean [K] of values [S, S, K] on the inner face."""
    weight = (region.inner * region.skin)[..., None]
    return np.asarray((values * weight).sum((0, 1)) / (weight.sum() + 1), np.float32)


def paint_lips(scene: Scene, region: Region, tone: Tone, reference: Floats) -> Lips:
    """The person's lips: own outline, own hue and relative darkness, own modelling."""
    size, unit_px, lab = scene.size, scene.unit, scene.lab
    outline = closed_curve(scene.points[LIPS, :2].astype(np.float64))
    mask = polygon(size, outline, 0.012 * unit_px, 0.012 * unit_px)
    inner = polygon(size, scene.points[INNER_LIPS])
    use = (polygon(size, scene.points[LIPS]) > 0.8) & (inner < 0.2)
    seen = np.median(lab[use], 0) if use.sum() > 20 else tone.seen + np.array([-6, 8, 0])
    level, a, b = tone.lab
    male, child = scene.traits.male, scene.traits.child
    ratio = float(np.clip((seen[0] + 2) / max(tone.seen[0], 8), 0.50, 0.97))
    grown = (
        float(np.clip(level / max(tone.seen[0], 15), 0.8, 1.7)) ** 0.5
    )  # chroma falls with light
    red = float(np.clip((seen[1] - tone.seen[1]) * grown, 4 + 5 * (1 - male), 40 - 14 * male))
    yellow = float(np.clip((seen[2] - tone.seen[2]) * grown, -10, 10))
    made_up = float(rise(16, 30, red)) * (1 - male)
    darkness = 0.86 + 0.04 * male + (0.50 + 0.45 * made_up) * (ratio - 0.85)
    colour = np.array(
        [
            level * darkness,
            a + (0.90 * red + 3.0 - 2.5 * male) * (1 - 0.3 * child) * tone.colour,
            b + (0.7 + 0.2 * made_up) * yellow,
        ]
    )
    field = np.broadcast_to(colour.astype(np.float32), lab.shape).copy()
    smooth = guided_filter(lab[..., 0] / 100, lab[..., 0] / 100, 0.03 * unit_px, 0.002) * 100
    modelling = smooth - masked_blur(smooth, mask * (1 - inner) + 1e-3, 0.15 * unit_px)
    field[..., 0] += np.clip(modelling, -9, 6) * 0.45
    share = np.clip(mask, 0, 1) * (0.92 - 0.08 * child - 0.14 * male)
    share = share * (1 - np.clip(region.beard * 1.2, 0, 1))
    return Lips(share, to_linear(to_rgb(field)) / reference)


def shine(
    scene: Scene, tone: Tone, lamp: Lamp, shadow: Floats, opened: Floats, lips: Lips, albedo: Floats
) -> Floats:
    """Light that the surface itself throws back: gloss, wet lips, the rim; linear RGB [S, S, 3]."""
    normals, rest, spot = scene.surface.filled, scene.surface.rest, scene.surface.spot
    view = np.array([0.0, 0.0, 1.0])
    half = unit(lamp.key + view).astype(np.float32)
    second = unit(unit(np.array([-0.55 * lamp.side, 0.45, 0.75])) + view)
    to_key = np.clip(normals @ half, 0, 1)
    to_fill = np.clip(normals @ second.astype(np.float32), 0, 1)
    gloss = (0.105 * to_key**14 + 0.085 * to_key**46) * shadow + 0.04 * to_fill**20
    zone = spot(0, 0.6, 0.9, 1.0) * rise(10, 12, rest[..., 2])
    bridge = spot(0, 3.0, 1.6, 1.7)  # a line of gloss there would make a ruler of the nose
    gloss = gloss * (1 + 1.6 * tone.dark) * (1 + 0.8 * zone) * (1 - 0.75 * bridge)
    wet = 0.30 * to_key**60 * blur(lips.mask, 1.0) * (0.9 - 0.5 * scene.traits.male)
    tip = np.exp(
        -(((rest[..., 0] - 0.16 * lamp.side) / 0.42) ** 2) - ((rest[..., 1] - 0.62) / 0.36) ** 2
    )
    tip = tip * scene.surface.cover * (rest[..., 2] > 11)
    gloss = gloss + wet + 0.075 * blur(tip.astype(np.float32), 0.012 * scene.unit)
    bright = 0.35 + 0.9 * np.sqrt(float(tone.linear @ np.array([0.299, 0.587, 0.114])))
    sheen = np.array([1.0, 0.97, 0.92], np.float32)
    own = tone.linear / (float(tone.linear.max()) + 1e-6)
    sheen = sheen * mix(np.ones(3, np.float32), own, 0.40 * tone.dark)
    light = (gloss * opened)[..., None] * sheen * bright
    side_on = 1 - normals[..., 2]
    rim = np.clip(normals @ lamp.rim.astype(np.float32), 0, 1) ** 1.5
    rim = rim * smoothstep(0.45, 1.0, side_on) * (0.4 + 0.6 * opened)
    sky = 0.4 * smoothstep(0.62, 1.0, side_on) * np.clip(normals[..., 1] * 0.5 + 0.6, 0, 1)
    edge = (rim * 0.80 + sky * 0.14)[..., None] * np.array([1.0, 0.93, 0.84], np.float32)
    return light + edge * (0.15 + 0.75 * albedo)


def roll_off(light: Floats) -> Floats:
    """Compress highlights softly below 1."""
    over = SHOULDER + ROOM * (1 - np.exp(-(light - SHOULDER) / ROOM))
    return np.where(light > SHOULDER, over, light).astype(np.float32)


def mean_light(light: Floats, where: Floats) -> Floats:
    """Reference light [3]: what the face's brighter middle receives."""
    use = where > 0.7
    if use.sum() < 20:
        return np.ones(3, np.float32)
    return np.asarray(np.percentile(light[use], 62, axis=0), np.float32)


def relative_shade(light: Floats, reference: Floats) -> Floats:
    """Brightness of the light [S, S], 1 = the reference."""
    return np.clip(luminance(light / reference), 0.6, 1.25)
