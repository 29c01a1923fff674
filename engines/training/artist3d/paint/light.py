"""Light on the character: the photo's side, soft key and fill, shadow, occlusion, scattering."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, Reals, blur, mix
from engines.training.artist.imaging import masked_blur
from engines.training.artist3d.colour import rise, unit
from engines.training.artist3d.head.fit import Camera
from engines.training.artist3d.head.raster import rasterise
from engines.training.artist3d.head.rig import SKIN, Rig
from engines.training.artist3d.head.surface import Surface

SHADOW_SIZE = 320
SHADOW_BIAS = 0.35  # centimetres
SHADOW_RADIUS = 0.62  # of the soft edge, centimetres
RINGS = ((0.4, 6), (0.8, 9), (1.2, 10))  # radius, samples
OCCLUSION = ((0.05, 0.8), (0.11, 1.0), (0.20, 1.0), (0.36, 0.9))  # radius in eye distances, weight
SCATTER = ((0.040, 0.22), (0.020, 0.45), (0.012, 0.60))  # red, green, blue: radius, share kept
KEY = np.array([1.06, 1.0, 0.90], np.float32)
FILL = np.array([0.98, 0.96, 1.0], np.float32)
SKY, GROUND = np.array([0.92, 0.98, 1.06], np.float32), np.array([1.02, 0.82, 0.70], np.float32)


@dataclass(frozen=True)
class Lamp:
    """Where the light comes from, camera space.

    Attributes:
        key, rim: unit vectors to the lamps.
        side: -1 left .. 1 right.
        hard: 0 soft .. 1 hard light in the photo.
    """

    key: NDArray[np.float64]
    rim: NDArray[np.float64]
    side: float
    hard: float


def find_lamp(normals: Floats, lightness: Floats, where: Floats) -> Lamp:
    """The key's side from a least-squares fit of the photo's L* (0..100) on the normals.

    Args:
        normals: [S, S, 3] camera space.
        lightness: [S, S] L* of the photo in toon space.
        where: [S, S], skin to look at.
    """
    side, hard = 0.0, 0.3
    use = where > 0.6
    if use.sum() > 400:
        rows = np.column_stack([normals[use], np.ones(use.sum())])[::5].astype(np.float64)
        values = (lightness[use] / 100)[::5]
        slope = np.linalg.lstsq(rows, values, rcond=None)[0]
        # Without a clear side the light comes from the front: a side that jumped with a trifle
        # could not be learned, least of all from mirrored pairs.
        side = float(np.tanh(6 * slope[0]))
        middle = float(np.median(lightness[use])) / 100
        contrast = float(np.hypot(slope[0], slope[1])) / (middle + 0.05)
        hard = float(rise(0.25, 0.9, np.clip(contrast, 0, 1)))
    key = np.array([(0.58 + 0.32 * hard) * side, 0.60 - 0.1 * hard, 0.74 - 0.10 * hard])
    rim = np.array([-0.95 * side, 0.35, -0.35])
    return Lamp(np.asarray(unit(key)), np.asarray(unit(rim)), side, hard)


def cast_shadow(rig: Rig, camera: Camera, vertices: Reals, lamp: Lamp, surface: Surface) -> Floats:
    """Share of the key that the head's own shadow leaves, [S, S] 0..1 (a soft shadow map)."""
    z = lamp.key
    x = unit(np.cross([0, 1, 0], z))
    basis = np.stack([x, np.cross(z, x), z])
    turned = camera.turn(vertices[:SKIN]) @ basis.T
    low, high = turned[:, :2].min(0), turned[:, :2].max(0)
    scale = (SHADOW_SIZE - 4) / (high - low).max()
    seen = np.column_stack([(turned[:, :2] - low) * scale + 2, turned[:, 2]])
    _, _, depth = rasterise(seen, rig.triangles, SHADOW_SIZE, SHADOW_SIZE)
    depth = np.maximum(depth, -50)
    half = surface.position[::2, ::2] @ basis.T.astype(np.float32)
    u, v = (half[..., k] * np.float32(scale) + np.float32(2 - low[k] * scale) for k in (0, 1))
    offsets = [(0.0, 0.0)]
    for radius, count in RINGS:
        angles = np.arange(count) * 2 * np.pi / count
        offsets += list(zip(radius * np.cos(angles), radius * np.sin(angles), strict=True))
    lit = np.zeros(u.shape, np.float32)
    spread = SHADOW_RADIUS * scale
    for ox, oy in offsets:
        blocker = cv2.remap(
            depth, u + np.float32(ox * spread), v + np.float32(oy * spread), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT, borderValue=-50,
        )  # fmt: skip
        lit += (1 - rise(SHADOW_BIAS, SHADOW_BIAS + 0.5, blocker - half[..., 2])).astype(np.float32)
    size = surface.cover.shape[0]
    share = cv2.resize(lit / len(offsets), (size, size), interpolation=cv2.INTER_LINEAR)
    return mix(np.ones_like(share), share, cv2.GaussianBlur(surface.core, (0, 0), 3.0))


