"""Shapes are measured, and people told apart by them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality import shape


def test_shapes_are_measured() -> None:
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], float)
    assert shape.polygon_area(square) == 4
    random = np.random.default_rng(0)
    mesh = random.random((478, 2))
    turned = mesh @ np.array([[0.6, 0.8], [-0.8, 0.6]]) * 3 + 7
    assert shape.shape_distance(mesh, turned) == pytest.approx(0, abs=1e-6)
    assert shape.shape_distance(mesh, random.random((478, 2))) > 0.5
    assert shape.correlation(np.arange(5.0), 3 - 2 * np.arange(5.0)) == pytest.approx(-1)
    assert shape.correlation(np.arange(5.0), np.ones(5)) == 0


def test_people_are_told_apart_after_centring() -> None:
    random = np.random.default_rng(1)
    people = random.standard_normal((6, 40))
    photos, toons = people + 100, people * 0.5 - 30
    table = shape.centred_cosine_distances(toons, photos)
    assert (table.argmin(axis=1) == np.arange(6)).all()
    assert np.diag(table) == pytest.approx(0, abs=1e-6)


def face() -> NDArray[np.float64]:
    """A few landmarks of a level face, eyes 100 wide apart at their outer corners."""
    points = np.zeros((478, 2))
    for corners, ends in zip(shape.EYE_CORNERS, ((0, 40), (60, 100)), strict=True):
        points[list(corners), 0] = ends
    for rim, x in zip(shape.IRISES, (20, 80), strict=True):
        points[list(rim)] = (x, 0)
    for brow, at in (
        (shape.LEFT_BROW, (0, 10, 20, 30, 40)),
        (shape.RIGHT_BROW, (100, 90, 80, 70, 60)),
    ):
        points[list(brow[:5])] = [(x, -24) for x in at]
        points[list(brow[5:])] = [(x, -16) for x in at[::-1]]
    points[list(shape.LIPS)] = (50, 80)
    points[shape.NOSE_TIP] = (50, 40)
    return points


def turned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same face, tilted, larger and elsewhere."""
    return points @ np.array([[0.6, 0.8], [-0.8, 0.6]]) * 3 + 7


@pytest.mark.parametrize("seen", [lambda points: points, turned])
def test_gaze_brows_and_turns_are_read(seen: Callable[[NDArray], NDArray]) -> None:
    assert shape.gaze(seen(face())) == pytest.approx([0, 0])
    assert shape.brows(seen(face())) == pytest.approx([0.2, 0, 0.08])
    assert shape.turn(seen(face())) == pytest.approx([0, 0.5])
    looking = face()
    for rim in shape.IRISES:
        looking[list(rim)] += (4, 2)
    assert shape.gaze(seen(looking)) == pytest.approx([0.1, 0.05])
    stern = face()
    for brow, inner in ((shape.LEFT_BROW, 40), (shape.RIGHT_BROW, 60)):
        stern[list(brow), 1] += 4 - np.abs(stern[list(brow), 0] - inner) * 0.2
    assert shape.brows(seen(stern))[1] == pytest.approx(0.2)
    aside = face()
    aside[shape.NOSE_TIP] += (12, -8)
    assert shape.turn(seen(aside)) == pytest.approx([0.2, 0.4])
