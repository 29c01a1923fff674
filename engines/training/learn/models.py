"""The networks that are trained together, and how they start."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from engines.networks.blocks import SynthesisBlock
from engines.networks.discriminator import Discriminator, DiscriminatorConfig
from engines.networks.encoder import Encoder, EncoderConfig
from engines.networks.generator import Drawing, Generator, Synthesis
from engines.networks.generator_config import GeneratorConfig
from engines.networks.layers import FullyConnected, ModulatedConv

SCALED_FACTOR = 24.0
SWAP = 64  # the swap that is trained: below it the toon, which decides the shape; else the person


CPU_ENCODER = EncoderConfig(
    input_size=256,
    widths=(24, 48, 80, 112, 160),
    depths=(0, 1, 1, 1, 1),
    feature_resolutions=(4, 8, 16, 32, 256),
    style_width=192,
    unshuffle=4,
)


@dataclass(frozen=True)
class ModelSize:
    """Sizes of a model family; the defaults are those for CPUs (under 0.7 GMAC a face).

    Attributes:
        encoder: its sizes, without those that follow from the generator; None for `CPU_ENCODER`.
        resolution: of the last StyleGAN2 block; for the others see
            `engines.networks.generator_config.GeneratorConfig`.
    """

    resolution: int = 128
    w_dim: int = 192
    channel_base: int = 2048
    channel_max: int = 192
    mapping_layers: int = 4
    encoder: EncoderConfig | None = None
    mask_resolution: int = 64
    detail_resolution: int = 32
    photo_resolution: int = 128
    finish: bool = True
    fovea_channels: int = 12

    def encoder_config(self) -> EncoderConfig:
        """The encoder's sizes, fitted to the generator's style shape."""
        base = self.encoder or CPU_ENCODER
        num_ws = GeneratorConfig(self.resolution).num_ws
        return replace(base, num_ws=num_ws, w_dim=self.w_dim)

    def generator_config(self) -> GeneratorConfig:
        """The generators' sizes."""
        encoder = self.encoder_config()
        crop = encoder.input_size  # a map of that side is the crop itself
        return GeneratorConfig(
            resolution=self.resolution,
            w_dim=self.w_dim,
            z_dim=self.w_dim,
            channel_base=self.channel_base,
            channel_max=self.channel_max,
            mapping_layers=self.mapping_layers,
            noise=False,
            feature_channels=tuple(maps for maps in encoder.feature_channels if maps[0] < crop),
            mask_resolution=self.mask_resolution,
            detail_resolution=self.detail_resolution,
            photo_resolution=self.photo_resolution if encoder.gives_crop else 0,
            finish=self.finish and encoder.gives_crop,
            fovea_channels=self.fovea_channels if encoder.gives_crop else 0,
        )


class ToonModels(nn.Module):
    """Encoder, face generator and toon generator, which share one latent space."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.size = size
        self.encoder = Encoder(size.encoder_config())
        self.face = Generator(size.generator_config())
        self.toon = Generator(size.generator_config())

    def forward(
        self, crop: Tensor, counts: dict[str, int], resolution: int
    ) -> tuple[Tensor, dict[str, Drawing]]:
        """Encode `crop` and draw with each generator.

        Args:
            crop: float [N, 3, S, S] RGB in -1..1.
            counts: "face", "toon" and "swap" (see `swapped`) -> how many of the N samples that
                generator draws.
            resolution: side of the drawn pictures.

        Returns:
            w_plus [N, num_ws, w_dim], and what each generator drew.
        """
        w_plus, features = self.encoder(crop)
        drawn = {}
        for name, count in counts.items():
            some = {r: f[:count] for r, f in features.items()}
            synthesis = self.swapped() if name == "swap" else getattr(self, name).synthesis
            drawn[name] = synthesis.draw(w_plus[:count], some, resolution=resolution)
        return w_plus, drawn

    def swapped(self) -> Synthesis:
        """The toon's low blocks and, from `SWAP` up, the face's high ones; they are not copied."""
        mixed = copy.copy(self.toon.synthesis)
        high = {
            f"b{r}": self.face.synthesis.block(r) for r in mixed.config.resolutions if r >= SWAP
        }
        mixed._modules = {**mixed._modules, **high}
        return mixed

    def fork(self, name: Literal["toon", "face"]) -> None:
        """Make generator `name` a copy of the other one: fine-tuning starts from there."""
        source, target = (self.face, self.toon) if name == "toon" else (self.toon, self.face)
        target.load_state_dict(source.state_dict())

    @torch.no_grad()
    def track_w_avg(self, w_plus: Tensor, decay: float = 0.995) -> None:
        """Follow the mean style of the encoder: truncation pulls towards it."""
        mean = w_plus.float().mean((0, 1))
        for generator in (self.face, self.toon):
            generator.mapping.w_avg.lerp_(mean, 1 - decay)


def learning_groups(module: nn.Module) -> list[dict[str, Any]]:
    """Parameter groups for Adam with a `factor` on the learning rate.

    Weights with a run-time gain start from N(0, 1). The size of Adam's steps does not depend on the
    gradient's, so they move such weights far less than weights that start small. The factor makes
    up for that, because the training is short.
    """
    scaled: set[int] = set()
    for part in module.modules():
        if isinstance(part, (ModulatedConv, FullyConnected)):
            scaled.add(id(part.weight))
        elif isinstance(part, SynthesisBlock) and hasattr(part, "const"):
            scaled.add(id(part.const))
    groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
    for parameter in module.parameters():
        groups[id(parameter) in scaled].append(parameter)
    return [
        {"params": groups[False], "factor": 1.0},
        {"params": groups[True], "factor": SCALED_FACTOR},
    ]


class EMA(nn.Module):
    """Exponential moving average of a module's weights and batch statistics."""

    def __init__(self, module: nn.Module, decay: float = 0.998) -> None:
        super().__init__()
        self.module: Any = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards `module`.

        The decay grows with `step`, so that the average soon forgets the random start.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        mine, theirs = [], []
        for a, b in zip(tensors(self.module), tensors(module), strict=True):
            if a.is_floating_point():
                mine.append(a)
                theirs.append(b.detach())
            else:
                a.copy_(b)
        torch._foreach_lerp_(mine, theirs, 1 - decay)


def tensors(module: nn.Module) -> list[Tensor]:
    """Parameters, then buffers."""
    return [*module.parameters(), *module.buffers()]


def patch_discriminator(side: int = 64, channel_base: int = 2048) -> Discriminator:
    """Discriminator of patches of `side` px: it sees texture at a quarter of the cost."""
    return Discriminator(DiscriminatorConfig(side, channel_base, channel_max=192))


def channels_last(what: Any) -> Any:
    """A module or a batch in the memory layout in which convolutions are fastest."""
    return what.to(memory_format=torch.channels_last)
