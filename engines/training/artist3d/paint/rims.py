"""Spectacle rims traced in toon space: the best closed line round both eyes together."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW, EYE
from engines.faces.pixels import Floats, Reals, blur, polygon
from engines.training.artist.imaging import union
from engines.training.artist.masks import cheek_colour
from engines.training.artist.spectacles import lines, trace
from engines.training.artist3d.colour import rise
from engines.training.artist3d.observe.scene import Scene

TURNS, ACROSS = 144, 80  # places round a rim and across it
RADII = (0.26, 0.88)  # where rims can be, in eye distances
THICKEST_LINE = 0.13  # of a rim, in eye distances
MEASURING_BLUR = 2.0  # pixels by which lines are seen too wide
HARMONICS = 8  # a rim is that round
STIFF = [0.4, 0.5, 4.0, 3.0, 14.0, 18.0, 24.0, 32.0]  # rims are round or square, not wavy
ROOT = 6  # landmark between the eyes


@dataclass(frozen=True)
class Rim:
    """One rim; places begin at the outer side and run down, in, up.

    Attributes:
        line: [TURNS, 2] pixels, closed.
        seen: [TURNS] 0..1, how much of a line the photo shows there.
        width: pixels.
        colour: [TURNS, 3] sRGB of the bar.
    """

    line: NDArray[np.float64]
    seen: NDArray[np.float64]
    width: float
    colour: Floats


@dataclass(frozen=True)
class _Strip:
    """The picture round one eye, unrolled: [TURNS, ACROSS]."""

    centre: NDArray[np.float64]
    directions: NDArray[np.float64]  # [TURNS, 2]
    radii: NDArray[np.float64]  # [ACROSS], pixels
    least: float  # radius of the eye itself
    found: Floats
    rgb: Floats  # [TURNS, ACROSS, 3]


def trace_rims(scene: Scene) -> list[Rim]:
    """Both rims, the picture's left one first."""
    marks = [
        polygon(scene.size, scene.points[ids], 0.02 * scene.unit, 0.03 * scene.unit) for ids in EYE
    ]
    marks += [0.8 * polygon(scene.size, scene.points[ids], 0.03 * scene.unit) for ids in BROW]
    free = 1 - union(marks)
    strips = [_unroll(scene, free, eye) for eye in range(2)]
    both = np.sqrt(
        cv2.GaussianBlur(strips[0].found, (0, 0), 1.5)
        * cv2.GaussianBlur(strips[1].found, (0, 0), 1.5)
    )
    common = trace(both, closed=True, stiffness=0.006)
    near = np.abs(np.arange(ACROSS) - common[:, None]) < 0.10 * ACROSS
    paths = [trace(strip.found * near, closed=True, stiffness=0.006) for strip in strips]
    fits = [_fit(strip, path) for strip, path in zip(strips, paths, strict=True)]
    trust = np.array([seen.sum() for seen, _ in fits]) + 1e-3
    common_radius = (trust[:, None] * [radius for _, radius in fits]).sum(0) / trust.sum()
    return [  # a frame is symmetric
        _rim(strip, path, seen, 0.35 * radius + 0.65 * common_radius)
        for strip, path, (seen, radius) in zip(strips, paths, fits, strict=True)
    ]


