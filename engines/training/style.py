"""A face generator taught another style by a few hundred unpaired pictures.

StyleGAN fine-tuning with adaptive augmentation (arXiv 2006.06676), with the encoder in place of
random latents: the generator is shown people through the frozen encoder and learns to draw each of
them so that a discriminator takes it for one of the style's pictures. By itself that takes tens of
thousands of pictures to leave the photo. What is known of the style without a discriminator is
therefore said outright: its shape (`engines.training.shape`), its patches
(`engines.training.neighbours`) and the statistics of its image features (arXiv 1701.01036). Weak
ties to the colours and the layout of the person, bent to that shape, keep it a picture of them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.networks.discriminator import Discriminator, DiscriminatorConfig
from engines.networks.encoder import Encoder
from engines.networks.generator import Generator, moved
from engines.training.ada import Controller, augment
from engines.training.data import PairSet, Sampler, to_tensor
from engines.training.losses import (
    TAPS,
    FeatureDistance,
    colour_loss,
    discriminator_loss,
    generator_loss,
    r1_penalty,
    shrink,
)
from engines.training.models import Average, learning_groups
from engines.training.neighbours import Neighbours, look
from engines.training.patches import both_eyes
from engines.training.slices import ByPictures, Hardware, own_stretch
from engines.training.trainer import channels_last, one_cycle

LAYOUT_TAPS = 2  # the deepest feature maps, at 1/16 of the side
COLOUR_SIDE = 16


@dataclass(frozen=True)
class StyleSettings:
    """How a generator learns a style.

    A picture costs about 10 GMAC with the 256 px models, all passes forwards and backwards counted:
    the standard 12,000 are about an hour of two CPU cores, and bound by launches on a GPU.

    Attributes:
        pictures: how many pictures it lasts.
        lr, judge_lr: peaks of the one-cycle schedules.
        judge_side: the discriminator sees pictures shrunk to this side.
        judge_base: its block r has ``min(judge_base / r, 256)`` channels.
        adversarial: weight of its judgement.
        shape: weight of the error of the style's shape, in pixels of a 256 px picture.
        patches: weight of the distance to the nearest patches of the style.
        statistics: weight of the distance to the style's feature statistics.
        layout, colour, irises: weights of the ties to the person: by deep features, at 16 px, and
            by the hue of the eyes, which no style takes from whom it shows.
        r1, r1_every: R1 penalty, and how often it is computed.
        target, horizon: of the augmentation's `engines.training.ada.Controller`.
    """

    pictures: int = 12_000
    batch_size: int = 8
    lr: float = 5e-4
    judge_lr: float = 1e-3
    judge_side: int = 256
    judge_base: int = 2048
    adversarial: float = 1.0
    shape: float = 0.1
    patches: float = 4.0
    statistics: float = 2.0
    layout: float = 0.3
    colour: float = 1.0
    irises: float = 3.0
    r1: float = 2.0
    r1_every: int = 16
    target: float = 0.6
    horizon: int = 20_000
    warm_up: float = 0.02
    seed: int = 0


class StyleTrainer(ByPictures):
    """Fine-tunes a bundle's face generator; a `engines.training.slices.Task`.

    Args:
        base: has an encoder and the face generator to start from.
        people: portraits of the encoder's input size, with warps to the style's shape.
        style: uint8 [M, S, S, 3] RGB, the style's pictures, aligned as the people are.
        settings: the run.
        hardware: what to train on.
    """

    def __init__(
        self,
        base: Bundle,
        people: PairSet,
        style: NDArray[np.uint8],
        settings: StyleSettings,
        hardware: Hardware | None = None,
    ) -> None:
        if base.encoder is None or base.card.encoder is None:
            raise ToonifyError(
                f"{base.card.name} has no encoder through which people could be shown to the "
                f"generator; make one with 'toonify train refit'."
            )
        self.settings, self.style = settings, style
        self.fabric = (hardware or Hardware()).launch(settings.seed)
        device = self.fabric.device
        self.encoder = Encoder(base.card.encoder)
        self.encoder.load_state_dict(base.encoder)
        self.encoder = channels_last(self.encoder.eval().requires_grad_(False)).to(device)
        generator = Generator(base.card.generator)
        generator.load_state_dict(base.face)
        # All of it: Fabric moves the synthesis network only, and the average needs one device.
        self.generator = channels_last(generator).to(device)
        self.face = copy.deepcopy(generator).eval().requires_grad_(False)
        self.average = Average(generator)
        side = min(settings.judge_side, base.card.generator.resolution)
        judge = Discriminator(DiscriminatorConfig(side, settings.judge_base, 256))
        self.judge_side = side
        self.synthesis: Any
        self.judge: Any
        self.synthesis, self.optimizer = self.fabric.setup(
            generator.synthesis,
            torch.optim.Adam(learning_groups(generator.synthesis), settings.lr, (0.0, 0.99)),
        )
        self.synthesis.mark_forward_method("draw")
        self.judge, self.judge_optimizer = self.fabric.setup(
            channels_last(judge),
            torch.optim.Adam(judge.parameters(), settings.judge_lr, (0.0, 0.99)),
        )
        self.features = channels_last(FeatureDistance()).to(device)
        self.neighbours, self.wanted = self._learn(style)
        self.ada = Controller(settings.target, settings.horizon)
        self.rng = torch.Generator().manual_seed(settings.seed + self.fabric.global_rank)
        self.sampler = Sampler(people, settings.batch_size, settings.seed)
        self.sampler.rng = own_stretch(self.sampler.rng, self.fabric.global_rank)
        self.step = 0

    @torch.no_grad()
    def _learn(self, pictures: NDArray[np.uint8]) -> tuple[Neighbours, list[Tensor]]:
        """Patches and `feature_statistics` of all pictures, a few of them in hand at a time."""
        neighbours = Neighbours()
        totals: list[Any] = [0.0] * len(TAPS)  # float64 [2, C] a tap: sums, sums of squares
        for start in range(0, len(pictures), 16):
            batch = to_tensor(list(pictures[start : start + 16])).to(self.fabric.device)
            taps = self.features.features(batch)
            neighbours.add(taps, batch)
            for i, tap in enumerate(taps):
                both = torch.stack([tap.sum((0, 2, 3)), tap.square().sum((0, 2, 3))])
                totals[i] = totals[i] + both.cpu().double()
        counts = [len(pictures) * tap[0, 0].numel() for tap in taps]
        wanted = []
        for (sums, squares), count in zip(totals, counts, strict=True):
            variance = ((squares - sums.square() / count) / (count - 1)).clamp_min(0)
            found = torch.cat([sums / count, (variance + 1e-8).sqrt()])
            wanted.append(found.float().to(self.fabric.device))
        return neighbours, wanted

    # ------------------------------------------------------------------ a step

    def train_step(self) -> dict[str, float]:
        """One step of the generator and one of the discriminator: the losses by name."""
        s = self.settings
        rate = one_cycle(self.step / self.steps, s.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = s.lr * rate * group["factor"]
        batch = self.sampler.draw().to(self.fabric.device)
        photo, bent = batch.photo, moved(batch.photo, batch.warp)
        with self.fabric.autocast():
            with torch.no_grad():
                codes = self.encoder(photo.to(memory_format=torch.channels_last))
            image, mask, detail = self.synthesis.draw(*codes)
            losses = self._ties(image, bent, batch.eyes)
            if detail is not None:
                goal = shrink(batch.warp, detail.shape[-1])
                losses["shape"] = s.shape * (256 * (detail[:, :2] - goal).abs()).mean()
            if mask is not None:
                with torch.no_grad():
                    before = self.face.synthesis.draw(
                        *codes, top=self.face.config.mask_resolution
                    ).mask
                assert before is not None
                head = moved(torch.sigmoid(before), batch.warp)
                losses["mask"] = 0.1 * F.binary_cross_entropy_with_logits(mask, head)
        small = shrink(image.float(), self.judge_side)
        seen = augment(small, self.ada.p, self.rng)
        self.judge.requires_grad_(False)
        with self.fabric.autocast():
            losses["adversarial"] = s.adversarial * generator_loss(self.judge(nhwc(seen)))
        total = torch.stack([loss.float() for loss in losses.values()]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(total)
        self.fabric.clip_gradients(
            self.synthesis, self.optimizer, max_norm=10.0, error_if_nonfinite=False
        )
        self.optimizer.step()
        losses |= self._train_judge(small.detach())
        self.step += 1
        self.average.update(self.generator, self.step)
        return {name: float(value.detach()) for name, value in losses.items()} | {"p": self.ada.p}

    def _ties(self, image: Tensor, person: Tensor, eyes: Tensor) -> dict[str, Tensor]:
        """What holds besides the discriminator: the style's patches and statistics, the person's
        layout and colours.
        """
        s = self.settings
        taps = self.features.features(nhwc(image))
        with torch.no_grad():
            seen = nhwc(shrink(person, min(person.shape[-1], 256)))
            real = self.features.features(seen)
        layout = [
            (a - F.adaptive_avg_pool2d(b, a.shape[-1])).square().sum(1).mean()
            for a, b in zip(taps[-LAYOUT_TAPS:], real[-LAYOUT_TAPS:], strict=True)
        ]
        statistics = [
            (a - b).square().sum()
            for a, b in zip(feature_statistics(taps), self.wanted, strict=True)
        ]
        colour = shrink(image.float(), COLOUR_SIDE) - shrink(person, COLOUR_SIDE)
        side = min(image.shape[-1], person.shape[-1])
        eyes = eyes * (side / person.shape[-1])
        mine, theirs = (both_eyes(shrink(x, side), eyes) for x in (image, person))
        return {
            "patches": s.patches * self.neighbours.distance(taps, look(real, seen)),
            "statistics": s.statistics * torch.stack(statistics).mean(),
            "layout": s.layout * torch.stack(layout).mean(),
            "colour": s.colour * colour.abs().mean(),
            "irises": s.irises * colour_loss(mine, theirs),
        }

    def _train_judge(self, fake: Tensor) -> dict[str, Tensor]:
        s = self.settings
        index = torch.randint(len(self.style), (len(fake),), generator=self.rng)
        pictures = to_tensor([self.style[i] for i in index.tolist()]).to(self.fabric.device)
        mirrored = (torch.rand(len(fake), generator=self.rng) < 0.5).to(self.fabric.device)
        pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
        real = augment(shrink(pictures, self.judge_side), self.ada.p, self.rng)
        fake = augment(fake, self.ada.p, self.rng)
        self.judge.requires_grad_(True)
        with self.fabric.autocast():
            logits = self.judge(nhwc(real))
            loss = discriminator_loss(logits, self.judge(nhwc(fake)))
        for group in self.judge_optimizer.param_groups:
            group["lr"] = s.judge_lr * one_cycle(self.step / self.steps, s.warm_up)
        self.judge_optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if self.step % s.r1_every == 0:
            images = real.detach().requires_grad_(True)
            with torch.autocast(self.fabric.device.type, enabled=False):
                penalty = r1_penalty(self.judge.module(images), images)
            self.fabric.backward(penalty * (s.r1 / 2 * s.r1_every))
            if self.fabric.world_size > 1:  # the penalty went round the wrapper that averages
                for parameter in self.judge.parameters():
                    parameter.grad = self.fabric.all_reduce(parameter.grad, reduce_op="mean")
        self.judge_optimizer.step()
        sign = self.fabric.all_reduce(logits.detach().float().sign().mean(), reduce_op="mean")
        self.ada.update(float(sign), len(fake) * self.fabric.world_size)
        return {"judge": loss, "r_t": sign}

    # ------------------------------------------------------------------ state

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        return {
            "settings": json.dumps(asdict(self.settings)),
            "step": self.step,
            "generator": self.generator.state_dict(),
            "average": self.average.module.state_dict(),
            "judge": self.judge.module.state_dict(),
            "optimizer": self.optimizer.optimizer.state_dict(),
            "judge_optimizer": self.judge_optimizer.optimizer.state_dict(),
            "ada": json.dumps(self.ada.state()),
            "sampler": json.dumps(self.sampler.rng.bit_generator.state),
            "rng": self.rng.get_state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`.

        Raises:
            ToonifyError: when it was saved for another model or by another command.
        """
        try:
            self.generator.load_state_dict(state["generator"])
            self.average.module.load_state_dict(state["average"])
            self.judge.module.load_state_dict(state["judge"])
            self.optimizer.optimizer.load_state_dict(state["optimizer"])
            self.judge_optimizer.optimizer.load_state_dict(state["judge_optimizer"])
            self.ada = Controller(**json.loads(state["ada"]))
            self.sampler.rng.bit_generator.state = json.loads(state["sampler"])
            self.rng.set_state(state["rng"])
            self.step = int(state["step"])
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise ToonifyError(
                "The checkpoint in the working folder is another training's; give another folder."
            ) from error
        if rank := self.fabric.global_rank:
            self.sampler.rng = own_stretch(self.sampler.rng, rank)
            self.rng.manual_seed(self.settings.seed + rank + 1000 * self.step)

    def weights(self) -> dict[str, Tensor]:
        """The averaged generator, on the CPU."""
        return {k: v.detach().cpu() for k, v in self.average.module.state_dict().items()}


def nhwc(images: Tensor) -> Tensor:
    """Channels last in memory, where convolutions are fastest."""
    return images.to(memory_format=torch.channels_last)


def feature_statistics(taps: list[Tensor]) -> list[Tensor]:
    """Mean and spread of every channel over all pictures and places: float32 [2 C] a tap."""
    return [torch.cat([tap.mean((0, 2, 3)), (tap.var((0, 2, 3)) + 1e-8).sqrt()]) for tap in taps]
