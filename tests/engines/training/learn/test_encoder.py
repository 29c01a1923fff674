"""The encoder trained alone, behind generators that stay as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.training.learn.distil import distiller
from engines.training.learn.encoder import DistilSettings, EncoderTrainer, code_distance, spread
from engines.training.learn.runs import CHECKPOINT, Deadline, run
from engines.training.pairs.sampler import Batch
from tests.engines.factory import random_bundle
from tests.engines.training.factory import CPU, StopAfter, tiny_pairs, tiny_size

BLENDS = {"film": BlendSpec(swap_resolution=8), "comic": BlendSpec(swap_resolution=None)}
SHORT = DistilSettings(pictures=24, batch_size=4, twins=1)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return random_bundle(size=tiny_size(), styles=2)


def make(bundle: Bundle) -> EncoderTrainer:
    return distiller(bundle, tiny_pairs(), BLENDS, SHORT, CPU)


def test_a_distilled_encoder_starts_as_its_teacher(bundle: Bundle) -> None:
    trainer = make(bundle)
    batch = trainer.sampler.draw()
    with torch.no_grad():
        clean = trainer.encoder(batch.photo)
        assert trainer.teacher is not None
        assert code_distance(clean, trainer.teacher(batch.photo), 32) < 1e-5
        assert code_distance(trainer.encoder(batch.crop), clean, 32) > 1e-3


def test_distilling_is_resumed_exactly(bundle: Bundle, tmp_path: Path) -> None:
    whole, first, second = make(bundle), make(bundle), make(bundle)
    for generator in whole.generators:
        assert not any(p.requires_grad for p in generator.parameters())
    before = [{k: v.clone() for k, v in g.state_dict().items()} for g in whole.generators]
    seen: list[dict[str, float]] = []
    assert run(whole, tmp_path / "whole", Deadline(), report=lambda _, losses: seen.append(losses))
    assert set(seen[0]) == {"l1", "edges", "features", "latents", "shift"}
    assert not run(first, tmp_path / "parts", StopAfter(2))
    assert (tmp_path / "parts" / CHECKPOINT).is_file()
    assert run(second, tmp_path / "parts", Deadline())
    assert second.step == whole.step == 6
    assert second.position == ("encoder", 24, 24)

    a, b = whole.encoder.module.state_dict(), second.encoder.module.state_dict()
    assert all(torch.equal(a[key], b[key]) for key in a)
    a, b = whole.weights(), second.weights()
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert bundle.encoder is not None
    statistics = [key for key in a if "running" in key]
    assert statistics
    assert all(torch.equal(a[key], bundle.encoder[key]) for key in statistics)
    assert any(not torch.equal(a[key], bundle.encoder[key]) for key in a)
    for generator, old in zip(whole.generators, before, strict=True):
        assert all(torch.equal(v, old[k]) for k, v in generator.state_dict().items())


def test_distilling_learns_to_see_through_the_camera(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SHORT, pictures=400, lr=2e-3, warm_up=0.01)
    trainer = distiller(bundle, tiny_pairs(), BLENDS, settings, CPU)
    batch = trainer.sampler.draw()
    monkeypatch.setattr(trainer.sampler, "draw", lambda: Batch(**vars(batch)))
    losses = [sum(trainer.train_step().values()) for _ in range(24)]
    assert sum(losses[-2:]) < 0.9 * sum(losses[:2])  # the two styles take turns


def test_spread_is_zero_for_one_style() -> None:
    w = torch.randn(3, 1, 8).expand(3, 6, 8)
    assert spread(w) == pytest.approx(0, abs=1e-12)
    assert spread(torch.randn(3, 6, 8)) > 0.5


def test_mismatches_are_refused(bundle: Bundle) -> None:
    with pytest.raises(ToonifyError, match="takes 32 px crops, but the people are 64 px"):
        distiller(bundle, tiny_pairs(side=64), BLENDS, SHORT, CPU)
    with pytest.raises(ToonifyError, match="room for 2 twins"):
        DistilSettings(batch_size=4, twins=3)
    with pytest.raises(ToonifyError, match="another training's"):
        make(bundle).load_state({"step": 1})
