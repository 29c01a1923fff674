"""Lights the painting like a film still: soft key, glow, blush, and the photo's own skin tone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.faces.film_print import printed
from engines.faces.head import CHIN, MOUTH_CORNERS, NOSE, NOSE_TIP, NOSE_WINGS
from engines.faces.pixels import Floats, Reals, blur, mix, polygon, smoothstep, step, to_rgb
from engines.training.artist import light as lamps
from engines.training.artist.imaging import luminance, masked_blur
from engines.training.artist.looks import Look
from engines.training.artist.scene import Scene
from engines.training.artist.skin import Painting, age_lines

RIM_COLOUR = np.array([1.0, 0.86, 0.66], np.float32)
NOSE_RELIEF = 0.10  # log gain of the key on the slopes of the nose
BALL_RELIEF = 0.30  # log gain of the key on its tip, a ball
BOUNCE = 0.15  # log gain of light from below at the edge of jaw and chin
WET = (0.035, 0.05)  # how bright the lights on nose and lip are
KEY = 0.68  # log gain of the key over the shade
HOLLOW = (0.08, 0.23)  # log gain of the darkest hollow, a socket, in light and in heavy faces
PROFILE = (0.3, 0.6)  # sine of the yaw: hollows fade from here on .. are gone, as depth is unsure
SHADING = 0.88  # share of the photo's shading that goes
FLATTENING = 0.85  # share of the photo's wide light and shade on skin that goes
BLOTCHES = 0.8  # share of narrower patches of light that goes on dark skin: its sheen is patchy
NECK = 0.8  # share of the neck's own light that stays: it sets off the chin
SHARPENING = 0.4  # share of the finest detail that the print adds
KNEE = 0.82  # luminance above which highlights roll off


@dataclass(frozen=True)
class Lit:
    """A lit painting and the light it stands in."""

    rgb: Floats
    side: float  # of the key, -0.5 left .. 0.5 right
    skin_light: float  # luminance of lit skin in the photo, 0..1
    target: float  # and in the toon


def _spots(size: int, centres: Reals, radii: list[float]) -> Floats:
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    total = np.zeros((size, size), np.float32)
    for (x, y), radius in zip(centres[:, :2], radii, strict=True):
        total += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius * radius))
    return total


def relight(scene: Scene, look: Look, painting: Painting) -> Lit:
    """Replace most of the photo's shading by a soft key on the toon's shape, then colour it."""
    skin, amount = scene.all_skin, look.light * scene.strength
    log_light = np.log(np.clip(painting.light, 0.03, 1))
    shading, azimuth = lamps.photo_shading(log_light, scene.shape, skin)
    on_skin = skin > 0.5
    enough = on_skin.sum() > 50
    median = float(np.median(log_light[on_skin] if enough else log_light))
    shading = np.clip(shading - median, -0.7, 0.45)
    side = 0.50 * float(np.tanh(azimuth * 5 - 0.8))  # follows the photo's lamp, left by default
    key = np.array([side, -0.28, 0.85], np.float32)
    key /= np.linalg.norm(key)
    gain = _light_gain(scene, key, log_light - median, shading) * amount
    gain = gain - (float(np.median(gain[on_skin])) if enough else 0) + 0.05 * scene.strength
    head = np.clip(smoothstep(1.35, 0.95, scene.shape.radius) * scene.person, 0, 1)
    gain = gain * head * (0.25 + 0.75 * skin) * (1 - scene.marks.eyes * 0.8)
    shade = lamps.occlusion(scene.points, scene.head, scene.size) * amount
    gain = gain - age_lines(scene) * amount
    gain = gain - shade * scene.skin * (1 - 0.9 * scene.marks.lips)

    dark = step(64, 40, float(scene.skin_colour[0])) * scene.rich
    usual = 55 - 19 * dark  # percentile: the sheen of dark skin must not make it lighter
    lit = float(np.exp(np.percentile(log_light[on_skin], usual) if enough else median))
    lift = 0.02 + 0.16 * step(0.40, 0.62, lit)  # dark skin stays dark
    target = lit + lift * max(0.72 - lit, 0)
    light = np.exp(log_light + gain)
    light = light * (1 + (target / lit - 1) * head * (0.35 + 0.65 * skin))
    rolled = KNEE + (1 - np.exp(-(light - KNEE) / (1 - KNEE))) * (1 - KNEE)
    light = np.where(light > KNEE, rolled, light)
    light = light + _glow(scene, key, side) * amount * (0.48 + lit)
    middle = max(target, float(np.median(light[on_skin])) if enough else 0.0)
    top = middle * (1.12 + 0.24 * dark)
    over = np.maximum(light - top, 0)  # a lamp's reflection is not the colour of skin
    light = light - skin * amount * (over - 0.10 * np.tanh(over / 0.10))
    light = light + _wet(scene, side) * amount * (0.48 + lit)  # over that limit
    rgb = _coloured(scene, painting, light, np.exp(log_light), target)
    return Lit(rgb, side, lit, target)


def _light_gain(scene: Scene, key: Floats, relative: Floats, shading: Floats) -> Floats:
    """Log gain: the toon's shading instead of the photo's, cast shadows and hot spots softened."""
    skin, shape, gloss, heavy = scene.all_skin, scene.shape, scene.gloss, scene.heavy
    facing = (shape.normals @ key + 0.45) / 1.45
    toon = -0.20 + KEY * smoothstep(0.05 + 0.15 * heavy, 1 + 0.06 * heavy, facing)
    toon = toon - np.clip(-shape.cavity, -0.06, 0.10) * (1 - scene.band.repaint)
    depth = float(np.interp(heavy, (0, 1), HOLLOW)) * (1 - step(*PROFILE, scene.head.turn))
    toon = toon + depth * np.tanh(shape.hollow * 3) * np.where(shape.hollow < 0, 1, 0.35)
    toon = toon + _nose_form(scene, key) + _bounce(scene)
    rest = relative - SHADING * shading
    stains = FLATTENING * masked_blur(rest, scene.plain_skin, 0.22 * scene.unit)
    rest = rest - stains
    patches = BLOTCHES * gloss * masked_blur(rest, scene.plain_skin, 0.09 * scene.unit)
    stains, rest = stains + patches, rest - patches
    glints = -0.85 * (1 - 0.5 * gloss) * np.maximum(blur(rest, 2.0) - 0.05, 0)
    cast = lamps.cast_light(rest, skin, scene.unit, gloss)
    softened = np.where(cast > 0, cast, np.minimum(cast, glints))  # both would darken a spot twice
    softened = blur(softened * skin, 0.02 * scene.unit)
    softened = softened * (1 - 0.8 * scene.own_nose)
    gain = toon - SHADING * shading - stains * skin + softened * (1 - 0.5 * scene.marks.nose)
    return gain * (1 - NECK * scene.below_jaw)


def _bounce(scene: Scene) -> Floats:
    """Log gain of light that chest and collar throw back at the underside of jaw and chin, so that
    the face ends in front of its neck."""
    chin = float(scene.head.flat(scene.points[[CHIN]])[0, 1])
    mouth = float(scene.head.flat(scene.points[list(MOUTH_CORNERS)])[:, 1].mean())
    _, y = scene.head.grid(scene.size)
    low = smoothstep(mouth - 0.15, 0.6 * mouth + 0.4 * chin, y)
    away = blur(1 - scene.marks.oval, 0.16 * scene.unit)  # near the edge the surface turns down
    return BOUNCE * low * smoothstep(0.05, 0.40, away) * scene.marks.oval


def _nose_form(scene: Scene, key: Floats) -> Floats:
    """Log gain that models the nose: the key on its own slopes, which the mesh knows."""
    unit = scene.unit
    nose = polygon(scene.size, scene.points[NOSE], 0.06 * unit, 0.05 * unit)
    normals = blur(scene.shape.normals, 0.09 * unit)
    own = normals - blur(normals, 0.30 * unit)
    lamp = np.array([1.2 * key[0], 0.8 * key[1], 0.6], np.float32)
    _, down = scene.head.grid(scene.size)
    tip = scene.points[NOSE_TIP, :2]
    tip_down = float(scene.head.flat(scene.points[[NOSE_TIP]])[0, 1])
    low = smoothstep(0.0, max(0.7 * tip_down, 0.05), down)  # a bridge with hard planes is a box
    radius = 0.36 * float(np.linalg.norm(np.subtract(*scene.points[NOSE_WINGS, :2])))
    rows, columns = np.mgrid[0 : scene.size, 0 : scene.size].astype(np.float32)
    x, y = (columns - tip[0]) / radius, (rows - tip[1]) / radius
    away = np.hypot(x, y)
    lit = x * key[0] + y * key[1] + np.sqrt(np.maximum(1 - away**2, 0.04)) * key[2]
    ball = BALL_RELIEF * (lit - 0.7 * key[2]) * smoothstep(1.25, 0.75, away) * nose
    return NOSE_RELIEF * np.tanh(own @ lamp * 3) * nose * (0.35 + 0.65 * low) + ball


def _wet(scene: Scene, side: float) -> Floats:
    """Soft lights on the ball of the nose and on the lower lip, which give both their volume."""
    points, unit = scene.points, scene.unit
    tip = points[NOSE_TIP, :2] + unit * np.array([0.05 * side, -0.05])
    lip = points[[17, 14], :2].mean(0)
    nose = WET[0] * _spots(scene.size, tip[None], [0.085 * unit]) * scene.all_skin
    return nose + WET[1] * _spots(scene.size, lip[None], [0.07 * unit]) * scene.marks.lips


def _glow(scene: Scene, key: Floats, side: float) -> Floats:
    """Sheen of the skin, glints on nose tip and lip, soft light on cheeks and forehead."""
    points, unit, size, skin = scene.points, scene.unit, scene.size, scene.all_skin
    half = key + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    narrow = 30 + 90 * scene.gloss  # stronger on dark skin, so it must cover less
    sheen = np.clip(scene.shape.normals @ half, 0, 1) ** narrow * skin * scene.shape.face
    tip = points[NOSE_TIP, :2] + unit * np.array([0.08 * side, -0.06])
    glint = _spots(size, np.stack([tip, points[[17, 14], :2].mean(0)]), [0.06 * unit] * 2)
    soft = 0.05 * _spots(size, points[[NOSE_TIP]], [0.11 * unit])
    soft = soft + 0.06 * _spots(size, points[[50, 280]], [0.17 * unit] * 2)
    soft = soft + 0.05 * _spots(size, points[[151]], [0.34 * unit])
    bright = np.maximum(skin, scene.marks.lips * 0.8)
    spots = (0.13 * glint + soft) * bright * (1 + scene.gloss)
    return 0.13 * sheen * (1 + 1.5 * scene.gloss) + spots


def _coloured(
    scene: Scene, painting: Painting, light: Floats, before: Floats, target: float
) -> Floats:
    """Chroma that follows the light, warm shadows, blush, and the photo's skin tone."""
    skin, colour, unit = scene.all_skin, scene.colour, scene.unit
    shade = np.clip(1 - light / target, 0, 0.5)
    chroma = 1 + (np.clip(light / before, 0.75, 1.4) ** 0.5 - 1) * skin
    chroma = chroma * np.where(skin > 0, 1.02 + 0.10 * shade * skin, 1.06)
    cheeks = _spots(
        scene.size, scene.points[[205, 425, NOSE_TIP]], [0.22 * unit, 0.22 * unit, 0.13 * unit]
    )
    blush = np.clip(cheeks, 0, 1) * colour * (1 - 0.7 * scene.gloss)
    # Light on dark skin differs so much from place to place that one paint must follow it, or the
    # lit places look grey and the shaded ones red.
    followed = painting.skin_ab * np.clip(light / target, 0.4, 1.5)[..., None] ** 0.8
    ab = mix(painting.ab * chroma[..., None], followed, 0.85 * scene.gloss * skin)
    a = ab[..., 0] + skin * ((1 - scene.gloss) * colour * 13 * np.minimum(shade, 0.4) + 7.0 * blush)
    b = ab[..., 1] + skin * ((1 - scene.gloss) * colour * 8 * np.minimum(shade, 0.4) + blush)
    core = (skin > 0.6) & (scene.marks.oval > 0.5)
    if core.sum() > 200:
        wanted = np.array(
            [target * 100 + 1.0, *(painting.skin_ab * (1.04 + 0.16 * scene.rich) + 0.6 * colour)]
        )
        found = np.array([np.median(light[core]) * 100, np.median(a[core]), np.median(b[core])])
        change = (wanted - found) * 0.85 * scene.strength
        lift = np.clip(1 + change[0] / max(found[0], 5), 0.85, 1.3) - 1
        light = light * (1 + lift * np.maximum(scene.skin, scene.band.repaint))
        a, b = a + change[1] * skin, b + change[2] * skin
    return to_rgb(np.stack([np.clip(light, 0, 1) * 100, a, b], -1))


