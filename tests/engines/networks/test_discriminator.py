"""The discriminator learns, and sees variety in a batch."""

from __future__ import annotations

import torch

from engines.networks.discriminator import Discriminator, DiscriminatorConfig, minibatch_std


def test_minibatch_std_measures_variety() -> None:
    same = torch.ones(4, 2, 4, 4)
    varied = same.clone()
    varied[1:] = torch.tensor([2.0, 3.0, 4.0])[:, None, None, None]
    assert minibatch_std(same, 4)[:, -1].max() < 1e-3
    # Standard deviation of 1, 2, 3, 4 about their mean.
    torch.testing.assert_close(minibatch_std(varied, 4)[:, -1], torch.full((4, 4, 4), 1.25**0.5))


def test_discriminator_tells_sharp_from_blurred_after_a_few_steps() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(DiscriminatorConfig(32, channel_base=512, channel_max=16))
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=3e-3)
    sharp = torch.randn(8, 3, 32, 32).sign()
    blurred = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2)
    for _ in range(25):
        loss = torch.nn.functional.softplus(discriminator(blurred) - discriminator(sharp)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (discriminator(sharp).mean() - discriminator(blurred).mean()) > 1
