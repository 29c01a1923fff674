"""Weights under our own names are read and checked."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engines.checkpoints import CheckpointError, read_checkpoint
from engines.networks.generator_config import GeneratorConfig
from tests.engines.checkpoints import writers
from tests.engines.checkpoints.checks import STATE, check_same, read
from tests.engines.checkpoints.writers import TINY


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "face.safetensors"
    save_file(STATE, path)
    checkpoint = read_checkpoint(path)
    check_same(checkpoint, STATE)
    assert (checkpoint.source, checkpoint.conv_clamp) == ("safetensors", 256.0)
    save_file(STATE, path, metadata={"conv_clamp": "none"})
    assert read_checkpoint(path).conv_clamp is None
    save_file(STATE, path, metadata={"conv_clamp": "loose"})
    with pytest.raises(CheckpointError, match="conv_clamp is neither"):
        read_checkpoint(path)
    save_file({**STATE, "encoder.stem": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"'encoder\.stem' does not belong"):
        read_checkpoint(path)


def test_our_own_gates_and_masks_are_kept(tmp_path: Path) -> None:
    config = dataclasses.replace(
        TINY,
        feature_channels=((8, 5),),
        mask_resolution=32,
        detail_resolution=4,
        photo_resolution=16,
    )
    state = writers.random_state(3, config)
    path = tmp_path / "face.safetensors"
    save_file(state, path)
    read_back = read_checkpoint(path).state
    assert read_back.keys() == state.keys()
    assert all(torch.equal(read_back[name], p) for name, p in state.items())


@pytest.mark.parametrize(
    ("name", "tensor", "sentence"),
    [
        ("b8.inject.weight", torch.zeros(16), r"should be \[16, 1, 1, 1\].*found \[16\]"),
        ("b8.inject.weight", torch.zeros(9, 5, 1, 1), r"should be \[16, 5, 1, 1\]"),
        ("b8.inject.weight", torch.zeros(16, 5, 3, 3), r"should be \[16, 5, 1, 1\]"),
        ("b8.inject.weight", torch.zeros(16, 0, 1, 1), r"should be \[16, 1, 1, 1\]"),
        ("b8.inject.gate", torch.zeros(1), r"b8\.inject\.gate should be \[16\]"),
        ("b8.inject.gate", None, r"b8\.inject\.gate is missing"),
        ("b4.todetail.weight", torch.zeros(4, 16, 1, 1), r"should be \[16, 16, 1, 1\]"),
        ("b32.tomask.bias", torch.zeros(()), r"b32\.tomask\.bias should be \[1\]"),
        ("b64.tomask.weight", torch.zeros(1, 8, 1, 1), r"in one block, found it in \[32, 64\]"),
        ("b64.tophoto.weight", torch.zeros(1, 8, 1, 1), r"b64\.tophoto\.bias is missing"),
        ("b128.inject.weight", torch.zeros(8, 5, 1, 1), r"b128\.conv0\.weight is missing"),
    ],
)
def test_gates_and_masks_must_fit(
    tmp_path: Path, name: str, tensor: torch.Tensor | None, sentence: str
) -> None:
    config = dataclasses.replace(
        TINY, feature_channels=((8, 5),), mask_resolution=32, detail_resolution=4
    )
    state = {**writers.random_state(3, config), f"synthesis.{name}": tensor}
    path = tmp_path / "face.safetensors"
    save_file({name: p for name, p in state.items() if p is not None}, path)
    with pytest.raises(CheckpointError, match=sentence):
        read_checkpoint(path)


def test_models_without_noise(tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, noise=False)
    state = writers.random_state(2, config)
    checkpoint = read(tmp_path, writers.nvidia_pickle(state))
    assert checkpoint.state.keys() == state.keys()
    assert GeneratorConfig.from_state(checkpoint.state).noise is False
