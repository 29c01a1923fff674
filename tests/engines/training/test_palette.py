"""The colours of a style."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.training.data import to_tensor
from engines.training.palette import MOST_CONTRAST, filled, lab, palette_of, to_picture
from tests.engines.training.factory import smooth_pictures, tiny_pairs

PEOPLE = smooth_pictures(10, 32)
POINTS = tiny_pairs().landmarks / 32
ALL = torch.ones(1, 1, 32, 32)


def test_a_style_of_photos_changes_no_colour() -> None:
    palette = palette_of((PEOPLE, POINTS), (PEOPLE, POINTS))
    colours = lab(to_tensor(list(PEOPLE)))
    assert torch.allclose(palette.apply(colours, ALL), colours, atol=0.05)


def test_means_and_spreads_become_the_styles() -> None:
    duller = (PEOPLE.astype(float) * 0.4 + 20).astype(np.uint8)
    palette = palette_of((PEOPLE, POINTS), (duller, POINTS))
    for place in (ALL, 0 * ALL):
        drawn = palette.apply(lab(to_tensor(list(PEOPLE))), place)
        wanted = lab(to_tensor(list(duller)))
        assert drawn.mean((0, 2, 3)) == pytest.approx(wanted.mean((0, 2, 3)), abs=3)
        assert drawn.std((0, 2, 3)) == pytest.approx(wanted.std((0, 2, 3)), rel=0.15)


def test_contrast_has_an_end() -> None:
    palette = palette_of((PEOPLE, POINTS), (PEOPLE, POINTS))
    wild = replace(palette, style=palette.style * 100)
    assert wild.contrast.max() == MOST_CONTRAST


def test_lab_goes_there_and_back() -> None:
    assert np.abs(to_picture(lab(to_tensor(PEOPLE[:1]))).astype(int) - PEOPLE[0]).max() <= 1
    grey = lab(torch.zeros(1, 3, 2, 2))
    assert grey[0, :, 0, 0] == pytest.approx([53.4, 0, 0], abs=0.5)


def test_hulls_are_filled_and_grown() -> None:
    points = np.full((478, 2), 0.5, np.float32)
    points[:4] = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]
    mask = filled([[0, 1, 2, 3]], points, 32)
    assert mask[8:25, 8:25].min() == 1
    assert mask.sum() == 17 * 17
    assert filled([[0, 1, 2, 3]], points, 32, grown=2).sum() == 21 * 21
