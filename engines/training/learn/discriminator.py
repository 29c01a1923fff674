"""The discriminator of an adversarial training: how it learns, and the loss that it gives."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from engines.training.learn.losses import backward_r1, discriminator_loss, generator_loss
from engines.training.learn.models import channels_last


class DiscriminatorTrainer:
    """Trains a discriminator, with the R1 penalty only every few steps.

    That is StyleGAN2's lazy regularisation (arXiv 1912.04958, section 3.1).

    Args:
        fabric: the running Lightning Fabric.
        network: takes float [N, 3, S, S] in -1..1 and gives logits [N, 1].
        lr: learning rate.
        r1: weight of the R1 penalty.
        r1_every: how many steps apart it is computed.
    """

    def __init__(
        self, fabric: Any, network: nn.Module, *, lr: float, r1: float, r1_every: int
    ) -> None:
        self.fabric, self.r1, self.r1_every = fabric, r1, r1_every
        # As is usual for GANs, the discriminator learns without a first moment.
        optimizer = torch.optim.Adam(network.parameters(), lr, betas=(0.0, 0.99))
        self.network: Any
        self.optimizer: Any
        self.network, self.optimizer = fabric.setup(network, optimizer)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """The generator's loss for drawings [N, 3, S, S]: high when they are recognised as such."""
        self.network.requires_grad_(False)
        with self.fabric.autocast():
            return generator_loss(self.network(channels_last(fake)))

    def train_step(
        self, real: Tensor, fake: Tensor, step: int, lr: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """Learn to tell `real` from `fake`.

        Args:
            real: pictures float32 [N, 3, S, S] in -1..1.
            fake: drawings of the same shape, detached.
            step: number of the step, which decides whether R1 is computed.
            lr: learning rate from now on.

        Returns:
            The loss, and the logits of the real pictures.
        """
        self.network.requires_grad_(True)
        with self.fabric.autocast():
            logits = self.network(channels_last(real))
            loss = discriminator_loss(logits, self.network(channels_last(fake)))
        if lr is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if step % self.r1_every == 0:
            backward_r1(self.fabric, self.network, real, self.r1 / 2 * self.r1_every)
        self.optimizer.step()
        return loss, logits

    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds of it, by name."""
        return {
            "discriminator": self.network.module,
            "discriminator_optimizer": self.optimizer.optimizer,
        }
