"""Spectacle frames, found as thin closed lines round both eyes.

Around each eye the picture is unrolled, radius across, angle along. There a rim is a line from end
to end; the best one is traced by dynamic programming, first in both eyes together (a frame is the
same on both sides of the nose, a wrinkle rarely is), then near that in each. Bridge and temples are
traced in strips between and beside the rims.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW, EYE, LID_POINTS
from engines.faces.head import Head
from engines.faces.pixels import Floats, Reals, blur, disc, polygon, smoothstep, step
from engines.training.artist.imaging import union
from engines.training.artist.masks import cheek_colour, glasses_edges

STEPS, ACROSS = 96, 64  # places along a line and across it
RADII = (0.25, 0.66)  # of rims, in distances of the eyes
OVAL = (1.10, 0.86)  # rims are wider than tall
SHIFT = (0.03, 0.05)  # of a rim's centre from the eye's, outwards and down
ALONG = cv2.getGaussianKernel(7, 1.2)  # lines are followed, not dots
THICKEST = 0.13  # a frame's width
FAINTEST = ((0.02, 0.20), (0.06, 0.50))
"""A line is no .. surely a frame: its strength, and at least that share of its usual one."""
BESIDE = (-0.32, 0.30)  # where bridge and temples can be, below the eyes' height


@dataclass(frozen=True)
class Frame:
    """A spectacle frame.

    Attributes:
        mask: float32 [S, S] in photo space, where the frame would be.
        certainty: how likely these are spectacles and not wrinkles, 0..1.
    """

    mask: Floats
    certainty: float


@dataclass(frozen=True)
class _Strip:
    """A part of the picture unrolled, [steps, ACROSS]: a line is to run from its top to its bottom.

    Attributes:
        x, y: [steps, ACROSS] where its places are, in head coordinates.
        row, column: [S, S] where every pixel is in the strip.
        thick: THICKEST in places across.
        closed: the last place along is next to the first.
    """

    x: Reals
    y: Reals
    row: Reals
    column: Reals
    thick: int
    closed: bool

    @classmethod
    def ring(cls, grid: tuple[Floats, Floats], eye: Reals, side: int) -> _Strip:
        """Round an `eye`; `side`: -1 left in the picture, 1 right. Both begin outwards."""
        turns = np.linspace(0, 2 * np.pi, STEPS, endpoint=False)
        turn, radius = np.meshgrid(turns, np.linspace(*RADII, ACROSS), indexing="ij")
        u = (side * (grid[0] - eye[0]) - SHIFT[0]) / OVAL[0]
        v = (grid[1] - eye[1] - SHIFT[1]) / OVAL[1]
        return cls(
            eye[0] + side * (SHIFT[0] + OVAL[0] * radius * np.cos(turn)),
            eye[1] + SHIFT[1] + OVAL[1] * radius * np.sin(turn),
            np.arctan2(v, u) % (2 * np.pi) / (2 * np.pi) * STEPS,
            _column(np.hypot(u, v), RADII),
            _places(RADII),
            True,
        )

    @classmethod
    def beside(
        cls, grid: tuple[Floats, Floats], eye: Reals, side: int, start: float, end: float
    ) -> _Strip:
        """Sideways at the height of `eye`, from `start` to `end`."""
        steps = STEPS // 2
        along, across = np.meshgrid(
            np.linspace(start, end, steps), np.linspace(*BESIDE, ACROSS), indexing="ij"
        )
        return cls(
            eye[0] + side * along,
            eye[1] + across,
            (side * (grid[0] - eye[0]) - start) / (end - start) * (steps - 1),
            _column(grid[1] - eye[1], BESIDE),
            _places(BESIDE),
            False,
        )

    def frame(self, path: NDArray[np.int64], drawn: Floats) -> Floats:
        """What of `drawn`, [steps, ACROSS], can be a frame along the path: [S, S], soft."""
        distance = np.abs(np.arange(ACROSS) - path[:, None]) / self.thick
        near = drawn * smoothstep(0.9, 0.5, distance)
        out = cv2.remap(
            np.vstack([near, near[:1]]) if self.closed else near,
            self.column.astype(np.float32), self.row.astype(np.float32), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )  # fmt: skip
        return np.asarray(out, np.float32)


def _column(distance: Reals, limits: tuple[float, float]) -> Reals:
    return (distance - limits[0]) / (limits[1] - limits[0]) * (ACROSS - 1)


def _places(limits: tuple[float, float]) -> int:
    return round(THICKEST / (limits[1] - limits[0]) * ACROSS) | 1


@dataclass(frozen=True)
class _Photo:
    """Where lines are searched: light and chroma 0..1, the colour's distance from the skin's,
    and what is neither eye nor brow, which are lines, too.
    """

    head: Head
    skin_colour: Reals  # (L, a, b) of the cheeks
    light: Floats
    chroma: Floats
    odd: Floats
    free: Floats

    @classmethod
    def look_at(cls, lab: Floats, head: Head) -> _Photo:
        """See `find_frame`."""
        size, soft = lab.shape[0], 0.03 * head.unit
        skin_colour = cheek_colour(lab, head.landmarks)
        marks = [polygon(size, head.landmarks[ids], soft, 0.05 * head.unit) for ids in EYE]
        marks += [0.75 * polygon(size, head.landmarks[ids], soft) for ids in BROW]
        light, a, b = np.moveaxis(lab, -1, 0)
        return cls(
            head,
            skin_colour,
            blur(light / 100, 0.7),
            blur(np.hypot(a, b) / 100, 0.7),
            blur(np.hypot(a - skin_colour[1], b - skin_colour[2]) / 60, 1.0),
            1 - union(marks),
        )

    def strip(self, strip: _Strip) -> tuple[Floats, Floats]:
        """`lines` along a strip: [steps, ACROSS]."""

        def read(image: Floats) -> Floats:
            out = self.head.sample(image, strip.x, strip.y)
            return np.asarray(cv2.sepFilter2D(out, -1, np.ones(1), ALONG), np.float32)

        kernel = np.ones((1, strip.thick), np.uint8)
        found, grey = lines(read(self.light), read(self.chroma), read(self.odd), kernel)
        return found * read(self.free), grey

    def picture(self) -> Floats:
        """Lines in any direction, [S, S]."""
        kernel = disc(THICKEST / 2 * self.head.unit)
        return lines(self.light, self.chroma, self.odd, kernel)[0] * self.free


def lines(
    light: Floats, chroma: Floats, odd: Floats, kernel: NDArray[np.uint8]
) -> tuple[Floats, Floats]:
    """How much every place is on a line thinner than `kernel`, and by how much it is greyer.

    Skin that is folded is darker, but as colourful as skin; frames are mostly grey. Both 0 to
    about 1.
    """

    def closed(image: Floats) -> Floats:
        return np.asarray(cv2.morphologyEx(image, cv2.MORPH_CLOSE, kernel), np.float32)

    around = closed(chroma)
    grey = (around - chroma) / (around + 0.04)
    dark = (closed(light) - light) * (0.3 + 0.7 * smoothstep(0.05, 0.35, grey))
    bright = 0.8 * (closed(-light) + light)
    tinted = 0.7 * (closed(-odd) + odd)
    found = np.maximum(np.maximum(dark, bright) / (0.25 + light), tinted)
    return found.astype(np.float32), grey.astype(np.float32)


def find_frame(lab: Floats, head: Head) -> Frame:
    """The spectacle frame of a photo, if there is one.

    Args:
        lab: float32 [S, S, 3] CIE Lab.
        head: its pose.
    """
    size = lab.shape[0]
    photo = _Photo.look_at(lab, head)
    grid = head.grid(size)
    first, second = sorted(
        (head.flat(head.landmarks[ids].mean(0)) for ids in LID_POINTS), key=lambda eye: eye[0]
    )
    rims = [_Strip.ring(grid, first, -1), _Strip.ring(grid, second, 1)]
    bridge = _Strip.beside(grid, (first + second) / 2, 1, -0.2, 0.2)
    temples = [
        _Strip.beside(grid, eye, side, 0.42, 0.9) for eye, side in ((first, -1), (second, 1))
    ]
    strips = [*rims, bridge, *temples]
    seen = [photo.strip(strip) for strip in strips]
    spread = [cv2.GaussianBlur(found, (0, 0), 2) for found, _ in seen[:2]]
    common = trace(np.sqrt(spread[0] * spread[1]), closed=True)
    near = np.abs(np.arange(ACROSS) - common[:, None]) < 0.16 * ACROSS
    paths = [
        trace(found * near if strip.closed else found, closed=strip.closed)
        for strip, (found, _) in zip(strips, seen, strict=True)
    ]
    drawn, mask = photo.picture(), np.zeros((size, size), np.float32)
    for strip, path, (found, _) in zip(strips, paths, seen, strict=True):
        strength = float(np.median(found[np.arange(len(path)), path]))
        low, high = (max(least, share * strength) for least, share in FAINTEST)
        line = cv2.dilate(found, np.ones((3, strip.thick), np.uint8))
        line = strip.frame(path, smoothstep(low, high, line))  # wrinkles cross it, and are short
        mask = np.maximum(mask, line * smoothstep(low, high, drawn))
    edges = glasses_edges(lab, head, photo.skin_colour)
    certainty = _certainty(seen, paths, edges, float(photo.skin_colour[0]))
    return Frame(np.asarray(mask, np.float32), certainty)


def _certainty(
    seen: list[tuple[Floats, Floats]], paths: list[NDArray[np.int64]], edges: float, light: float
) -> float:
    """Likelihood of spectacles: a logistic fit to 604 portraits, half of them of wearers.

    Wrinkles lie close to the eyes, evenly on both sides, and have neither temples nor a bridge.

    Args:
        seen, paths: of rims, bridge and temples.
        edges: see `masks.glasses_edges`.
        light: of the cheeks, 0..100; on dark skin every line is faint.
    """
    _, _, bridge, *temples = [
        [values[np.arange(len(path)), path] for values in both]
        for both, path in zip(seen, paths, strict=True)
    ]
    apart = np.abs(paths[0] - paths[1]).mean() / ACROSS
    below = (paths[0] + paths[1])[STEPS // 8 : 3 * STEPS // 8].mean() / (2 * ACROSS)
    temple = max(float(found.mean()) for found, _ in temples)
    grey = min(float(greys.mean()) for _, greys in temples)
    score = (
        1.230 * np.log(temple + 0.01) + 1.045 * np.log(bridge[0].mean() + 0.01) + 10.416 * grey
        + 30.524 * apart + 1.422 * below + 0.313 * edges + 0.036 * light - 1.08
    )  # fmt: skip
    return step(0.6, 1.4, float(score))


def trace(gain: Floats, *, closed: bool = False, stiffness: float = 0.004) -> NDArray[np.int64]:
    """The path through [steps, across] that gains most, bending little: int64 [steps]."""
    rows = np.concatenate([gain] * 3) if closed else gain
    best, back = rows[0].astype(np.float64), np.zeros(rows.shape, np.int64)
    bends = range(-2, 3)
    for i, row in enumerate(rows[1:], 1):
        padded = np.pad(best, 2, constant_values=-np.inf)
        options = np.stack([padded[2 + k : 2 + k + len(best)] - stiffness * k * k for k in bends])
        pick = options.argmax(0)
        back[i] = np.clip(np.arange(len(best)) + pick - 2, 0, len(best) - 1)
        best = row + options.max(0)
    path = np.zeros(len(rows), np.int64)
    path[-1] = int(best.argmax())
    for i in range(len(rows) - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path[len(gain) : 2 * len(gain)] if closed else path
