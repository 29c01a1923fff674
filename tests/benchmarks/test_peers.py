"""Peers have the published sizes, the textbook draws our picture, and ceilings add up."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks.peers.animegan import PUBLISHED_MEGABYTES, AnimeNetwork
from benchmarks.peers.mobile_stylegan import (
    PUBLISHED_MACS,
    PUBLISHED_PARAMETERS,
    MobileStyleNetwork,
    haar_synthesis,
)
from benchmarks.peers.textbook import TextbookNetwork
from benchmarks.roofline import Ceiling, element_bytes, measure_ceiling, traffic
from engines.backends import create_engine
from engines.networks.cost import macs
from tests.engines.factory import tiny_network


def crops(count: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=generator)


def test_the_textbook_form_draws_the_same_picture():
    network = tiny_network(64, seed=3)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.3)
        ours = network(crops(3, 64))
        theirs = TextbookNetwork(network)(crops(3, 64))
    toons = ours[0] if isinstance(ours, tuple) else ours
    difference = (toons.int() - theirs.int()).abs()
    assert difference.max() <= 1
    assert toons.float().std() > 10  # a flat picture would prove nothing


def test_the_textbook_leaves_our_network_alone():
    network = tiny_network(64)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    create_engine(TextbookNetwork(network), "torch:cpu", say=lambda line: None)
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())


def test_animegan_has_its_published_size():
    network = AnimeNetwork(64)
    megabytes = sum(p.numel() for p in network.parameters()) * 4 / 2**20
    assert megabytes == pytest.approx(PUBLISHED_MEGABYTES, abs=0.01)
    assert network(crops(2, 64)).shape == (2, 64, 64, 3)


def test_mobile_stylegan_has_its_published_size():
    network = MobileStyleNetwork(1024)
    count = sum(p.numel() for p in network.parameters())
    assert count == pytest.approx(PUBLISHED_PARAMETERS, rel=0.02)
    # the published figure is twice what the layer table gives at one operation a MAC
    with torch.device("meta"):
        work = macs(MobileStyleNetwork(1024), torch.zeros(1, 8, 8, 3))
    assert work == pytest.approx(PUBLISHED_MACS / 2, rel=0.05)


def test_haar_synthesis_inverts_haar_analysis():
    image = torch.rand(1, 3, 8, 8)
    a, b, c, d = (image[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
    bands = [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d]
    assert torch.allclose(haar_synthesis(torch.cat(bands, dim=1) / 2), image, atol=1e-6)


@pytest.mark.parametrize("network", [AnimeNetwork(64), MobileStyleNetwork(64, 64)])
def test_peers_run_on_the_back_ends(network, tmp_path):
    engine = create_engine(network, "openvino", cache_dir=tmp_path, say=lambda line: None)
    eager = create_engine(network, "torch:cpu", say=lambda line: None)
    batch = crops(1, 64).numpy()
    there, here = engine.run(batch).images, eager.run(batch).images
    assert abs(there.astype(int) - here.astype(int)).mean() < 2
    engine.close()
    eager.close()


def test_the_roof_is_the_lower_of_two_ceilings():
    ceiling = Ceiling("cpu", "fp32", macs_per_second=100e9, bytes_per_second=10e9)
    assert ceiling.ridge == 10
    assert ceiling.attainable(1) == 10e9
    assert ceiling.attainable(10) == 100e9
    assert ceiling.attainable(1000) == 100e9
    assert ceiling.record()["gmac_per_s"] == 100


def test_traffic_counts_every_tensor_once():
    layer = nn.Conv2d(4, 8, 3, padding=1, bias=False)
    image = torch.zeros(1, 4, 16, 16)
    numbers = 4 * 16 * 16 + 8 * 4 * 9 + 8 * 16 * 16
    assert traffic(layer, image) == 4 * numbers
    assert traffic(nn.Sequential(layer, nn.ReLU()), image, precision="fp16") == 2 * numbers
    assert element_bytes("int8") == 1


def test_ceilings_are_measured(monkeypatch):
    monkeypatch.setattr("benchmarks.roofline.MATMUL_SIDE", {"cpu": 128})
    monkeypatch.setattr("benchmarks.roofline.COPY_BYTES", {"cpu": 1 << 20})
    found = measure_ceiling("cpu", "fp32", seconds=0.02)
    assert 1e8 < found.macs_per_second < 1e14
    assert 1e8 < found.bytes_per_second < 1e13
