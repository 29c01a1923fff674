"""The encoder trained alone, behind generators that stay as they are; a `runs.Task`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engines.errors import ToonifyError
from engines.networks.encoder import Encoder, EncoderOutput
from engines.networks.generator import Generator, Synthesis
from engines.training.hardware import Hardware
from engines.training.learn.losses import (
    FeatureDistance,
    gradient_l1,
    shift_loss,
    shrink,
    weighted_l1,
)
from engines.training.learn.models import EMA, channels_last
from engines.training.learn.stages import one_cycle
from engines.training.learn.task import SampledTask
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.sampler import Sampler, check_twins


@dataclass(frozen=True)
class DistilSettings:
    """How an encoder is trained.

    Attributes:
        pictures: how many pictures it takes.
        batch_size: pictures in a step of one process.
        twins: samples of each batch that are shifted copies, for the consistency term.
        lr: peak of the one-cycle schedule.
        features, gradients, consistency: weights beside L1, as in training by pairs.
        latents: weight that keeps styles and feature maps near the teacher's or, without one, the
            styles of one picture near each other, where the generator can be edited and swapped
            (the delta regularisation of arXiv 2102.02766).
        warm_up: share of the training in which the learning rate rises.
        seed: of all random numbers.

    Raises:
        ToonifyError: when a batch has no room for its twins.
    """

    pictures: int = 8_000
    batch_size: int = 8
    twins: int = 2
    lr: float = 3e-4
    features: float = 1.0
    gradients: float = 0.5
    consistency: float = 1.0
    latents: float = 0.1
    warm_up: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        check_twins(self.batch_size, self.twins)


REFIT = DistilSettings(pictures=40_000, lr=2e-3, latents=0.05)


class EncoderTrainer(SampledTask):
    """Trains an encoder for fixed generators.

    Args:
        encoder: start of the training; not changed itself.
        generators: draw the pictures, in turns; their weights stay as they are.
        pairs: people of the encoder's input size; only the photos are used.
        settings: the run.
        teacher: says what a clean crop should look like; without one, the photo itself is the
            goal, and batch statistics are learned, too.
        hardware: what to train on.

    Raises:
        ToonifyError: when the people are of another size.
    """

    stage_name = "encoder"
    settings: DistilSettings

    def __init__(
        self,
        encoder: Encoder,
        generators: Sequence[Generator],
        pairs: PairSet,
        settings: DistilSettings,
        *,
        teacher: Encoder | None = None,
        hardware: Hardware | None = None,
    ) -> None:
        if pairs.size != encoder.config.input_size:
            raise ToonifyError(
                f"The encoder takes {encoder.config.input_size} px crops, but the people are "
                f"{pairs.size} px; prepare them at that size."
            )
        sampler = Sampler(pairs, settings.batch_size, settings.seed, settings.twins)
        super().__init__(settings, sampler, hardware)
        student = channels_last(copy.deepcopy(encoder).requires_grad_(True))
        self.ema = EMA(student).to(self.fabric.device)
        optimizer = torch.optim.Adam(student.parameters(), settings.lr, betas=(0.9, 0.99))
        self.encoder: Any
        self.encoder, self.optimizer = self.fabric.setup(student, optimizer)
        self.encoder.train(teacher is None)
        self.generators = [
            copy.deepcopy(g).eval().requires_grad_(False).to(self.fabric.device) for g in generators
        ]
        self.teacher = None
        if teacher is not None:
            frozen = copy.deepcopy(teacher).eval().requires_grad_(False)
            self.teacher = channels_last(frozen).to(self.fabric.device)
        self.features = channels_last(FeatureDistance()).to(self.fabric.device)

    def train_step(self) -> dict[str, float]:
        """Do one optimiser step on a fresh batch: the losses by name."""
        s = self.settings
        self._set_rate(s.lr * one_cycle(self.step / self.steps, s.warm_up))
        batch = self.sampler.draw().to(self.fabric.device)
        with self.fabric.autocast():
            synthesis = self.generators[self.step % len(self.generators)].synthesis
            target, wanted = self._goal(synthesis, batch.photo)
            found = EncoderOutput(*self.encoder(channels_last(batch.crop)))
            side = synthesis.config.drawn_size
            image = shrink(synthesis(*found, resolution=side), target.shape[-1])
            focus = F.interpolate(batch.focus, image.shape[-2:], mode="bilinear")
            losses = {
                "l1": weighted_l1(image, target, focus),
                "edges": s.gradients * gradient_l1(image, target),
                "features": s.features * self.features(channels_last(image), target),
                "latents": s.latents
                * (
                    spread(found.w_plus)
                    if wanted is None
                    else code_distance(found, wanted, batch.crop.shape[-1])
                ),
            }
            if len(batch.shift):
                scale = image.shape[-1] / batch.crop.shape[-1]
                losses["shift"] = s.consistency * shift_loss(image.float(), batch.shift, scale)
        self._descend(losses, self.encoder, max_norm=10.0)
        self.step += 1
        self.ema.update(self.encoder.module, self.step)
        return {name: float(value.detach()) for name, value in losses.items()}

    @torch.no_grad()
    def _goal(self, synthesis: Synthesis, photo: Tensor) -> tuple[Tensor, EncoderOutput | None]:
        """What to draw, no larger than the photo, and the codes it is drawn from."""
        if self.teacher is None:
            return photo, None
        wanted = self.teacher(channels_last(photo))
        image = synthesis(*wanted, resolution=synthesis.config.drawn_size)
        return shrink(image, min(image.shape[-1], photo.shape[-1])), wanted

    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds, by name."""
        return {
            "encoder": self.encoder.module,
            "ema": self.ema.module,
            "optimizer": self.optimizer.optimizer,
        }


def code_distance(found: EncoderOutput, wanted: EncoderOutput, size: int) -> Tensor:
    """How far two encodings are apart: styles and each feature map, relative to their values.

    Args:
        found: what an encoder gives.
        wanted: what it should give.
        size: side of the crops; a map of that side is the crop itself, which nothing can learn.
    """
    pairs = [(found.w_plus, wanted.w_plus)]
    pairs += [(found.features[r], wanted.features[r]) for r in found.features if r < size]
    terms = [
        (a.float() - b).abs().mean() / b.float().abs().mean().clamp_min(1e-6) for a, b in pairs
    ]
    return torch.stack(terms).mean()


def spread(w_plus: Tensor) -> Tensor:
    """Mean squared distance of a picture's styles [N, num_ws, w_dim] from their own mean."""
    w = w_plus.float()
    return (w - w.mean(1, keepdim=True)).square().mean()
