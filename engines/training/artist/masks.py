"""Soft masks of the artist: features, head, glasses, sunglasses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.faces.features import BROW, EYE, UPPER_LID
from engines.faces.head import (
    CHEEK,
    CHIN,
    FACE_OVAL,
    LIPS,
    NOSE_BASE,
    NOSTRILS,
    UNDER_EYE,
    Head,
)
from engines.faces.pixels import Floats, Reals, blur, disc, polygon, smoothstep, step
from engines.training.artist.imaging import guided_filter, union


@dataclass(frozen=True)
class Features:
    """Masks [S, S] of the drawn features in toon space."""

    oval: Floats
    eyes: Floats
    brows: Floats
    lips: Floats
    nose: Floats
    all: Floats


def features(points: Reals, unit: float, size: int) -> Features:
    """Masks from toon landmarks; `unit` = eye distance in pixels."""
    eyes = union(polygon(size, points[ids], 0.012 * unit, 0.02 * unit) for ids in EYE)
    brows = union(polygon(size, points[ids], 0.02 * unit, 0.04 * unit) for ids in BROW)
    lips = polygon(size, points[LIPS], 0.015 * unit, 0.01 * unit)
    nose = polygon(size, points[NOSE_BASE], 0.05 * unit)
    nostrils = polygon(size, points[NOSTRILS], 0.03 * unit)
    return Features(
        polygon(size, points[FACE_OVAL]), eyes, brows, lips, nose,
        union([eyes, brows, lips, nostrils]),
    )  # fmt: skip


def foreign(lab: Floats, skin_colour: Reals, points: Reals, unit: float) -> Floats:
    """What at the rim of a face has a colour that skin has not [S, S], as a scarf's hem."""
    light = np.clip(lab[..., 0] / skin_colour[0], 0.3, 1.3)[..., None]
    off = np.linalg.norm(lab[..., 1:] - light * skin_colour[1:].astype(np.float32), axis=-1)
    face = polygon(lab.shape[0], points[FACE_OVAL], 0.03 * unit, -0.12 * unit)
    return smoothstep(20, 32, blur(off, 1.5)) * (1 - face)


