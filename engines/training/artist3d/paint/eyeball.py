"""The ball of an eye, ray-traced: white, iris, pupil, lid shadow and catchlights."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, Reals, smoothstep
from engines.training.artist3d.colour import rise, unit
from engines.training.artist3d.curves import Box
from engines.training.artist3d.paint.light import Lamp

PUPIL = 0.41  # radius, of the iris
WHITE = np.array([0.88, 0.87, 0.865], np.float32)  # of the eye, linear
PUPIL_COLOUR = np.array([0.006, 0.005, 0.006], np.float32)
WINDOW = (0.42, 0.26, 0.22)  # catchlight above the middle: y, half sizes, in radii of the iris
SECOND = (0.50, 0.12)  # small one below: y, radius


@dataclass(frozen=True)
class EyePaint:
    """What both eyes share; colours are linear RGB [3].

    Attributes:
        dark, middle, light: of the iris.
        exposure: key of the picture, 0.8..1.05.
        lash: sRGB [3].
        lashes: 0..1, how visible.
        skin: tone of the skin.
        skin_dark: 0 light .. 1 dark.
        lamp: the light.
    """

    dark: Floats
    middle: Floats
    light: Floats
    exposure: float
    lash: Floats
    lashes: float
    skin: Floats
    skin_dark: float
    lamp: Lamp


@dataclass(frozen=True)
class EyeView:
    """One eye on its own enlarged canvas.

    Attributes:
        box: of the picture that the canvas shows.
        factor: canvas pixels per picture pixel.
        upper, lower: [N, 2] lid edges from the outer to the inner corner, canvas pixels.
        width: between the corners, canvas pixels.
        opened: 0 closed .. 1 open.
        centre: [2] of the ball, canvas pixels.
        radius: of the ball, canvas pixels.
        gaze: [3] unit vector, x right, y up, z to the viewer.
        iris: radius of the iris in radii of the ball.
    """

    box: Box
    factor: int
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    width: float
    opened: float
    centre: NDArray[np.float64]
    radius: float
    gaze: NDArray[np.float64]
    iris: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the canvas."""
        x0, y0, x1, y1 = self.box
        return (y1 - y0) * self.factor, (x1 - x0) * self.factor

    def distance(self, curve: Reals) -> Floats:
        """Distance of the canvas from a curve, in eye widths."""
        canvas = np.full(self.shape, 255, np.uint8)
        cv2.polylines(canvas, [np.round(curve).astype(np.int32)], False, 0, 1)
        return cv2.distanceTransform(canvas, cv2.DIST_L2, 5) / np.float32(self.width)

    def opening(self) -> Floats:
        """Mask of the gap between the lids."""
        outline = np.vstack([self.upper, self.lower[::-1]])
        mask = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255


def trace_ball(view: EyeView, paint: EyePaint) -> Floats:
    """The whole ball in linear light, [H, W, 3] of the canvas, as if the lids were away."""
    rows, columns = np.mgrid[0 : view.shape[0], 0 : view.shape[1]].astype(np.float32)
    u, v, rho, normals = _iris_plane(view, rows, columns)
    to_upper, to_lower = view.distance(view.upper), view.distance(view.lower)

    def from_corner(point: Reals) -> Floats:
        return np.hypot(columns - np.float32(point[0]), rows - np.float32(point[1])) / np.float32(
            view.width
        )

    inner, outer = from_corner(view.upper[-1]), from_corner(view.upper[0])
    pixel = 1.0 / (view.iris * view.radius)
    white = _white(paint, normals, to_upper, to_lower, inner, outer)
    iris = _iris(paint, u, v, rho, pixel)
    iris = iris * (1 - 0.52 * np.exp(-((to_upper / 0.12) ** 1.7)))[..., None]
    inside = smoothstep(1.045 + pixel, 0.955 - pixel, rho)
    eye = white * (1 - inside[..., None]) + iris * inside[..., None]
    limbus = np.exp(-(((rho - 1.02) / 0.09) ** 2)) * (1 - inside)
    eye = eye * (1 - 0.30 * limbus[..., None])
    eye = _reflect(eye, paint, u, v, rho)
    pink = smoothstep(0.085, 0.045, inner)[..., None] * 0.75
    eye = eye * (1 - pink) + paint.skin * np.array([1.0, 0.55, 0.52], np.float32) * pink
    ends = smoothstep(0.05, 0.25, inner) * smoothstep(0.03, 0.2, outer)
    wet = np.exp(-(((to_lower - 0.020) / 0.010) ** 2)) * ends * 0.16 * paint.exposure
    return (eye + wet[..., None]).astype(np.float32)


