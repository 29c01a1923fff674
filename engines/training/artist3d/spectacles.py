"""Spectacles: the photo's own frame, its rims traced once more as clean lines, clear lenses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.training.artist.imaging import (
    Floats,
    Reals,
    blur,
    masked_blur,
    mix,
    smoothstep,
    to_lab,
    to_rgb,
)
from engines.training.artist.spectacles import trace
from engines.training.artist3d.colour import rise
from engines.training.artist3d.light import Lamp
from engines.training.artist3d.region import Region
from engines.training.artist3d.scene import Scene

TURNS, ACROSS = 144, 72  # places round a rim and across it
RADII = (0.24, 0.86)  # where rims can be, in eye distances
HARMONICS = 7  # a rim is that round
THINNEST, THICKEST = 0.020, 0.085  # in eye distances
ROOT = 6  # landmark between the eyes


@dataclass(frozen=True)
class Rim:
    """One rim.

    Attributes:
        line: [TURNS, 2] pixels, closed.
        seen: [TURNS] 0..1, how much of a line the photo shows there.
        width: pixels.
    """

    line: NDArray[np.float64]
    seen: NDArray[np.float64]
    width: float


def draw_spectacles(scene: Scene, region: Region, lamp: Lamp, image: Floats) -> Floats:
    """Spectacles over a finished face [S, S, 3], sRGB."""
    unit, size = scene.unit, scene.size
    around = masked_blur(
        scene.lab[..., 0], np.clip(region.skin - blur(scene.frame, 1.5), 0.003, 1), 0.14 * unit
    )
    darker = np.clip((around - scene.lab[..., 0]) / (around + 4), 0, 1)
    rims = [_trace_rim(scene, darker, eye) for eye in range(2)]
    width = float(np.clip(np.mean([rim.width for rim in rims]), THINNEST * unit, THICKEST * unit))
    alpha, lens = _draw_rims(rims, width, size)
    own = np.clip(scene.frame * 1.15, 0, 1)
    own = np.maximum(own, blur(own, 0.7))
    covered = np.maximum(own, alpha)
    away = np.array(
        [[1, 0, -lamp.key[0] * 0.035 * unit], [0, 1, 0.055 * unit]], np.float32
    )
    shadow = blur(cv2.warpAffine(covered, away, (size, size)), 0.022 * unit)
    dark = image * np.array([0.70, 0.58, 0.54], np.float32)
    image = mix(image, dark, 0.55 * shadow * region.skin)
    diagonal = scene.across / unit * -np.sign(lamp.side) - scene.above / unit * 1.1
    streak = smoothstep(-0.42, -0.30, diagonal) * smoothstep(-0.12, -0.22, diagonal)
    glass = lens * (1 - covered) * (0.02 + 0.08 * streak)
    image = image + (1 - image) * glass[..., None]
    paint = _frame_colour(scene, darker, alpha, width)
    ridge = _ridge(covered, lamp, width)
    own_rgb = np.clip(scene.rgb * 0.97, 0, 1)
    image = mix(image, own_rgb, own * 0.92)
    image = mix(image, paint, np.clip(alpha * 1.05, 0, 1))
    return np.clip(image + (0.30 * ridge * covered)[..., None], 0, 1)


def _trace_rim(scene: Scene, darker: Floats, eye: int) -> Rim:
    """The best closed line round a toon eye, by dynamic programming in polar coordinates."""
    unit, up = scene.unit, scene.up.astype(np.float64)
    right, down = np.array([-up[1], up[0]]), -up
    loop = scene.fit.camera.project(scene.vertices[scene.rig.lids[eye]])[:, :2]
    side = -1 if eye == 0 else 1
    centre = loop.mean(0) + down * 0.04 * unit + right * side * 0.02 * unit
    eye_radius = 0.5 * float(np.ptp(loop @ right))
    turn = np.linspace(0, 2 * np.pi, TURNS, endpoint=False)
    directions = np.cos(turn)[:, None] * right + np.sin(turn)[:, None] * down
    low = max(RADII[0] * unit, 0.90 * eye_radius)
    radii = np.linspace(low, RADII[1] * unit, ACROSS)
    at = (centre + directions[:, None] * radii[None, :, None]).astype(np.float32)

    def read(image: Floats) -> Floats:
        return cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR)

    mask = read(blur(scene.frame, 1.0))
    gain = mask * (0.6 + 0.4 * read(darker))
    beyond = (at @ right.astype(np.float32) - scene.points[ROOT, :2] @ right) * side
    gain = gain * (beyond > -0.02 * unit)
    turned = float(np.clip(abs(scene.fit.camera.rotation[0, 0]), 0.55, 1))
    usual = 0.47 * unit * turned / np.sqrt(np.cos(turn) ** 2 + (turned * np.sin(turn)) ** 2 * 1.35)
    likely = np.exp(-(((radii[None] - usual[:, None]) / (0.24 * unit)) ** 2))
    gain = gain * likely + 0.03 * likely
    path = trace(gain.astype(np.float32), closed=True, stiffness=0.003)
    rows = np.arange(TURNS)
    nearby = np.stack([mask[rows, np.clip(path + k, 0, ACROSS - 1)] for k in (-1, 0, 1)]).max(0)
    seen = np.asarray(_around(nearby, 4), np.float64)
    radius = _harmonics(radii[path], 0.04 + np.clip(seen, 0, 1))
    radius = np.maximum(radius, 0.98 * eye_radius)
    low_half = (np.sin(turn) > 0.2) & (seen > 0.3)
    profile = mask[low_half if low_half.sum() > 8 else slice(None)]
    width = float(np.median((profile > 0.5).sum(1))) * (radii[1] - radii[0]) * 0.85
    return Rim(centre + directions * radius[:, None], rise(0.05, 0.30, seen), width)


def _around(values: Reals, sigma: float) -> NDArray[np.float64]:
    """Gaussian mean along a closed line."""
    kernel = cv2.getGaussianKernel(6 * round(sigma) + 1, sigma).ravel()
    reach = len(kernel) // 2
    return np.convolve(np.r_[values[-reach:], values, values[:reach]], kernel, "valid")


def _harmonics(radius: Reals, weight: Reals) -> NDArray[np.float64]:
    """Weighted Fourier fit of a closed line; high harmonics cost more."""
    turn = np.linspace(0, 2 * np.pi, len(radius), endpoint=False)
    waves = [f(k * turn) for k in range(1, HARMONICS + 1) for f in (np.cos, np.sin)]
    basis = np.column_stack([np.ones_like(turn), *waves])
    cost = np.r_[0.0, np.repeat([0.15 * k**1.5 for k in range(1, HARMONICS + 1)], 2)]
    root = np.sqrt(np.clip(weight, 0, 1))
    rows = np.vstack([basis * root[:, None], np.diag(cost)])
    goal = np.r_[radius * root, np.zeros(len(cost))]
    return basis @ np.linalg.lstsq(rows, goal, rcond=None)[0]


def _draw_rims(rims: list[Rim], width: float, size: int) -> tuple[Floats, Floats]:
    """Rims where the photo shows them, and the lenses: [S, S] each."""
    factor = 2
    canvas, glass = (np.zeros((size * factor, size * factor), np.float32) for _ in range(2))
    thick = max(2, round(width * factor))
    for rim in rims:
        corners = np.round(((rim.line + 0.5) * factor - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(glass, [corners], 1.0, cv2.LINE_AA, 4)
        for i in range(TURNS):
            ends = corners[i], corners[(i + 1) % TURNS]
            value = float(rim.seen[i])
            if value > 0.02:
                cv2.line(
                    canvas, tuple(map(int, ends[0])), tuple(map(int, ends[1])), value, thick,
                    cv2.LINE_AA, 4,
                )  # fmt: skip
    small = [cv2.resize(c, (size, size), interpolation=cv2.INTER_AREA) for c in (canvas, glass)]
    return small[0], small[1]


def _frame_colour(scene: Scene, darker: Floats, alpha: Floats, width: float) -> Floats:
    """The frame's own colour, smoothed along it: sRGB [S, S, 3]."""
    weight = np.clip(scene.frame, 0, 1) * (0.05 + darker) ** 2 * (alpha > 0.1)
    local = masked_blur(scene.rgb, weight + 1e-4, 2.5 * width)
    lab = to_lab(np.clip(local, 0, 1))
    use = scene.frame > 0.4
    if use.sum() > 20:
        share = np.where(use, (0.03 + darker) ** 2, 0)
        mean = (scene.lab * share[..., None]).sum((0, 1)) / (share.sum() + 1e-6)
        lab = 0.5 * lab + 0.5 * mean.astype(np.float32)
    lab[..., 0] = np.clip(lab[..., 0] * 0.95, 5, 80)
    return to_rgb(lab)


def _ridge(covered: Floats, lamp: Lamp, width: float) -> Floats:
    """The lit edge of a round bar: [S, S] 0..1."""
    soft = cv2.GaussianBlur(covered, (0, 0), max(0.35 * width, 0.8))
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    lit = -(gx * np.float32(lamp.key[0]) - gy * np.float32(lamp.key[1]))
    return np.clip(lit * 0.9, 0, 1) ** 1.5