def person_edge(rgb: Floats, person: Floats) -> Floats:
    """A person mask whose edge follows the picture's edges."""
    size = rgb.shape[0]
    half = (size // 2, size // 2)
    small = cv2.resize(rgb, half, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(person, half, interpolation=cv2.INTER_AREA)
    fine = guided_filter(small, mask, max(size / 128, 2), 4e-4)
    return np.clip(cv2.resize(fine, (size, size), interpolation=cv2.INTER_LINEAR), 0, 1)


def crows_feet(points: Reals, unit: float, size: int) -> Floats:
    """The skin beside the outer corners of the eyes [S, S], where smiles fold it."""
    spots = []
    for upper in UPPER_LID:
        outer, inner = points[upper[0], :2], points[upper[-1], :2]
        outward = (outer - inner) / np.linalg.norm(outer - inner)
        fan = [(0.0, -0.14), (0.0, 0.14), (0.34, 0.22), (0.40, 0.0), (0.34, -0.22)]
        across = np.array([-outward[1], outward[0]])
        corners = np.stack([outer + unit * (x * outward + y * across) for x, y in fan])
        spots.append(polygon(size, corners, 0.07 * unit, 0.02 * unit))
    return union(spots)


def head_region(head: Head, points: Reals, person: Floats) -> Floats:
    """Head and hair [S, S]: the person, fading out over the neck and towards the shoulders."""
    size = person.shape[0]
    x, y = head.grid(size)
    flat = head.flat(points[[CHIN, 234, 454]])
    chin, half_width = flat[0], abs(flat[2, 0] - flat[1, 0]) / 2
    middle = (flat[1, 0] + flat[2, 0]) / 2
    aside = np.maximum(np.abs(x - np.float32(middle)) / np.float32(half_width) - 1.0, 0)
    end = np.float32(chin[1]) + 0.30 - 0.35 * np.clip(aside - 0.1, 0, 2)
    return (person * smoothstep(0, 1, (end - y) / 0.34)).astype(np.float32)


def _sample(lab: Floats, landmarks: Reals, ids: list[int]) -> Floats:
    height, width = lab.shape[:2]
    columns = np.clip(landmarks[ids, 0], 0, width - 1).astype(int)
    rows = np.clip(landmarks[ids, 1], 0, height - 1).astype(int)
    return lab[rows, columns]


def colourfulness(skin_colour: Reals) -> float:
    """0 for grey photos, 1 for coloured ones; `skin_colour`: (L, a, b)."""
    return step(3, 9, float(np.hypot(*skin_colour[1:])))


def sunglasses_level(lab: Floats, landmarks: Reals) -> float:
    """1 when dark glasses cover the eyes: dark or off-colour under the eye, no contrast in it."""
    smooth = blur(lab, 2.0)
    votes, colours, contrasts = 0.0, 0.0, []
    for eye, low in enumerate(([119, 120, 118], [348, 349, 347])):
        cheek = np.median(_sample(smooth, landmarks, CHEEK[eye]), 0)
        under = _sample(smooth, landmarks, UNDER_EYE[eye][2:-1] + low)
        expected = cheek[1:] * np.clip(under[:, :1] / max(cheek[0], 1), 0.2, 1)
        off = float(np.median(np.hypot(*(under[:, 1:] - expected).T)))
        votes += float(np.mean(under[:, 0] < 0.62 * cheek[0])) + min(off, 40) / 60
        colours += off
        inside = smooth[polygon(lab.shape[0], landmarks[EYE[eye]]) > 0.5][:, 0]
        if len(inside) > 9:
            low_high = np.percentile(inside, [8, 92])
            contrasts.append(float(np.diff(low_high)[0] / max(cheek[0], 15)))
        else:
            contrasts.append(0.0)
    flat = max(step(0.45, 0.25, min(contrasts)), step(35, 50, colours))
    return step(1.48, 1.66, votes) * flat


def frame_lines(lab: Floats, skin_colour: Reals, unit: float) -> Floats:
    """Thin lines darker and greyer than skin can be: spectacle frames rather than wrinkles."""
    value = blur(lab[..., 0] / 100, 0.8)
    closed = cv2.morphologyEx(value, cv2.MORPH_CLOSE, disc(0.06 * unit))
    depth = (closed - value) / (0.30 + value)
    colour = blur(lab[..., 1:], 1.0)
    expected = np.hypot(*skin_colour[1:]) * np.clip(value * 100 / skin_colour[0], 0.12, 1.3) + 1
    grey = np.hypot(colour[..., 0], colour[..., 1]) / expected
    return (smoothstep(0.05, 0.16, depth) * smoothstep(1.1, 0.65, grey)).astype(np.float32)


def cheek_colour(lab: Floats, landmarks: Reals) -> Reals:
    """(L, a, b) of the cheeks, which neither glasses nor beards cover."""
    ids = [205, 50, 425, 280, 187, 411, 36, 266]
    return np.median(_sample(blur(lab, 3.0), landmarks, ids), 0)


def glasses_edges(lab: Floats, head: Head, skin_colour: Reals) -> float:
    """The evidence for spectacles, -12 to 6.

    Luminance edges at the bridge, under and beside the eyes (a logistic fit), confirmed by
    frame-like lines at the bridge or in a ring under both eyes. `skin_colour`: (L, a, b).
    """
    sample = head.sample

    def box(x: float, y: float, width: float, height: float, n: int) -> tuple[Reals, Reals]:
        columns, rows = np.meshgrid(
            np.linspace(x - width, x + width, n), np.linspace(y - height, y + height, n)
        )
        return columns, rows

    value = cv2.GaussianBlur(lab[..., 0] / 100, (0, 0), 1.0)
    linear = np.where(value > 0.08, ((value + 0.16) / 1.16) ** 3, value / 9.033)
    display = (linear.astype(np.float32)) ** np.float32(1 / 2.2)
    scale = 0.1 + sum(
        float(np.median(sample(display, *box(x, 0.7, 0.2, 0.2, 24)))) for x in (-0.5, 0.5)
    )

    def edge(x: float, y: float, width: float, height: float, n: int) -> float:
        rows = sample(display, *box(x, y, width, height, n)) / scale
        strength = np.abs(np.diff(rows, axis=0)).mean(1)
        return float(np.log(np.sort(strength)[-3:].mean() + 0.005))

    under = [edge(x, 0.33, 0.18, 0.16, 28) for x in (-0.5, 0.5)]
    beside = [edge(x, 0, 0.08, 0.14, 24) for x in (-0.92, 0.92)]
    logit = (
        3.517 * edge(0, 0.02, 0.10, 0.22, 32)
        - 0.598 * min(under) + 0.462 * max(under)
        - 0.132 * min(beside) + 0.547 * max(beside) + 10.602
    )  # fmt: skip
    lines = frame_lines(lab, skin_colour, head.unit)
    columns, rows = np.meshgrid(np.linspace(-0.10, 0.10, 20), np.linspace(-0.2, 0.24, 32))
    bridge = float(sample(lines, columns, rows).max(0).mean())
    angle, radius = np.meshgrid(
        np.linspace(-0.15, np.pi * 0.95, 24), np.linspace(0.27, 0.60, 20), indexing="ij"
    )
    rings = [
        np.percentile(
            sample(lines, side * (0.5 + np.cos(angle) * radius * 1.15), np.sin(angle) * radius).max(
                1
            ),
            30,
        )
        for side in (-1, 1)
    ]
    coloured = step(7, 13, float(np.hypot(*skin_colour[1:])))
    score = logit + 4.5 * min(bridge, 0.5) * coloured + 2 * min(float(min(rings)), 0.5)
    return float(np.clip(score, -12, 6))
