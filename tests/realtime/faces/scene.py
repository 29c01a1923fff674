"""Portraits that are moved over a wall, with their true landmarks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import ffhq_quad, pixel_matrix, transform_points
from engines.faces.landmarker import Landmarker
from engines.pictures import Image
from realtime.faces.face import TrackedFace
from realtime.faces.tracker import FaceTracker
from realtime.frame import Frame
from realtime.sources.sitters import portrait

FPS = 30
Person = tuple[float, float, float, bool]
"""Eye x, eye y, pixels between the eyes, mirrored."""
NOISE = np.random.default_rng(0).normal(128, 5, (784, 1344, 3)).clip(0, 255).astype(np.uint8)


class Scene:
    """Portraits on a grey wall, with sensor noise."""

    def __init__(self) -> None:
        self.picture = portrait()
        with Landmarker(blendshapes=False) as landmarker:
            rgb = np.ascontiguousarray(self.picture[..., ::-1])
            self.points = landmarker.detect(rgb)[0].points
        self.eyes = float(np.hypot(*(self.points[33, :2] - self.points[263, :2])))
        rows, columns = np.mgrid[0:600, 0:512]
        edge = np.minimum.reduce([rows, columns, 511 - columns]) / 40
        self.matte = np.clip(edge, 0, 1).astype(np.float32)

    def frame(
        self, number: int, persons: Sequence[Person], size: tuple[int, int] = (1280, 720)
    ) -> tuple[Frame, list[NDArray[np.floating]]]:
        """Frame `number` with these persons, and the true landmarks of each."""
        image: Image = np.full((size[1], size[0], 3), 120, np.uint8)
        truth: list[NDArray[np.floating]] = []
        for x, y, eyes, mirrored in persons:
            scale = eyes / self.eyes
            move = np.array([[-scale if mirrored else scale, 0, 0], [0, scale, 0]])
            middle = self.points[[33, 263], :2].mean(0)
            move[:, 2] = (x, y) - move[:, :2] @ middle
            matrix = pixel_matrix(move)
            person = cv2.resize(self.picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            half = matrix.copy()
            half[:, :2] *= 2
            half[:, 2] += matrix[:, :2].sum(1) * 0.5
            person = cv2.warpAffine(person, half, size)
            if mirrored:
                person = cv2.convertScaleAbs(person, alpha=0.8)
            matte = cv2.warpAffine(self.matte, matrix, size)
            image = cv2.blendLinear(person, image, matte, 1 - matte).astype(np.uint8, copy=False)
            truth.append(transform_points(self.points, move))
        top, left = np.random.default_rng(number).integers(0, 64, 2)
        grain = NOISE[top : top + size[1], left : left + size[0]]
        noisy = cv2.addWeighted(image, 1, grain, 1, -128).astype(np.uint8, copy=False)
        return Frame(noisy, number / FPS, number), truth


def step(tracker: FaceTracker, frame: Frame) -> list[TrackedFace]:
    """One frame as the loop has it tracked."""
    faces = tracker.update(frame)
    tracker.search()
    tracker.refresh()
    return faces


def error(face: TrackedFace, truth: NDArray[np.floating]) -> float:
    """Distance of the squares' centres as a share of the true square's side."""
    quad = ffhq_quad(truth)
    return float(np.hypot(*(face.quad.mean(0) - quad.mean(0))) / np.hypot(*(quad[3] - quad[0])))