def _unroll(scene: Scene, free: Floats, eye: int) -> _Strip:
    """Lines round a toon eye in polar coordinates."""
    unit, up = scene.unit, scene.up.astype(np.float64)
    side = -1 if eye == 0 else 1
    outward, down = side * np.array([-up[1], up[0]]), -up
    loop = scene.fit.camera.project(scene.vertices[scene.rig.lids[eye]])[:, :2]
    turned = float(np.clip(abs(scene.fit.camera.rotation[0, 0]), 0.55, 1))
    centre = loop.mean(0) + down * 0.06 * unit + outward * 0.02 * unit
    least = 0.5 * float(np.ptp(loop @ outward))
    turn = np.linspace(0, 2 * np.pi, TURNS, endpoint=False)
    directions = turned * np.cos(turn)[:, None] * outward + 0.90 * np.sin(turn)[:, None] * down
    radii = np.linspace(*RADII, ACROSS) * unit
    at = (centre + directions[:, None] * radii[None, :, None]).astype(np.float32)

    def read(image: Floats) -> Floats:
        return cv2.remap(
            image, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    along = cv2.getGaussianKernel(5, 1.0)

    def soft(image: Floats) -> Floats:
        ring = np.vstack([image[-4:], image, image[:4]])
        return np.asarray(cv2.sepFilter2D(ring, -1, np.ones(1), along)[4:-4], np.float32)

    light, a, b = np.moveaxis(scene.lab, -1, 0)
    cheek = cheek_colour(scene.lab, scene.points)
    odd = blur(np.hypot(a - np.float32(cheek[1]), b - np.float32(cheek[2])) / 60, 1.0)
    chroma = blur(np.hypot(a, b) / 100, 0.7)
    places = round(THICKEST_LINE / (RADII[1] - RADII[0]) * ACROSS) | 1
    found, _ = lines(
        soft(read(blur(light / 100, 0.7))), soft(read(chroma)), soft(read(odd)),
        np.ones((1, places), np.uint8),
    )  # fmt: skip
    found = np.clip(found, 0, 0.6) * read(free)
    mask = read(blur(scene.frame, 1.5))
    found = found * (0.55 + 0.45 * mask)
    beyond = ((at - scene.points[ROOT, :2]) @ outward.astype(np.float32)) > -0.02 * unit
    usual = np.exp(-(((radii[None] / unit - 0.52) / 0.26) ** 2))
    outside = (radii[None] * turned > 0.96 * least) | (np.abs(np.sin(turn)) > 0.6)[:, None]
    found = (found * beyond * usual * outside + 0.004 * usual).astype(np.float32)
    return _Strip(centre, directions, radii, least, found, read(scene.rgb))


def _fit(strip: _Strip, path: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much of a line is seen along a path, and a smooth radius; [TURNS] each."""
    rows = np.arange(TURNS)
    nearby = np.stack(
        [strip.found[rows, np.clip(path + k, 0, ACROSS - 1)] for k in (-1, 0, 1)]
    ).max(0)
    seen = around(nearby, 4)
    strong = max(float(np.percentile(seen, 80)), 0.06)
    return seen, _harmonics(strip.radii[path], np.clip(seen / strong, 0.05, 1))


def _rim(strip: _Strip, path: NDArray[np.int64], seen: Reals, radius: Reals) -> Rim:
    """A closed bar of a given radius; its look is measured along the path."""
    rows = np.arange(TURNS)
    strong = max(float(np.percentile(seen, 80)), 0.06)
    spacing = strip.radii[1] - strip.radii[0]
    columns = np.clip(path[:, None] + np.arange(-10, 11), 0, ACROSS - 1)
    across = strip.rgb[rows[:, None], columns]
    beside = (across[:, :3].mean(1) + across[:, -3:].mean(1)) / 2
    contrast = np.abs(across - beside[:, None]).sum(-1)
    use = seen > 0.5 * strong
    middle = np.median(contrast[use if use.sum() > 8 else slice(None)], 0)
    blurred = float((middle[4:-4] > 0.42 * middle[4:-4].max()).sum() * spacing)
    # Thin wire is faint, and blurred it looks wide.
    relative = float(middle.max()) / (float(beside.mean()) * 3 + 0.10)
    bold = float(rise(0.14, 0.42, relative))
    width = bold * float(np.sqrt(max(blurred**2 - MEASURING_BLUR**2, 1.0)))
    share = contrast[:, 6:15] ** 2 + 1e-6
    core = (across[:, 6:15] * share[..., None]).sum(1) / share.sum(1)[:, None]
    weight = np.clip(seen / strong, 0.02, 1)
    colour = np.column_stack([around(core[:, k] * weight, 6) / around(weight, 6) for k in range(3)])
    mean = (core * weight[:, None]).sum(0) / weight.sum()
    colour = 0.65 * colour + 0.35 * mean
    line = strip.centre + strip.directions * radius[:, None]
    return Rim(line, np.asarray(rise(0.20, 0.55, seen / strong)), width, colour.astype(np.float32))


def around(values: Reals, sigma: float) -> NDArray[np.float64]:
    """Gaussian mean along a closed line [N]."""
    kernel = cv2.getGaussianKernel(6 * round(sigma) + 1, sigma).ravel()
    reach = len(kernel) // 2
    return np.convolve(np.r_[values[-reach:], values, values[:reach]], kernel, "valid")


def _harmonics(radius: Reals, weight: Reals) -> NDArray[np.float64]:
    """Weighted Fourier fit of a closed line; high harmonics cost more."""
    turn = np.linspace(0, 2 * np.pi, len(radius), endpoint=False)
    waves = [f(k * turn) for k in range(1, HARMONICS + 1) for f in (np.cos, np.sin)]
    basis = np.column_stack([np.ones_like(turn), *waves])
    cost = np.r_[0.0, np.repeat(STIFF, 2)]
    root = np.sqrt(np.clip(weight, 0, 1))
    rows = np.vstack([basis * root[:, None], np.diag(cost)])
    goal = np.r_[radius * root, np.zeros(len(cost))]
    return basis @ np.linalg.lstsq(rows, goal, rcond=None)[0]
