from __future__ import annotations

import numpy as np

from engines.faces.pixels import blur
from engines.training.artist.hair import flow_paint

SIDE = 160


def test_strands_gather_and_fur_does_not_turn_to_worms() -> None:
    rnd = np.random.default_rng(3)
    fur = blur(rnd.standard_normal((SIDE, SIDE)).astype(np.float32), 1.2)
    strands = np.tile(blur(rnd.standard_normal((1, SIDE)).astype(np.float32), 1.2), (SIDE, 1))
    strands = strands + 0.3 * fur  # none is as smooth as a line
    where = np.ones((SIDE, SIDE), np.float32)

    def changed(texture: np.ndarray) -> float:
        image = np.repeat((0.5 + 0.15 * texture / texture.std())[..., None], 3, 2)
        image = image.astype(np.float32)
        inside = np.s_[20:-20, 20:-20]
        return float(np.abs(flow_paint(image, where, 0.4) - image)[inside].mean())

    assert changed(strands) > 0.02
    assert changed(fur) < 0.4 * changed(strands)
