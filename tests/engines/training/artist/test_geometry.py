from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engines.faces.build import lash_strength
from engines.faces.features import openness
from engines.faces.head import Head
from engines.training.artist import geometry
from engines.training.artist.geometry import Warp, plan, warp
from engines.training.artist.looks import FILM
from tests.engines.training.artist.conftest import SIZE


def bend(landmarks: np.ndarray, size: int = SIZE, **changes) -> Warp:
    head = Head(landmarks)
    return warp(head, plan(head, replace(FILM, **changes), openness(landmarks)), size)


def test_landmarks_and_picture_move_together(portrait) -> None:
    """Where the toon shows a landmark, the photo's landmark is fetched from."""
    field = bend(portrait.landmarks)
    for index in (4, 33, 133, 263, 61, 291, 152, 105):
        x, y = field.landmarks[index, :2]
        source = np.array(
            [
                cv2.getRectSubPix(np.ascontiguousarray(axis), (1, 1), (float(x), float(y)))[0, 0]
                for axis in np.moveaxis(field.source, -1, 0)
            ]
        )
        assert np.abs(source - portrait.landmarks[index, :2]).max() < 0.6


def test_nothing_folds_on_any_pose(measured_faces) -> None:
    chosen = np.concatenate([measured_faces["turned"], measured_faces["sample"][::10]])
    assert min(bend(landmarks, 512).smallest_jacobian for landmarks in chosen) > 0.15


def test_the_border_stays_and_strength_zero_moves_nothing(portrait) -> None:
    pixels = np.stack(np.meshgrid(*[np.arange(SIZE, dtype=np.float32)] * 2), -1)
    shift = bend(portrait.landmarks).source - pixels
    edge = np.concatenate([shift[0], shift[-1], shift[:, 0], shift[:, -1]])
    assert np.abs(edge).max() < 0.1
    assert np.abs(shift).max() > 4
    coarse = bend(portrait.landmarks).moves(64)
    assert coarse.shape == (64, 64, 2)
    assert np.allclose(
        coarse[20, 30] * SIZE,
        shift.reshape(64, SIZE // 64, 64, -1, 2)[20, :, 30].mean((0, 1)),
        atol=1e-3,
    )
    still = bend(portrait.landmarks, strength=0.0)
    assert np.abs(still.source - pixels).max() < 1e-3
    assert still.smallest_jacobian > 0.999


def test_a_mirrored_face_gets_the_mirrored_shape(portrait) -> None:
    """Left and right are treated alike (on a face made symmetric by hand)."""
    field = bend(portrait.landmarks)
    widths = [
        np.ptp(field.landmarks[ids, 0]) / np.ptp(portrait.landmarks[ids, 0])
        for ids in ([33, 133], [263, 362])
    ]
    assert abs(widths[0] - widths[1]) < 0.05
    assert 1.35 < np.mean(widths) < 1.8


def test_closed_and_covered_eyes_are_enlarged_less(portrait) -> None:
    head = Head(portrait.landmarks)
    scale = {
        name: plan(head, FILM, open_, sunglasses=dark).eyes[0].scale_x
        for name, open_, dark in (
            ("open", (1.0, 1.0), 0.0),
            ("closed", (0.0, 0.0), 0.0),
            ("covered", (1.0, 1.0), 1.0),
        )
    }
    assert scale["open"] > scale["closed"] > 1
    assert scale["open"] > scale["covered"] > 1


def test_heavy_faces_keep_their_jaws(measured_faces, monkeypatch) -> None:
    jaw = [172, 397]
    heads = [Head(landmarks) for landmarks in measured_faces["sample"][::4]]
    lashes = [lash_strength(head) for head in heads]
    heavy, fine = (heads[pick(lashes)].landmarks for pick in (np.argmin, np.argmax))

    def narrowing(landmarks: np.ndarray) -> float:
        widths = [np.ptp(points[jaw, 0]) for points in (bend(landmarks, 512).landmarks, landmarks)]
        return float(1 - widths[0] / widths[1])

    own = narrowing(heavy), narrowing(fine)
    monkeypatch.setattr(geometry, "STRONG_JAW", 0.0)
    assert narrowing(heavy) > own[0] + 0.015
    assert narrowing(fine) == own[1]
