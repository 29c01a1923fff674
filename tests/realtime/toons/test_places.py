"""Where a toon shows what the photo shows."""

from __future__ import annotations

import numpy as np

from realtime.toons.places import toon_points


def test_points_go_where_the_map_says() -> None:
    rng = np.random.default_rng(1)
    side, stretch, middle = 64, 1.7, np.array([0.45, 0.5])
    rows, columns = (np.mgrid[0:side, 0:side] + 0.5) / side
    plan = np.zeros((3, side, side), np.float32)
    for axis, at in enumerate((columns, rows)):  # a toon 1.7 times as large as the photo
        plan[axis] = (middle[axis] - at) * (1 - 1 / stretch)
    points = rng.uniform(0.4, 0.55, (478, 3)).astype(np.float32)
    wanted = middle + (points[:, :2] - middle) * stretch
    assert np.abs(toon_points(points, plan) - wanted).max() < 0.003
