"""Measures of landmarks: how large and open eyes and mouth are, and whose face it is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engines.faces import features

Points = NDArray[np.floating]

# Indices of MediaPipe's mesh. "Left" is the picture's.
LEFT_EYE, RIGHT_EYE = (tuple(eye) for eye in features.EYE_OUTLINE)
IRISES = tuple((centre, *ring) for centre, ring in features.IRIS)
"""Centre and rim of each."""
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
LEFT_BROW, RIGHT_BROW = (tuple(brow) for brow in features.BROW)
# (upper, lower) inner-lip points; (upper, lower) lid points with the corners of each eye
LIP_PAIRS = ((82, 87), (13, 14), (312, 317))
LID_PAIRS = (((160, 144), (159, 145), (158, 153)), ((385, 380), (386, 374), (387, 373)))
EYE_CORNERS = ((33, 133), (362, 263))
FACE_HEIGHT = (10, 152)
NOSE_TIP = 1


def _distance(points: Points, a: int, b: int) -> float:
    return float(np.hypot(*(points[a, :2] - points[b, :2])))


def polygon_area(points: Points) -> float:
    """Area of a polygon [K, 2] (shoelace formula)."""
    x, y = np.asarray(points, np.float64)[:, :2].T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def eye_size(points: Points) -> float:
    """Side of a square of one eye's mean area, as a share of that of the face.

    Args:
        points: [478, >=2] in any unit.
    """
    eyes = polygon_area(points[LEFT_EYE, :]) + polygon_area(points[RIGHT_EYE, :])
    return float(np.sqrt(eyes / 2 / polygon_area(points[OVAL, :])))


def eye_openings(points: Points) -> NDArray[np.float64]:
    """Lid distance over width of each eye (eye aspect ratio, Soukupova & Cech 2016): [2]."""
    return np.array(
        [
            np.mean([_distance(points, a, b) for a, b in lids]) / _distance(points, *corners)
            for lids, corners in zip(LID_PAIRS, EYE_CORNERS, strict=True)
        ]
    )


def eye_opening(points: Points) -> float:
    """Mean of `eye_openings`."""
    return float(eye_openings(points).mean())


def mouth_opening(points: Points) -> float:
    """Distance of the inner lips as a share of the face's height."""
    gap = np.mean([_distance(points, a, b) for a, b in LIP_PAIRS])
    return float(gap / _distance(points, *FACE_HEIGHT))


def gaze(points: Points) -> NDArray[np.float64]:
    """Where the irises stand in the eyes: offset (across, down) over the eye's width, mean of both.

    Args:
        points: [478, >=2] in any unit.
    """
    offsets = []
    for rim, corners in zip(IRISES, EYE_CORNERS, strict=True):
        a, b = (points[corner, :2].astype(np.float64) for corner in corners)
        across = b - a
        away = points[list(rim), :2].mean(0) - (a + b) / 2
        offsets.append(
            [away @ across, across[0] * away[1] - across[1] * away[0]] / (across @ across)
        )
    return np.mean(offsets, axis=0)


def brows(points: Points) -> NDArray[np.float64]:
    """Height above the eyes, slope towards the nose and thickness of the brows, mean of both: [3].

    All three are shares of the distance of the eyes' outer corners, in the head's own upright.

    Args:
        points: [478, >=2] in any unit.
    """
    xy = points[:, :2].astype(np.float64)
    across = xy[EYE_CORNERS[1][1]] - xy[EYE_CORNERS[0][0]]
    unit = float(np.hypot(*across))
    right = across / unit
    upright = (xy - xy[EYE_CORNERS[0][0]]) @ np.array([[right[0], -right[1]], [right[1], right[0]]])
    found = []
    for brow, corners, side in ((LEFT_BROW, EYE_CORNERS[0], 1), (RIGHT_BROW, EYE_CORNERS[1], -1)):
        upper, lower = upright[list(brow[:5])], upright[list(brow[5:])]
        height = upright[list(corners), 1].mean() - upright[list(brow), 1].mean()
        slope = np.polyfit(side * upright[list(brow), 0], upright[list(brow), 1], 1)[0]
        found.append([height / unit, slope, (lower[:, 1].mean() - upper[:, 1].mean()) / unit])
    return np.mean(found, axis=0)


def turn(points: Points) -> NDArray[np.float64]:
    """How far the head is turned (yaw, pitch), as the nose's place between eyes and mouth: [2].

    Args:
        points: [478, >=2] in any unit.
    """
    xy = points[:, :2].astype(np.float64)
    left, right = (xy[list(corners)].mean(0) for corners in EYE_CORNERS)
    mouth, nose = xy[list(LIPS)].mean(0), xy[NOSE_TIP]
    middle = (left + right) / 2
    across, down = right - left, mouth - middle
    return np.array(
        [(nose - middle) @ across / (across @ across), (nose - middle) @ down / (down @ down)]
    )


def shape_distance(a: Points, b: Points) -> float:
    """Procrustes distance of two meshes [K, >=2]: what the best similarity leaves, 0..1."""

    def normal(points: Points) -> NDArray[np.complex128]:
        z = points[:, 0].astype(np.float64) + 1j * points[:, 1].astype(np.float64)
        z = z - z.mean()
        return z / np.linalg.norm(z)

    overlap = float(abs(np.vdot(normal(a), normal(b))))
    return math.sqrt(max(0.0, 1 - overlap**2))


def correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Pearson's r; 0 where one side does not move at all."""
    x, y = (np.asarray(v, np.float64) - np.mean(v) for v in (a, b))
    scale = np.linalg.norm(x) * np.linalg.norm(y)
    return float(x @ y / scale) if scale > 1e-12 else 0.0


def centred_cosine_distances(
    a: NDArray[np.floating], b: NDArray[np.floating]
) -> NDArray[np.float64]:
    """1 - cosine between every row of a [N, D] and of b [N, D], each set around its own mean.

    Centring removes what all toons share and what all photos share; the person remains.
    """
    x, y = (np.asarray(v, np.float64) - np.mean(v, axis=0) for v in (a, b))
    x /= np.linalg.norm(x, axis=1, keepdims=True) + 1e-12
    y /= np.linalg.norm(y, axis=1, keepdims=True) + 1e-12
    return 1 - x @ y.T
