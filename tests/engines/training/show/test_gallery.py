"""Sheets of a model."""

from __future__ import annotations

import numpy as np
import pytest

from engines.bundle import Bundle
from engines.training.show.gallery import draw, people_sheet, swap_sheet
from engines.training.show.sheets import LABEL_HEIGHT
from tests.engines.factory import random_bundle
from tests.engines.training.factory import smooth_pictures, tiny_size

CROPS = smooth_pictures(3, 32)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return random_bundle(size=tiny_size(), styles=2)


def test_batches_draw_what_one_draws(bundle: Bundle) -> None:
    network = bundle.network()
    assert np.array_equal(draw(network, CROPS, batch=2), draw(network, CROPS))


def test_people_are_shown_beside_every_style(bundle: Bundle) -> None:
    height = LABEL_HEIGHT + 3 * 34 - 2
    assert people_sheet(bundle, CROPS, side=32).shape == (height, 4 * 34 - 2, 3)
    sheet = people_sheet(bundle, CROPS, 255 - CROPS, side=32)
    assert sheet.shape == (height, 5 * 34 - 2, 3)
    assert np.array_equal(sheet[-32:, :32], CROPS[2])
    assert np.array_equal(sheet[-32:, 68:100], 255 - CROPS[2])
    assert np.array_equal(sheet[-32:, -32:], draw(bundle.network("comic"), CROPS)[2])


def test_swaps_begin_with_the_face_model_and_end_with_the_toon_model(bundle: Bundle) -> None:
    sheet = swap_sheet(bundle, CROPS, "comic", side=32)
    assert sheet.shape == (LABEL_HEIGHT + 3 * 34 - 2, 7 * 34 - 2, 3)
    assert np.array_equal(sheet[-32:, -32:], draw(bundle.network("comic"), CROPS)[2])
