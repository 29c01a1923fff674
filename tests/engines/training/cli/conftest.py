"""Tiny data and models for the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from engines.training.learn.stages import Stage, TrainSettings
from tests.engines.factory import random_bundle
from tests.engines.training.factory import tiny_pairs, tiny_size, write_pairs


@pytest.fixture(scope="package", autouse=True)
def threads() -> Iterator[None]:
    """`--threads` is for the process; leave it as it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tiny_pairs(), tmp_path_factory.mktemp("data") / "pairs")


@pytest.fixture(scope="package")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stages = (
        Stage("face", 8, 16, toon_share=0.0),
        Stage("toon", 8, 32, fork="toon", adversarial=0.1, consistency=0.5),
    )
    settings = TrainSettings(tiny_size(), stages, batch_size=4, patch=16)
    path = tmp_path_factory.mktemp("recipe") / "tiny.json"
    path.write_text(json.dumps(asdict(settings)))
    return path


@pytest.fixture(scope="package")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "base.toon"
    random_bundle(size=tiny_size()).save(path)
    return path
