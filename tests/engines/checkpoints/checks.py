"""One generator's weights, and what must be true of a file that held them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from engines.checkpoints import NeutralCheckpoint, read_checkpoint
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from tests.engines.checkpoints import writers
from tests.engines.checkpoints.writers import TINY, State

STATE = writers.random_state()
PROTOCOLS = (2, 3, 4, 5)


def read(tmp_path: Path, data: bytes) -> NeutralCheckpoint:
    path = tmp_path / "some-model.bin"  # formats are told by content
    path.write_bytes(data)
    return read_checkpoint(path)


def image(state: State, config: GeneratorConfig) -> torch.Tensor:
    generator = Generator(config)
    generator.load_state_dict(state)
    z = torch.randn(2, config.z_dim, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return generator(z, truncation_psi=0.7)


def check_same(checkpoint: NeutralCheckpoint, state: State, *, same_average: bool = True) -> None:
    assert checkpoint.state.keys() == state.keys()
    for name, tensor in state.items():
        assert checkpoint.state[name].dtype == torch.float32
        if same_average or name != "mapping.w_avg":
            assert checkpoint.state[name].shape == tensor.shape, name
            assert torch.equal(checkpoint.state[name], tensor), name
    config = GeneratorConfig.from_state(checkpoint.state, conv_clamp=checkpoint.conv_clamp)
    if same_average:
        ours = dataclasses.replace(TINY, conv_clamp=checkpoint.conv_clamp)
        assert torch.equal(image(checkpoint.state, config), image(state, ours))