def occlusion(surface: Surface, unit_cm: float, unit_px: float) -> Floats:
    """How open every place is, [S, S] 0..1: what rises over its tangent plane nearby darkens it.

    Screen-space occlusion after Ritschel et al., "Approximating Dynamic Global Illumination in
    Image Space" (2009), at half resolution.

    Args:
        surface: the character.
        unit_cm, unit_px: the distance of the eyes in centimetres and in pixels.
    """
    size = surface.cover.shape[0]
    half = size // 2
    shape = (half, half)
    where = cv2.resize(surface.raw_position, shape, interpolation=cv2.INTER_NEAREST)
    normals = unit(cv2.resize(surface.normals, shape, interpolation=cv2.INTER_AREA))
    normals = normals.astype(np.float32)
    cover = cv2.resize(surface.cover, shape, interpolation=cv2.INTER_NEAREST)
    blocked, total = np.zeros(shape, np.float32), 0.0
    for radius, weight in OCCLUSION:
        reach = np.float32(2.2 * radius * unit_cm)
        for angle in np.arange(10) * 2 * np.pi / 10 + radius * 40:
            dx = round(radius * unit_px / 2 * np.cos(angle))
            dy = round(radius * unit_px / 2 * np.sin(angle))
            if dx == 0 and dy == 0:
                continue
            move = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
            other = cv2.warpAffine(where, move, shape, flags=cv2.INTER_NEAREST)
            there = cv2.warpAffine(cover, move, shape, flags=cv2.INTER_NEAREST)
            to = other - where
            length = np.sqrt((to * to).sum(-1)) + np.float32(1e-4)
            height = (to * normals).sum(-1) / length
            near = np.clip(1.6 - length / reach, 0, 1)
            blocked += np.float32(weight) * there * np.clip(height - 0.12, 0, 1) * near
            total += weight
    opened: Floats = (np.clip(1 - 2.1 * blocked / total, 0.12, 1) ** 1.25).astype(np.float32)
    opened = cv2.GaussianBlur(opened, (0, 0), 1.6)
    opened = cv2.resize(opened, (size, size), interpolation=cv2.INTER_CUBIC)
    opened = opened * surface.cover + (1 - surface.cover)
    return mix(np.ones_like(opened), opened, cv2.GaussianBlur(surface.core, (0, 0), 2.0))


def irradiance(
    surface: Surface, lamp: Lamp, shadow: Floats, opened: Floats, skin: Floats, unit_px: float
) -> Floats:
    """Light arriving at the skin, linear RGB [S, S, 3], about 1 where the key falls.

    The key wraps further round the form in red, and every channel is blurred by how far it travels
    under the skin (after d'Eon and Luebke, "Advanced Techniques for Realistic Real-Time Skin
    Rendering", 2007).
    """
    normals, spot = surface.filled, surface.spot
    # A film lights its faces so that no corner of an eye and no upper lip lies in deep shade.
    opened = opened + (1 - opened) * np.maximum(
        0.72 * spot(1.7, 2.8, 1.6, 2.0), 0.5 * spot(0, -2.4, 3.0, 1.6)
    )
    shadow = shadow + (1 - shadow) * 0.55 * spot(0, -2.8, 3.6, 2.0)
    facing = normals @ lamp.key.astype(np.float32)
    wrapped = np.stack(
        [np.clip((facing + w) / (1 + w), 0, 1) ** 1.15 for w in (0.42, 0.30, 0.24)], -1
    )
    shadows = np.stack([shadow**p for p in (0.75, 1.0, 1.1)], -1)
    above = (normals[..., 1] * 0.5 + 0.5)[..., None]
    ambient = above * SKY + (1 - above) * GROUND
    front = np.clip(normals[..., 2], 0, 1)[..., None]
    open3 = np.stack([opened**p for p in (0.82, 1.0, 1.08)], -1)
    hard = lamp.hard
    light = KEY * wrapped * shadows * (0.94 + 0.12 * hard) * (0.45 + 0.55 * open3)
    fill = ambient * 0.23 + FILL * (0.25 + 0.75 * front) * 0.13
    light = light + fill * open3 * (1 - 0.25 * hard)
    where = np.clip(skin, 0.02, 1)
    channels = [
        mix(
            masked_blur(np.ascontiguousarray(light[..., c]), where, radius * unit_px),
            light[..., c], kept,
        )
        for c, (radius, kept) in enumerate(SCATTER)
    ]  # fmt: skip
    light = np.dstack(channels).astype(np.float32)
    x, y, z = (surface.rest[..., k] for k in range(3))  # cm
    below = -7.5 + 0.115 * x**2 - y  # the jaw's lower edge
    behind = rise(9.3, 7.3, z + 0.10 * x**2)  # the chin itself stays in the light
    neck = 0.74 * np.exp(-np.maximum(below - 1, 0) / 5.0) * rise(0.0, 0.8, below) * behind
    neck = neck * surface.cover
    darker = blur(neck.astype(np.float32), 1.5)[..., None]
    return light * (1 - darker * np.array([0.80, 1.0, 1.05], np.float32))
