"""Patch matching, and pictures made of the patches."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from engines.training.own.patchwork import REACH, blur, box, matched, voted


def test_a_patch_is_found_where_it_is() -> None:
    wanted = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    others = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    offered = torch.cat([others[:1], wanted.roll((2, -1), (2, 3)), others[1:]])
    free = torch.zeros(1, 1, 24, 24), torch.zeros(3, 1, 24, 24)
    which, moves = matched([(wanted, offered, 1.0)], *free)
    inner = slice(REACH, -REACH)
    assert (which[inner, inner] == 1).all()
    assert (moves[0][inner, inner] == -1).all()
    assert (moves[1][inner, inner] == 2).all()
    drawn = voted(offered, which, moves)[..., 8:-8, 8:-8]
    assert torch.allclose(drawn, wanted[..., 8:-8, 8:-8], atol=1e-6)


def test_moving_and_other_pictures_have_their_price() -> None:
    same = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    offered = torch.cat([same.roll(1, 3), same])
    dear = torch.full((1, 1, 24, 24), 100.0)
    extra = torch.tensor([0.0, 1000.0])[:, None, None, None].expand(2, 1, 24, 24)
    which, moves = matched([(same, offered, 1.0)], dear, extra)
    assert not which.any()
    assert not moves.any()


def test_filters_are_opencvs() -> None:
    picture = np.random.default_rng(0).random((40, 40), np.float32)
    tensor = torch.from_numpy(picture)[None, None]
    soft = cv2.GaussianBlur(picture, (13, 13), 2.0, borderType=cv2.BORDER_REPLICATE)
    assert blur(tensor, 2.0)[0, 0].numpy() == pytest.approx(soft, abs=1e-5)
    flat = cv2.blur(picture, (7, 7), borderType=cv2.BORDER_REPLICATE)
    assert box(tensor, 3)[0, 0].numpy() == pytest.approx(flat, abs=1e-5)
