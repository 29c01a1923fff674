"""Shapes are measured, and people told apart by them."""

from __future__ import annotations

import numpy as np
import pytest

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
