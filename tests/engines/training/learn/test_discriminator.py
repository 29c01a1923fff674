"""How a discriminator learns, and the loss that it gives."""

from __future__ import annotations

import pytest
import torch

from engines.training.learn import discriminator
from engines.training.learn.discriminator import DiscriminatorTrainer
from engines.training.learn.models import patch_discriminator
from tests.engines.training.factory import CPU


@pytest.fixture
def trainer() -> DiscriminatorTrainer:
    network = patch_discriminator(16, channel_base=256)
    return DiscriminatorTrainer(CPU.launch(seed=0), network, lr=2e-3, r1=0.1, r1_every=2)


def test_it_learns_to_tell_pictures_from_drawings(trainer: DiscriminatorTrainer) -> None:
    real, fake = torch.rand(4, 3, 16, 16), -torch.rand(4, 3, 16, 16)
    before = float(trainer.generator_loss(fake).detach())
    losses = [trainer.train_step(real, fake, step)[0].detach() for step in range(20)]
    assert losses[-1] < 0.5 * losses[0]
    _, logits = trainer.train_step(real, fake, 20)
    assert (logits > 0).all()
    assert float(trainer.generator_loss(fake).detach()) > before


def test_only_the_drawings_get_gradients_of_the_generators_loss(
    trainer: DiscriminatorTrainer,
) -> None:
    fake = torch.rand(4, 3, 16, 16, requires_grad=True)
    trainer.generator_loss(fake).backward()
    assert fake.grad is not None
    assert all(p.grad is None for p in trainer.network.parameters())


def test_the_penalty_is_computed_every_few_steps(
    trainer: DiscriminatorTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights: list[float] = []
    monkeypatch.setattr(discriminator, "backward_r1", lambda *words: weights.append(words[-1]))
    real, fake = torch.rand(2, 4, 3, 16, 16)
    for step in range(4):
        trainer.train_step(real, fake, step, lr=1e-4)
    assert weights == [0.1 / 2 * 2] * 2
    assert [group["lr"] for group in trainer.optimizer.param_groups] == [1e-4]
