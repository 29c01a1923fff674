"""The colours of a style."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.faces.features import EYE, IRIS
from engines.training.own.palette import (
    MOST_CONTRAST,
    filled,
    irises_in,
    lab,
    palette_of,
    to_picture,
)
from engines.training.pairs.sampler import to_tensor
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
    assert wild.contrast.amax((1, 2, 3)).tolist() == list(MOST_CONTRAST)


def test_irises_are_as_vivid_as_the_styles() -> None:
    """Photographed irises are nearly grey; the bluest become as blue as the style's bluest."""
    grey, vivid = (np.full((20, 64, 64, 3), 128, np.uint8) for _ in range(2))
    points = np.zeros((20, 478, 2), np.float32)
    for ids, (_, rim), x in zip(EYE, IRIS, (0.3, 0.7), strict=True):
        around = np.linspace(0, 2 * np.pi, len(ids), endpoint=False)
        points[:, ids] = np.stack([x + 0.15 * np.cos(around), 0.5 + 0.1 * np.sin(around)], 1)
        points[:, rim] = np.float32([x, 0.5]) + 0.06 * np.float32(
            [[1, 0], [0, 1], [-1, 0], [0, -1]]
        )
    for i in range(20):
        for iris in irises_in(points[i], 64):
            grey[i][iris.numpy() > 0] = (128, 128, 124 + i)
            vivid[i][iris.numpy() > 0] = (128, 128, 68 + 6 * i)
    palette = palette_of((grey, points), (vivid, points))
    blue = [
        palette.irises(lab(torch.tensor([[0.0, 0.0, b]]).view(1, 3, 1, 1)))[0, 2].item()
        for b in (-0.03, 0.12)
    ]
    assert blue[0] - blue[1] > 2.5 * (lab_b(-0.03) - lab_b(0.12))


def lab_b(blue: float) -> float:
    return float(lab(torch.tensor([0.0, 0.0, blue]).view(1, 3, 1, 1))[0, 2])


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
