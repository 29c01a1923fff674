"""A generator taught another style by a few hundred unpaired pictures.

StyleGAN fine-tuning with adaptive augmentation (arXiv 2006.06676), with the encoder in place of
random latents: the generator is shown people through the frozen encoder and learns to draw each of
them so that a discriminator takes it for one of the style's pictures. Alone, that would need tens
of thousands of pictures to get away from the photo. So the generator is also shown drawings of
these people, put together from the style's pictures (`engines.training.own.exemplars`). Each of
them is rough in its own way; the generator learns what they have in common, and the discriminator
corrects the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.networks.additions import moved
from engines.networks.discriminator import Discriminator, DiscriminatorConfig
from engines.networks.encoder import Encoder
from engines.networks.generator import Generator
from engines.training.hardware import Hardware
from engines.training.learn.ada import Controller, augment
from engines.training.learn.discriminator import DiscriminatorTrainer
from engines.training.learn.losses import FeatureDistance, shrink
from engines.training.learn.models import EMA, channels_last, learning_groups
from engines.training.learn.paired import PairWeights, band_losses, paired_losses
from engines.training.learn.stages import one_cycle
from engines.training.learn.task import SampledTask
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.sampler import Batch, Sampler, to_tensor

FACE = "face"


@dataclass(frozen=True)
class StyleSettings(PairWeights):
    """How a generator learns a style, and with what weights from the drawings.

    A picture costs about 9 GMAC with the 256 px models, counting all forward and backward passes:
    the standard 2,400 take about 11 minutes of one Xeon core; a GPU is limited by kernel launches.
    They suit a generator that draws a style already. With 8,000, that one forgets the hues of
    irises, which 400 people are too few to teach; and from `FACE`, 8,000 leave irises dark. Drawing
    each of the people takes another 1.3 seconds of a core before the training.

    Attributes:
        pictures: how many pictures it takes.
        num_people: how many people are drawn by example for it.
        batch_size: pictures in a step of one process.
        lr, discriminator_lr: peaks of the one-cycle schedules.
        discriminator_side: the discriminator sees pictures shrunk to this side.
        discriminator_base: its block r has `min(discriminator_base / r, 256)` channels.
        adversarial: weight of the discriminator's loss.
        r1, r1_every: R1 penalty, and how often it is computed.
        target, horizon: of the augmentation's `engines.training.learn.ada.Controller`.
        warm_up: share of the training in which the learning rates rise.
        seed: of all random numbers.
    """

    pictures: int = 2_400
    num_people: int = 400
    batch_size: int = 8
    lr: float = 1e-3
    discriminator_lr: float = 1e-3
    discriminator_side: int = 256
    discriminator_base: int = 2048
    adversarial: float = 0.3
    features: float = 2.0
    detail: float = 3.0
    colour: float = 3.0
    feature_share: float = 0.5
    elsewhere: float = 0.3
    close_up: float = 0.5
    r1: float = 2.0
    r1_every: int = 16
    target: float = 0.6
    horizon: int = 20_000
    warm_up: float = 0.02
    seed: int = 0


class StyleTrainer(SampledTask):
    """Fine-tunes one of a bundle's generators.

    Args:
        base: has an encoder and the generator to start from.
        pairs: people of the encoder's input size and what they should look like.
        style: uint8 [M, S, S, 3] RGB, the style's pictures, aligned as the people are.
        settings: the run.
        hardware: what to train on.
        start: which generator that is, as `start_of` takes it.

    Raises:
        ToonifyError: when the bundle has no encoder, or no such style.
    """

    stage_name = "style"
    settings: StyleSettings

    def __init__(
        self,
        base: Bundle,
        pairs: PairSet,
        style: NDArray[np.uint8],
        settings: StyleSettings,
        hardware: Hardware | None = None,
        start: str | None = None,
    ) -> None:
        if base.encoder is None or base.card.encoder is None:
            raise ToonifyError(
                f"{base.card.name} has no encoder through which people could be shown to the "
                f"generator; make one with 'toonify train refit'."
            )
        self.style = style
        # No dyes: the style's colours may be few, or none.
        sampler = Sampler(pairs, settings.batch_size, settings.seed, dyed=0)
        super().__init__(settings, sampler, hardware)
        device = self.fabric.device
        self.encoder = Encoder(base.card.encoder)
        self.encoder.load_state_dict(base.encoder)
        self.encoder = channels_last(self.encoder.eval().requires_grad_(False)).to(device)
        face, generator = Generator(base.card.generator), Generator(base.card.generator)
        face.load_state_dict(base.face)
        self.start, weights = start_of(base, start)
        generator.load_state_dict(weights)
        self.face = channels_last(face.eval().requires_grad_(False)).to(device)
        # All of it: Fabric moves the synthesis network only, and the average needs one device.
        self.generator = channels_last(generator).to(device)
        self.ema = EMA(generator)
        self.discriminator_side = side = min(
            settings.discriminator_side, base.card.generator.drawn_size
        )
        network = Discriminator(DiscriminatorConfig(side, settings.discriminator_base, 256))
        self.synthesis: Any
        self.synthesis, self.optimizer = self.fabric.setup(
            generator.synthesis,
            torch.optim.Adam(learning_groups(generator.synthesis), settings.lr, (0.9, 0.99)),
        )
        self.synthesis.mark_forward_method("draw")
        self.discriminator = DiscriminatorTrainer(
            self.fabric,
            channels_last(network),
            lr=settings.discriminator_lr,
            r1=settings.r1,
            r1_every=settings.r1_every,
        )
        self.features = channels_last(FeatureDistance()).to(device)
        self.ada = Controller(settings.target, settings.horizon)
        self.rng = torch.Generator().manual_seed(settings.seed + self.fabric.global_rank)

    # ------------------------------------------------------------------ a step

    def train_step(self) -> dict[str, float]:
        """Do one step of the generator and one of the discriminator: the losses by name."""
        s = self.settings
        rate = one_cycle(self.step / self.steps, s.warm_up)
        self._set_rate(s.lr * rate)
        batch = self.sampler.draw().to(self.fabric.device)
        with self.fabric.autocast():
            with torch.no_grad():
                codes = self.encoder(channels_last(batch.photo))
                batch = self._with_heads(batch, codes)
            drawing = self.synthesis.draw(*codes)
            losses = paired_losses(drawing, batch, s, self.features, toon=True)
            if drawing.bands:
                losses |= band_losses(drawing, batch, s, self.features, toon=True)
        image = drawing.image
        small = shrink(image.float(), self.discriminator_side)
        seen = augment(small, self.ada.p, self.rng)
        losses["adversarial"] = s.adversarial * self.discriminator.generator_loss(seen)
        self._descend(losses, self.synthesis, max_norm=10.0)
        losses |= self._train_discriminator(small.detach(), s.discriminator_lr * rate)
        self.step += 1
        self.ema.update(self.generator, self.step)
        return {name: float(value.detach()) for name, value in losses.items()} | {"p": self.ada.p}

    def _with_heads(self, batch: Batch, codes: Any) -> Batch:
        """The masks of the heads as the face generator knows them, in the style's shape."""
        side = self.face.config.mask_resolution
        if not side:
            return replace(batch, head=torch.ones_like(batch.head))
        mask = self.face.synthesis.draw(*codes, resolution=side).mask
        assert mask is not None
        return replace(batch, head=moved(torch.sigmoid(mask.float()), batch.warp))

    def _train_discriminator(self, fake: Tensor, lr: float) -> dict[str, Tensor]:
        """One step on as many of the style's pictures as there are drawings `fake`."""
        index = torch.randint(len(self.style), (len(fake),), generator=self.rng)
        pictures = to_tensor([self.style[i] for i in index.tolist()]).to(self.fabric.device)
        mirrored = (torch.rand(len(fake), generator=self.rng) < 0.5).to(self.fabric.device)
        pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
        real = augment(shrink(pictures, self.discriminator_side), self.ada.p, self.rng)
        fake = augment(fake, self.ada.p, self.rng)
        loss, logits = self.discriminator.train_step(real, fake, self.step, lr)
        sign = self.fabric.all_reduce(logits.detach().float().sign().mean(), reduce_op="mean")
        self.ada.update(float(sign), len(fake) * self.fabric.world_size)
        return {"discriminator": loss, "r_t": sign}

    # ------------------------------------------------------------------ state

    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds, by name."""
        return {
            "generator": self.generator,
            "ema": self.ema.module,
            "optimizer": self.optimizer.optimizer,
            **self.discriminator.parts(),
        }

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        return {
            **super().state(),
            "ada": json.dumps(self.ada.state()),
            "rng": self.rng.get_state(),
        }

    def _load(self, state: Mapping[str, Any]) -> None:
        super()._load(state)
        self.ada = Controller(**json.loads(state["ada"]))
        self.rng.set_state(state["rng"])
        if rank := self.fabric.global_rank:
            self.rng.manual_seed(self.settings.seed + rank + 1000 * self.step)


def start_of(base: Bundle, start: str | None = None) -> tuple[str, Mapping[str, Tensor]]:
    """Name and weights of the generator to start from.

    Args:
        base: the bundle that has it.
        start: `FACE`, or one of the bundle's styles; None for its first style, whose eyes are drawn
            already, or for `FACE` when there is no style.

    Raises:
        ToonifyError: when there is no such style.
    """
    name = start or (*base.styles, FACE)[0]
    if name == FACE:
        return name, base.face
    if name not in base.toons:
        raise ToonifyError(
            f"{base.card.name} has no style {name!r} to start from; choose one of "
            f"{', '.join((FACE, *base.styles))}."
        )
    return name, base.toons[name]
