"""The ball of a painted eye: its white, iris and pupil, and the lights that it mirrors."""

from __future__ import annotations

import numpy as np

from engines.faces.eyes.paint import EyePaint
from engines.faces.eyes.shape import EyeShape
from engines.faces.pixels import Floats, Reals, smoothstep

HALO = 1.22  # radii of the iris to which its shade reaches
WHITE = (0.935, 0.915, 0.90)  # of the eye, RGB
CORNERS = 0.27  # how much darker it is in its corners
ROSY = (0.02, 0.17, 0.18)  # of it that is lost there
LIGHT, LARGE = (-0.30, -0.31), 0.21  # the large light's place and radius, in the iris's radii
BELOW_LID = 0.15  # how far below the lid it stays, in them


def white_of(corner: Floats, paint: EyePaint) -> Floats:
    """White of the eye: [3, h, w], planes, which are fast to blend; `corner` is 0 in the middle of
    the eye and 1 at its corners."""
    shade = np.float32(paint.exposure) * (1 - np.float32(CORNERS * paint.shade) * corner**2)
    rosy = smoothstep(0.72, 1.05, corner) * np.float32(0.8 if paint.colour > 0.3 else 0.0)
    return np.stack(
        [shade * (level * (1 - loss * rosy)) for level, loss in zip(WHITE, ROSY, strict=True)]
    ).astype(np.float32)


def paint_iris(ball: Floats, dx: Floats, dy: Floats, pixel: float, paint: EyePaint) -> None:
    """Paint iris and pupil over planes [3, h, w], in place.

    Args:
        dx, dy: from the middle of the iris, in its radii.
        pixel: one of the picture's, in the same.
    """
    rho = np.sqrt(dx * dx + dy * dy)
    edge = 1.15 * pixel
    ball *= 1 - np.float32(0.20) * smoothstep(HALO, 1.0, rho)
    tones = paint.tones
    angle = np.arctan2(dy, dx)
    fibres = 0.5 * np.sin(angle * 23 + 2.1 * np.sin(angle * 5))
    fibres *= smoothstep(0.35, 0.6, rho) * smoothstep(1.0, 0.75, rho)
    glow = np.clip(0.55 + 0.60 * dy - 0.15 * dx * paint.light_side, 0, 1)
    glow = glow * smoothstep(0.30, 0.60, rho)
    iris = np.empty_like(ball)
    iris[:] = tones.dark[:, None, None]
    lay(iris, tones.middle, smoothstep(-0.95, 0.35, dy))
    lay(iris, tones.light, np.clip(glow * (0.90 + 0.30 * fibres), 0, 1))
    iris *= 1 - 0.62 * smoothstep(0.80, 1.0, rho)
    pupil = paint.pupil
    lay(iris, tones.dark * 0.3, smoothstep(pupil + 0.06 + edge, pupil - edge, rho))
    lay(iris, np.full(3, 0.025), smoothstep(pupil + edge, pupil - edge, rho))
    ball += (iris - ball) * smoothstep(1.0 + edge, 1.0 - edge, rho)


def lay(planes: Floats, colour: Reals, amount: Floats) -> None:
    """Blend a colour [3] over planes [3, h, w], in place."""
    for plane, level in zip(planes, colour, strict=True):
        plane += (np.float32(level) - plane) * amount


def lid_above(lid: Floats, shape: EyeShape, aside: float) -> float:
    """How far below the middle of the iris the upper lid is, so far to the right of it, in the
    iris's radii; `lid` is its curve [N, 2], in them, from there."""
    cos, sin = shape.right
    across, down = lid[:, 0] * cos + lid[:, 1] * sin, lid[:, 1] * cos - lid[:, 0] * sin
    order = np.argsort(across)
    return float(np.interp(aside, across[order], down[order]))


def add_catchlights(
    ball: Floats,
    dx: Floats,
    dy: Floats,
    pixel: float,
    exposure: float,
    lid: float,
    squash: float,
) -> None:
    """Add a large and a small highlight to planes [3, h, w], in place: on the same side in every
    face, so that nothing flips.

    Both are soft at their edges, as a window is that a wet eye mirrors: hard ones look like paint.

    Args:
        dx, dy: from the middle of the iris, in its radii from the front.
        pixel: one of the picture's, in the same.
        exposure: see `EyePaint`.
        lid: how far below the iris's middle the upper lid is, in the same. The large light hangs
            below it, as far as the middle: one that is cut off looks stuck on.
        squash: see `EyeShape`; lights stay round in an eye that is seen from aside.
    """
    x, y = LIGHT
    y = min(max(y, lid + LARGE + BELOW_LID), 0.0)
    large = np.hypot(dx - squash * x, dy - y) / LARGE
    small = np.hypot(dx - squash * 0.36, dy - 0.42) / 0.17
    edge = max(1.6 * pixel, 0.28)
    white = np.array([1.0, 1.0, 0.99]) * max(exposure, 0.88)
    lay(ball, white, smoothstep(1.0 + edge, 1.0 - edge, large) * np.float32(0.94))
    lay(ball, np.ones(3), smoothstep(1.3, 0.3, small) * np.float32(0.36))
