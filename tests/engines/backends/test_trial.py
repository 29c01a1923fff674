from __future__ import annotations

import torch

from engines.backends.trial import trial_network


def test_the_trial_network_runs() -> None:
    network = trial_network()
    size = network.input_size
    (toons,) = network(torch.zeros(1, size, size, 3, dtype=torch.uint8))
    assert toons.shape == (1, 64, 64, 3)
