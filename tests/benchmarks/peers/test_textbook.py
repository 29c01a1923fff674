"""The textbook form draws our picture and leaves our network alone."""

from __future__ import annotations

import torch

from benchmarks.peers.textbook import textbook
from engines.backends import create_engine
from tests.benchmarks.peers.factory import crops
from tests.engines.factory import tiny_network


def test_the_textbook_form_draws_the_same_picture() -> None:
    network = tiny_network(64, seed=3)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.3)
        ours, theirs = network(crops(3, 64)), textbook(network)(crops(3, 64))
    assert ours[0].float().std() > 10  # a flat picture would prove nothing
    for mine, other in zip(ours, theirs, strict=True):
        tolerance = 1 if mine.dtype == torch.uint8 else 1e-4
        assert (mine.double() - other.double()).abs().max() <= tolerance


def test_the_textbook_leaves_our_network_alone() -> None:
    network = tiny_network(64)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    create_engine(textbook(network), "torch:cpu", say=lambda line: None)
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())
