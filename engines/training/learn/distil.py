"""The encoder trained alone, behind generators that stay as they are.

Two uses. *Distil*: for a blended generator, the encoder as it is says what a clean crop should look
like, and a copy of it learns to give that for the crop as a webcam delivers it, moved as the crop
moves. *Refit*: an encoder is trained from nothing for a public generator, so that its face model
reconstructs portraits; every toon fine-tuned from that face model then works with it too.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.card import Style
from engines.errors import ToonifyError
from engines.networks.encoder import Encoder, EncoderConfig, EncoderOutput
from engines.networks.generator import Generator, Synthesis
from engines.training.learn.losses import (
    FeatureDistance,
    gradient_l1,
    shift_loss,
    shrink,
    weighted_l1,
)
from engines.training.learn.models import Average, channels_last
from engines.training.learn.runs import ByPictures, Hardware, own_stretch
from engines.training.learn.stages import one_cycle
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.sampler import Sampler, check_twins


@dataclass(frozen=True)
class DistilSettings:
    """How an encoder is trained.

    Attributes:
        pictures: how many pictures it lasts.
        twins: samples of each batch that are shifted copies, for the consistency term.
        lr: peak of the one-cycle schedule.
        features, gradients, consistency: weights beside L1, as in training by pairs.
        latents: weight that keeps styles and feature maps near the teacher's or, without one, the
            styles of one picture near each other, where the generator can be edited and swapped
            (the delta regularisation of arXiv 2102.02766).
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


