"""The encoder trained alone: distilled for a blend, or fitted to generators from nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.networks.encoder import EncoderConfig
from engines.training.learn.distil import (
    DistilSettings,
    EncoderTrainer,
    code_distance,
    distiller,
    encoder_config,
    refitter,
    spread,
    with_encoder,
)
from engines.training.learn.runs import CHECKPOINT, CURVES, Deadline, claim, run_slice
from engines.training.pairs.sampler import Batch
from tests.engines.factory import random_bundle
from tests.engines.training.factory import CPU, tiny_pairs, tiny_size

BLENDS = {"film": BlendSpec(swap_resolution=8), "comic": BlendSpec(swap_resolution=None)}
SHORT = DistilSettings(pictures=24, batch_size=4, twins=1)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return random_bundle(32, size=tiny_size(), styles=2)


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
    seen = []
    assert run_slice(
        whole, tmp_path / "whole", Deadline(), report=lambda step, losses: seen.append(losses)
    )
    assert set(seen[0]) == {"l1", "edges", "features", "latents", "shift"}
    for _ in range(2):
        first.train_step()
    assert not run_slice(first, tmp_path / "parts", Deadline(minutes=0))
    assert (tmp_path / "parts" / CHECKPOINT).is_file()
    assert run_slice(second, tmp_path / "parts", Deadline())
    assert second.step == whole.step == 6

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
    losses = [sum(trainer.train_step().values()) for _ in range(30)]
    assert sum(losses[-2:]) < 0.9 * sum(losses[:2])  # the two styles take turns


def test_generators_without_an_encoder_get_one(bundle: Bundle) -> None:
    size = replace(
        tiny_size(), encoder=replace(tiny_size().encoder_config(), feature_resolutions=())
    )
    public = random_bundle(32, size=size)
    public = replace(public, encoder=None, card=replace(public.card, encoder=None))
    with pytest.raises(ToonifyError, match="toonify train refit"):
        distiller(public, tiny_pairs(), {"film": BLENDS["comic"]}, SHORT, CPU)

    config = EncoderConfig(32, widths=(8, 12, 16), depths=(0, 1, 1), feature_resolutions=())
    settings = replace(SHORT, pictures=400, lr=2e-3, warm_up=0.01)
    trainer = refitter(public, tiny_pairs(), settings, CPU, config)
    mean = trainer.encoder.module.styles.bias.view(trainer.encoder.module.config.num_ws, -1)
    assert torch.equal(mean[0], public.face["mapping.w_avg"].float())
    losses = [trainer.train_step()["l1"] for _ in range(30)]
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])
    fitted = with_encoder(public, trainer, "Fitted on ten pictures.")
    assert fitted.card.training["Encoder"] == "Fitted on ten pictures."
    assert fitted.network()(torch.zeros(1, 32, 32, 3, dtype=torch.uint8))[0].shape == (1, 32, 32, 3)


@pytest.mark.parametrize("size", [64, 128, 256, 512])
def test_encoders_for_public_generators(size: int) -> None:
    config = encoder_config(size)
    assert config.input_size == size
    assert config.feature_channels == ()
    with pytest.raises(ToonifyError, match="not 100"):
        encoder_config(100)


def test_models_that_live_on_feature_maps_are_not_refitted(bundle: Bundle) -> None:
    with pytest.raises(ToonifyError, match="random-32 works with feature maps"):
        refitter(bundle, tiny_pairs(), SHORT, CPU)
    plain = replace(bundle.card.generator, feature_channels=())
    bare = replace(bundle, card=replace(bundle.card, generator=plain))
    with pytest.raises(ToonifyError, match="works with feature maps"):
        refitter(bare, tiny_pairs(), SHORT, CPU)


def test_spread_is_zero_for_one_style() -> None:
    w = torch.randn(3, 1, 8).expand(3, 6, 8)
    assert spread(w) == pytest.approx(0, abs=1e-12)
    assert spread(torch.randn(3, 6, 8)) > 0.5


def test_mismatches_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ToonifyError, match="takes 32 px crops, but the people are 64 px"):
        distiller(bundle, tiny_pairs(side=64), BLENDS, SHORT, CPU)
    with pytest.raises(ToonifyError, match="room for 2 twins"):
        DistilSettings(batch_size=4, twins=3)
    with pytest.raises(ToonifyError, match="another training's"):
        make(bundle).load_state({"step": 1})
    claim(tmp_path / "work", {"people": "a"})
    claim(tmp_path / "work", {"people": "a"})
    with pytest.raises(ToonifyError, match="other pictures or settings"):
        claim(tmp_path / "work", {"people": "b"})
    assert not (tmp_path / "work" / CURVES).exists()
