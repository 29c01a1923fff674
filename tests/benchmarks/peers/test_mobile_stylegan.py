"""MobileStyleGAN has its published size, and its wavelets are right."""

from __future__ import annotations

import pytest
import torch

from benchmarks.peers.mobile_stylegan import (
    PUBLISHED_MACS,
    PUBLISHED_PARAMETERS,
    MobileStyleNetwork,
    haar_synthesis,
)
from engines.networks.cost import macs


def test_mobile_stylegan_has_its_published_size() -> None:
    network = MobileStyleNetwork(1024)
    count = sum(p.numel() for p in network.parameters())
    assert count == pytest.approx(PUBLISHED_PARAMETERS, rel=0.02)
    # the published figure is twice what the layer table gives at one operation a MAC
    with torch.device("meta"):
        work = macs(MobileStyleNetwork(1024), torch.zeros(1, 8, 8, 3))
    assert work == pytest.approx(PUBLISHED_MACS / 2, rel=0.05)


def test_haar_synthesis_inverts_haar_analysis() -> None:
    image = torch.rand(1, 3, 8, 8)
    a, b, c, d = (image[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
    bands = [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d]
    assert torch.allclose(haar_synthesis(torch.cat(bands, dim=1) / 2), image, atol=1e-6)
