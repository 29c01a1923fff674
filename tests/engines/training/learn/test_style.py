"""A style learned from unpaired pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.training.hardware import Hardware
from engines.training.learn.losses import FeatureDistance
from engines.training.learn.models import tensors
from engines.training.learn.runs import Deadline, run
from engines.training.learn.style import FACE, StyleSettings, StyleTrainer
from engines.training.pairs.augment import GeometryRange
from tests.engines.factory import random_bundle
from tests.engines.training.factory import CPU, StopAfter, smooth_pictures, tiny_pairs, tiny_size

SHORT = StyleSettings(
    pictures=32, batch_size=4, discriminator_side=16, discriminator_base=256, r1_every=2, horizon=64
)
FAST = replace(SHORT, pictures=400, adversarial=0.0, close_up=0.0, lr=4e-3, r1_every=1000)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return random_bundle(size=tiny_size())


def make(bundle: Bundle, settings: StyleSettings = SHORT, start: str | None = None) -> StyleTrainer:
    pictures = smooth_pictures(20, 32, seed=9)
    return StyleTrainer(bundle, tiny_pairs(), pictures, settings, CPU, start)


def test_training_is_resumed_exactly(bundle: Bundle, tmp_path: Path) -> None:
    whole, first, second = make(bundle), make(bundle), make(bundle)
    seen: list[dict[str, float]] = []
    assert run(whole, tmp_path / "a", Deadline(), report=lambda _, losses: seen.append(losses))
    drawing = {"l1", "edges", "detail", "colour", "features", "eyes", "pupils", "irises"}
    shape = {"mask", "head", "warp"}
    assert drawing | shape | {"adversarial", "discriminator", "r_t", "p"} == set(seen[0])
    assert all(np.isfinite(value) for losses in seen for value in losses.values())
    assert not run(first, tmp_path / "b", StopAfter(5))
    assert run(second, tmp_path / "b", Deadline())
    assert second.step == whole.step == 8
    assert second.position == ("style", 32, 32)
    for name in ("generator", "ema", "discriminator"):
        a, b = whole.state()[name], second.state()[name]
        assert all(torch.equal(a[key], b[key]) for key in a), name
    assert whole.ada == second.ada


def test_only_the_generator_and_its_discriminator_learn(bundle: Bundle) -> None:
    trainer = make(bundle)
    trainer.train_step()
    learned = trainer.state()["generator"]
    start = bundle.toons[bundle.styles[0]]
    moved = {key for key in learned if not torch.equal(learned[key], start[key])}
    assert moved
    assert all(key.startswith("synthesis.") for key in moved)  # so that layers can be swapped
    for module, state in ((trainer.encoder, bundle.encoder), (trainer.face, bundle.face)):
        assert state is not None
        assert all(torch.equal(v, state[k]) for k, v in module.state_dict().items())


def test_the_pictures_move_towards_the_drawings(bundle: Bundle) -> None:
    trainer = make(bundle, FAST)
    values = [trainer.train_step() for _ in range(30)]
    for name in ("l1", "features"):
        first, last = ([x[name] for x in part] for part in (values[:4], values[-4:]))
        assert np.mean(last) < 0.8 * np.mean(first), name


def test_overfitting_raises_the_augmentation(bundle: Bundle) -> None:
    trainer = make(bundle)
    with torch.no_grad():
        trainer.discriminator.network.module.out.bias.fill_(
            50.0
        )  # knows every picture of the style
    for _ in range(4):
        losses = trainer.train_step()
    assert losses["r_t"] == 1
    assert trainer.ada.p == pytest.approx(16 / 64)


def test_people_take_the_shape_of_the_style(bundle: Bundle) -> None:
    """By the moves that the generator draws with, and in the picture."""
    warp = np.full((10, 64, 64, 2), (0.0, 0.06), np.float16)  # mirrored people move alike
    people = replace(tiny_pairs(), warp=warp)
    settings = replace(FAST, features=0.0)
    trainer = StyleTrainer(bundle, people, smooth_pictures(20, 32, seed=9), settings, CPU)
    trainer.sampler.geometry = GeometryRange(0, 0, 0)
    values = [trainer.train_step()["warp"] for _ in range(28)]
    assert np.mean(values[-4:]) < 0.5 * np.mean(values[:4])


def test_every_network_is_on_the_one_device(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fabric moves what it is given, and it is given the synthesis network without the mapping."""
    fabric = MagicMock(device=torch.device("meta"), global_rank=0, world_size=1)
    fabric.setup = lambda module, optimizer: (MagicMock(module=module.to("meta")), optimizer)
    monkeypatch.setattr(Hardware, "launch", lambda self, seed: fabric)
    monkeypatch.setattr("engines.training.learn.style.FeatureDistance", FeatureDistance)  # its own
    trainer = make(bundle)
    for name in ("encoder", "face", "generator", "features"):
        assert {t.device.type for t in tensors(getattr(trainer, name))} == {"meta"}, name
    trainer.ema.update(trainer.generator, 1)
    learned = {id(p) for group in trainer.optimizer.param_groups for p in group["params"]}
    assert learned == {id(p) for p in trainer.generator.synthesis.parameters()}


def test_it_starts_from_the_first_style_unless_told(bundle: Bundle) -> None:
    style = bundle.styles[0]
    bare = replace(bundle, toons={}, card=replace(bundle.card, styles={}))
    for base, start, name in (
        (bundle, None, style),
        (bundle, style, style),
        (bundle, FACE, FACE),
        (bare, None, FACE),
    ):
        trainer = make(base, start=start)
        assert trainer.start == name
        weights = bundle.face if name == FACE else bundle.toons[name]
        for module, state in ((trainer.generator, weights), (trainer.face, bundle.face)):
            assert all(torch.equal(v, state[k]) for k, v in module.state_dict().items())
    with pytest.raises(ToonifyError, match=f"no style 'opera' .* face, {style}"):
        make(bundle, start="opera")


def test_a_base_needs_an_encoder(bundle: Bundle) -> None:
    bare = replace(bundle, encoder=None, card=replace(bundle.card, encoder=None))
    with pytest.raises(ToonifyError, match="no encoder"):
        make(bare)