def add_rim(scene: Scene, look: Look, rgb: Floats, side: float) -> Floats:
    """Warm light on hair and shoulders away from the key."""
    edge = lamps.rim(scene.points, scene.person, scene.shape, scene.head, -float(np.tanh(side * 5)))
    edge = edge * look.light * scene.strength * (1 - scene.skin) * (1 - blur(scene.marks.oval, 3))
    edge = edge * (0.10 + 0.7 * np.clip(luminance(rgb), 0, 0.6))
    tint = mix(np.ones(3, np.float32), RIM_COLOUR, scene.colour)
    return 1 - (1 - rgb) * (1 - edge[..., None] * tint)


def grade(scene: Scene, rgb: Floats, head: Floats, middle: float) -> Floats:
    """Bloom, a film print's depth and colour on the head, and edges crisp enough to outlive a
    network's softening.

    Args:
        scene: what was measured.
        rgb: [S, S, 3], 0..1.
        head: [S, S], 0..1, where the head is.
        middle: light of its skin, 0..1, which stays.
    """
    bloom = blur(np.clip(rgb - 0.55, 0, 1).astype(np.float32), 0.08 * scene.unit)
    rgb = printed(np.clip(1 - (1 - rgb) * (1 - 0.20 * bloom), 0, 1), middle, head)
    return np.clip(rgb + SHARPENING * (rgb - blur(rgb, 0.012 * scene.unit)), 0, 1)
