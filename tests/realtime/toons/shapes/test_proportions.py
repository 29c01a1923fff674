"""A child's proportions: a high forehead, eyes low in the face, round cheeks, a small chin."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import LID_POINTS
from engines.faces.head import CHIN, FOREHEAD, MOUTH_CORNERS
from engines.pictures import Image
from realtime.toons.places import toon_points
from realtime.toons.shapes.proportions import CHEEKS, JAW, SHORTER, SINK, childlike
from realtime.toons.shapes.warps import plan_of

Points = NDArray[np.float32]
JAWS, CHEEKBONES = [172, 397], [123, 352]  # landmarks on both sides


def moved(points: Points, front: float = 1.0, share: float = 1.0) -> Points:
    """Where landmarks lie in a face that got so much of a child's proportions."""
    shown = np.ascontiguousarray(points[:, :2], np.float32)
    plan = plan_of(np.zeros((3, 64, 64), np.float32), childlike(shown, front, share))
    return toon_points(shown, plan)


def height(points: Points) -> float:
    return float(np.linalg.norm(points[CHIN, :2] - points[FOREHEAD, :2]))


def width(points: Points, ids: list[int]) -> float:
    return float(np.linalg.norm(points[ids[0], :2] - points[ids[1], :2]))


def test_eyes_sink_level_and_the_chin_rises(face_crop: tuple[Image, Points]) -> None:
    points = face_crop[1]
    after = moved(points)
    sunk = [float((after[ids] - points[ids, :2])[:, 1].mean()) for ids in LID_POINTS]
    assert sunk == pytest.approx([SINK * height(points)] * 2, rel=0.25)
    assert abs(sunk[0] - sunk[1]) < 0.1 * sunk[0]  # both lie as before beside each other
    for ids in LID_POINTS:
        inner, outer = after[ids][:, 1].min(), points[ids, 1].min()
        assert inner > outer
    corners = list(MOUTH_CORNERS)
    apart = (points[CHIN, 1] - points[corners, 1].mean()), (after[CHIN] - after[corners].mean(0))[1]
    assert 0.7 < apart[1] / apart[0] < 0.95
    assert 0 < points[CHIN, 1] - after[CHIN, 1] < 1.05 * SHORTER * height(points)


def test_jaws_are_narrower_and_cheeks_rounder_but_not_in_profile(
    face_crop: tuple[Image, Points],
) -> None:
    points = face_crop[1]
    jaw, cheeks = (width(moved(points), ids) / width(points, ids) for ids in (JAWS, CHEEKBONES))
    assert JAW - 0.01 < jaw < 0.97
    assert 1.0 < cheeks < CHEEKS + 0.01
    aside = moved(points, front=0.0)
    assert width(aside, JAWS) / width(points, JAWS) == pytest.approx(1, abs=0.02)


def test_it_goes_as_far_as_it_is_wanted(face_crop: tuple[Image, Points]) -> None:
    points = face_crop[1]
    assert not childlike(np.ascontiguousarray(points[:, :2]), 1.0, 0.0).any()
    whole, half = (moved(points, share=share) - points[:, :2] for share in (1.0, 0.5))
    far = np.abs(whole[:, 1]) > 0.01
    assert far.any()
    assert half[far, 1] / whole[far, 1] == pytest.approx(0.5, abs=0.12)


def test_a_chin_at_the_edge_of_the_crop_stays_in_it_unstretched(
    face_crop: tuple[Image, Points],
) -> None:
    points = np.ascontiguousarray(face_crop[1][:, :2])
    points[:, 1] += 1 - points[CHIN, 1]
    field = childlike(points, 1.0, 1.0)
    assert np.abs(field[-1, :, 1]).max() < 0.004  # it ends where the frame goes on
    assert np.gradient(field[..., 1], 1 / len(field), axis=0).min() > -0.9  # nothing is folded