class EncoderTrainer(ByPictures):
    """Trains an encoder for a fixed generator; a `engines.training.learn.runs.Task`.

    Args:
        encoder: start of the training; not changed itself.
        generators: draw the pictures, in turns; their weights stay as they are.
        pairs: people of the encoder's input size; only the photos are used.
        settings: the run.
        teacher: says what a clean crop should look like; without one the photo itself is the goal
            and batch statistics are learned too.
        hardware: what to train on.
    """

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
        self.settings = settings
        self.fabric = (hardware or Hardware()).launch(settings.seed)
        student = channels_last(copy.deepcopy(encoder).requires_grad_(True))
        self.average = Average(student).to(self.fabric.device)
        optimizer = torch.optim.Adam(student.parameters(), settings.lr, betas=(0.9, 0.99))
        self.encoder: Any
        self.optimizer: Any
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
        sampler = Sampler(pairs, settings.batch_size, settings.seed, settings.twins)
        sampler.rng = own_stretch(sampler.rng, self.fabric.global_rank)
        self.sampler = sampler
        self.step = 0

    def train_step(self) -> dict[str, float]:
        """One optimiser step on a fresh batch: the losses by name."""
        s = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = s.lr * one_cycle(self.step / self.steps, s.warm_up)
        batch = self.sampler.draw().to(self.fabric.device)
        with self.fabric.autocast():
            synthesis = self.generators[self.step % len(self.generators)].synthesis
            target, wanted = self._goal(synthesis, batch.photo)
            found = EncoderOutput(*self.encoder(channels_last(batch.crop)))
            image = shrink(synthesis(*found), target.shape[-1])
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
            total = torch.stack(list(losses.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(total)
        self.fabric.clip_gradients(
            self.encoder, self.optimizer, max_norm=10.0, error_if_nonfinite=False
        )
        self.optimizer.step()
        self.step += 1
        self.average.update(self.encoder.module, self.step)
        return {name: float(value.detach()) for name, value in losses.items()}

    @torch.no_grad()
    def _goal(self, synthesis: Synthesis, photo: Tensor) -> tuple[Tensor, EncoderOutput | None]:
        """What to draw, no larger than the photo, and the codes it is drawn from."""
        if self.teacher is None:
            return photo, None
        wanted = self.teacher(channels_last(photo))
        image = synthesis(*wanted)
        return shrink(image, min(image.shape[-1], photo.shape[-1])), wanted

    # ------------------------------------------------------------------ state

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        return {
            "settings": json.dumps(asdict(self.settings)),
            "step": self.step,
            "encoder": self.encoder.module.state_dict(),
            "average": self.average.module.state_dict(),
            "optimizer": self.optimizer.optimizer.state_dict(),
            "sampler": json.dumps(self.sampler.rng.bit_generator.state),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`.

        Raises:
            ToonifyError: when it was saved for another encoder or by another command.
        """
        try:
            self.encoder.module.load_state_dict(state["encoder"])
            self.average.module.load_state_dict(state["average"])
            self.optimizer.optimizer.load_state_dict(state["optimizer"])
            self.sampler.rng.bit_generator.state = json.loads(state["sampler"])
            self.step = int(state["step"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ToonifyError(
                "The checkpoint in the working folder is another training's; give another folder."
            ) from error
        self.sampler.rng = own_stretch(self.sampler.rng, self.fabric.global_rank)

    def weights(self) -> dict[str, Tensor]:
        """The averaged encoder, on the CPU."""
        return {k: v.detach().cpu() for k, v in self.average.module.state_dict().items()}


def code_distance(found: EncoderOutput, wanted: EncoderOutput, size: int) -> Tensor:
    """How far two encodings are apart: styles and each feature map, relative to their size.

    ``size``: side of the crops; a map of that side is the crop itself, which nothing can learn.
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


# ---------------------------------------------------------------------- bundles


def distiller(
    bundle: Bundle,
    pairs: PairSet,
    blends: Mapping[str, BlendSpec],
    settings: DistilSettings | None = None,
    hardware: Hardware | None = None,
) -> EncoderTrainer:
    """The trainer that makes a bundle's encoder robust for blended generators.

    Args:
        bundle: has an encoder, which is the teacher and the start.
        pairs: people of the encoder's input size.
        blends: style -> how it is blended.
        settings, hardware: the run.

    Raises:
        ToonifyError: when the bundle has no encoder, or no such style.
    """
    if bundle.encoder is None or bundle.card.encoder is None:
        raise ToonifyError(
            f"{bundle.card.name} has no encoder to start from; make one with 'toonify train refit'."
        )
    encoder = Encoder(bundle.card.encoder)
    encoder.load_state_dict(bundle.encoder)
    generators = [bundle.generator(style, spec) for style, spec in blends.items()]
    settings = settings or DistilSettings()
    return EncoderTrainer(encoder, generators, pairs, settings, teacher=encoder, hardware=hardware)


def refitter(
    bundle: Bundle,
    pairs: PairSet,
    settings: DistilSettings = REFIT,
    hardware: Hardware | None = None,
    config: EncoderConfig | None = None,
) -> EncoderTrainer:
    """The trainer that gives an encoder to a bundle that has only generators.

    The encoder starts at the generators' mean face and hands over styles only, because the public
    generators take no feature maps.

    Raises:
        ToonifyError: when these generators do.
    """
    check_refittable(bundle)
    g = bundle.card.generator
    config = config or encoder_config(256)
    torch.manual_seed(settings.seed)
    encoder = Encoder(replace(config, num_ws=g.num_ws, w_dim=g.w_dim))
    mean = bundle.face.get("mapping.w_avg", torch.zeros(g.w_dim))
    with torch.no_grad():
        encoder.styles.bias.copy_(mean.float().repeat(g.num_ws))
    face = Generator(g)
    face.load_state_dict(bundle.face)
    return EncoderTrainer(encoder, [face], pairs, settings, hardware=hardware)


def check_refittable(bundle: Bundle) -> None:
    """Refuse a model that lives on feature maps, which a refitted encoder does not make.

    Raises:
        ToonifyError: naming the model.
    """
    encoder = bundle.card.encoder
    if bundle.card.generator.feature_channels or (encoder and encoder.feature_channels):
        raise ToonifyError(
            f"{bundle.card.name} works with feature maps of its encoder, which a refitted one "
            f"would not make; refit models of public generators, and 'distil' this one."
        )


def encoder_config(size: int) -> EncoderConfig:
    """An encoder of ``size`` px crops for generators that take styles only.

    Raises:
        ToonifyError: when ``size`` is not a power of two from 64 to 512.
    """
    if size not in (64, 128, 256, 512):
        raise ToonifyError(f"An encoder takes crops of 64, 128, 256 or 512 px, not {size}.")
    standard = EncoderConfig()
    extra = size.bit_length() - standard.input_size.bit_length()
    return EncoderConfig(
        input_size=size,
        widths=(8,) * extra + standard.widths[max(-extra, 0) :],
        depths=(0,) * extra + standard.depths[max(-extra, 0) :],
        feature_resolutions=(),
        style_width=512,
    )


def with_encoder(
    bundle: Bundle,
    trainer: EncoderTrainer,
    note: str,
    blends: Mapping[str, BlendSpec] | None = None,
) -> Bundle:
    """``bundle`` with the trained encoder, a ``note`` in its card, and new default blends."""
    styles = {
        name: Style(style.description, (blends or {}).get(name, style.blend))
        for name, style in bundle.card.styles.items()
    }
    card = replace(
        bundle.card,
        encoder=trainer.average.module.config,
        styles=styles,
        training={**bundle.card.training, "Encoder": note},
    )
    return replace(bundle, card=card, encoder=trainer.weights())