def _iris_plane(
    view: EyeView, rows: Floats, columns: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Iris coordinates (u right, v up, radius; iris radii) and normals of the ball's front."""
    reach = np.float32(view.radius * 1.02)
    x = (columns - np.float32(view.centre[0])) / reach
    y = -(rows - np.float32(view.centre[1])) / reach
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0.02))
    normals = unit(np.stack([x, y, z], -1)).astype(np.float32)
    right = unit(np.cross([0, 1.0, 0], view.gaze))
    up = np.cross(view.gaze, right)
    u = (normals @ right.astype(np.float32)) / np.float32(view.iris)
    v = (normals @ up.astype(np.float32)) / np.float32(view.iris)
    rho = np.where(normals @ view.gaze.astype(np.float32) > 0, np.hypot(u, v), np.float32(9))
    return u, v, rho, normals


def _white(
    paint: EyePaint,
    normals: Floats,
    to_upper: Floats,
    to_lower: Floats,
    inner: Floats,
    outer: Floats,
) -> Floats:
    """The white, round, under the lid's shadow, pink in the corners."""
    lit = np.clip((normals @ paint.lamp.key.astype(np.float32) + 0.55) / 1.55, 0, 1)
    white = WHITE * (0.45 + 0.62 * lit)[..., None]
    shadow = np.exp(-((to_upper / 0.115) ** 1.6))[..., None]
    white = white * (1 - shadow * np.array([0.62, 0.68, 0.66], np.float32))
    rest = 0.22 * np.exp(-((to_lower / 0.05) ** 2))[..., None]
    white = white * (1 - rest * np.array([0.5, 0.9, 0.9], np.float32))
    corner = (np.exp(-((inner / 0.13) ** 2)) + 0.6 * np.exp(-((outer / 0.10) ** 2)))[..., None]
    white = white * (1 - corner * np.array([0.12, 0.36, 0.36], np.float32))
    return white * np.float32(paint.exposure**2)


def _iris(paint: EyePaint, u: Floats, v: Floats, rho: Floats, pixel: float) -> Floats:
    """Lit through the cornea, brightest below; dark ring and pupil.

    A few broad rays, alike to both sides: a network draws the mean of anything finer, which is
    milk.
    """
    rays = 0.55 + 0.12 * np.sin(np.arctan2(v, u) * 9)
    glow = np.clip(0.40 - 0.74 * v, 0, 1.4)
    amount = (glow * (0.55 + 0.45 * rays))[..., None]
    colour = paint.middle + (paint.light * 1.3 - paint.middle) * amount
    around = np.exp(-(((rho - 0.50) / 0.14) ** 2)) * rays
    colour = colour * (1 + 0.35 * around[..., None] * np.array([1.1, 1.0, 0.8], np.float32))
    ring = (smoothstep(0.74, 0.96, rho) * 0.92)[..., None]
    colour = colour + (paint.dark * 0.5 - colour) * ring
    pupil = smoothstep(PUPIL + 0.05 + pixel, PUPIL - 0.05 - pixel, rho)[..., None]
    return colour * (1 - 0.93 * pupil) + PUPIL_COLOUR * pupil


def _reflect(eye: Floats, paint: EyePaint, u: Floats, v: Floats, rho: Floats) -> Floats:
    """A window above, a small light below, a band of sky.

    They are the same in every eye. Catchlights on the lamp's side are livelier, but which side that
    is can often not be seen in the photo, and a network that cannot know it draws a grey iris.
    """
    y, wide, tall = WINDOW
    window = smoothstep(1.12, 0.86, np.hypot(u / wide, (v - y) / tall))
    y, radius = SECOND
    second = smoothstep(1.2, 0.7, np.hypot(u, v + y) / radius) * 0.72
    sky = smoothstep(0.25, 0.95, v) * smoothstep(1.02, 0.85, rho) * 0.10
    eye = eye + sky[..., None] * np.array([0.75, 0.85, 1.0], np.float32)
    bright = np.clip(window * 0.97 + second, 0, 1)[..., None]
    return eye + (paint.exposure - eye) * bright


def iris_radius(width: float, turned: float, ball: float, child: float) -> float:
    """Radius of the iris in radii of the ball: a share of the eye's width, foreshortening undone.

    Args:
        width: of the opening in the picture, pixels.
        turned: cosine of the head's yaw.
        ball: radius of the ball, pixels.
        child: 0..1.
    """
    radius = (0.318 + 0.008 * child) * width / max(turned, 0.6)
    return float(np.clip(radius, 0, 0.74 * ball) / ball)


def gaze_vector(x: float, y: float) -> NDArray[np.float64]:
    """Unit gaze [3] from the iris' offset in the picture, in radii of the ball, y down."""
    x, y = float(np.clip(x, -0.8, 0.8)) * 0.97, float(np.clip(y, -0.8, 0.8)) * 0.97
    return np.asarray(unit(np.array([x, -y, np.sqrt(max(1 - x * x - y * y, 0.15))])))


def lid_openness(aperture: float, down: float = 0.0) -> float:
    """0 closed .. 1 open from lid distance over eye width; lowered lids hide more.

    Args:
        aperture: lid distance over eye width.
        down: 0 looking ahead .. 1 looking down.
    """
    return float(rise(0.075 + 0.055 * down, 0.135 + 0.065 * down, aperture))
