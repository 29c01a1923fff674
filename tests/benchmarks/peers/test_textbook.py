"""The textbook form draws our picture and leaves our network alone."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.peers.textbook import TextbookNetwork
from engines.backends import create_engine
from tests.benchmarks.peers.factory import crops
from tests.engines.factory import tiny_network


def test_the_textbook_form_draws_the_same_picture() -> None:
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


def test_the_textbook_leaves_our_network_alone() -> None:
    network = tiny_network(64)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    textbook: Any = TextbookNetwork(network)
    create_engine(textbook, "torch:cpu", say=lambda line: None)
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())
