"""The key of an engine changes with all that an engine is made of."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import engines
from engines.backends import keys
from engines.backends.keys import model_hash
from engines.networks.encoder import Encoder
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from engines.networks.toon import ToonNetwork


def test_model_hash_sees_every_weight(tiny: ToonNetwork, other_tiny: ToonNetwork) -> None:
    before = model_hash(tiny)
    assert before == model_hash(tiny)
    assert before != model_hash(other_tiny)
    bias = tiny.synthesis.get_parameter("b4.torgb.bias")
    bias[0] += 1e-6
    changed = model_hash(tiny)
    bias[0] -= 1e-6
    assert changed != before


def test_model_hash_sees_the_clamp(plain: ToonNetwork) -> None:
    def network(clamp: float | None) -> ToonNetwork:
        torch.manual_seed(0)
        config: GeneratorConfig = replace(plain.synthesis.config, conv_clamp=clamp)
        return ToonNetwork(Encoder(plain.encoder.config), Generator(config))

    assert model_hash(network(256.0)) == model_hash(network(256.0))
    assert model_hash(network(256.0)) != model_hash(network(None))


@pytest.mark.parametrize("source", ["networks/toon.py", "backends/prepare.py", "backends/rtx.py"])
def test_model_hash_sees_the_code(
    plain: ToonNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    before = model_hash(plain)
    for package in ("networks", "backends"):
        shutil.copytree(Path(engines.__file__).parent / package, tmp_path / package)
    monkeypatch.setattr(keys.resources, "files", lambda package: tmp_path / package.split(".")[1])
    with (tmp_path / source).open("a") as file:
        file.write("# mended\n")
    assert model_hash(plain) == before  # this process runs the old code
    keys._code.cache_clear()
    assert model_hash(plain) != before
    keys._code.cache_clear()
