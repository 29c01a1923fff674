from __future__ import annotations

import numpy as np

from engines.training.pairs.turned.fill import continue_outwards


def test_the_known_part_stays_and_goes_on_as_in_a_mirror() -> None:
    stripes = np.tile(np.arange(64, dtype=np.float32)[None, :, None] / 64, (64, 1, 3))
    known = np.zeros((64, 64), bool)
    known[:, :32] = True
    filled = continue_outwards(stripes, known)
    assert np.array_equal(filled[known], stripes[known])
    assert np.abs(filled[20:40, 36] - stripes[20:40, 26]).max() < 0.03
    assert np.isfinite(filled).all()


def test_far_from_what_is_known_the_colour_is_soft() -> None:
    image = np.full((128, 128, 3), 0.4, np.float32)
    known = np.zeros((128, 128), bool)
    known[:, :16] = True
    image[~known] = 9.0  # must not be seen
    assert np.allclose(continue_outwards(image, known), 0.4, atol=0.01)
