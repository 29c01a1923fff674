"""Feed-forward encoder: an aligned crop becomes styles and feature maps in one pass."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.errors import ToonifyError
from engines.networks.sizes import MAX_LAYERS, MAX_WIDTH, RESOLUTIONS, check_size

LEAK = 0.1  # slope of the activations below 0


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of an encoder.

    Attributes:
        input_size: side of the crop in pixels.
        num_ws, w_dim: shape of the styles, the generator's own.
        widths: channels of the stages, each at half the side of the one before, down to 4x4.
        depths: residual blocks of each stage.
        feature_resolutions: sides of the feature maps that are handed to the generator. Those that
            no stage has are the crop itself, whose finest detail no stage holds, with each
            square of pixels as the channels of one place.
        style_width: width of the bottleneck in front of the styles.
        unshuffle: side of the squares of pixels that become the channels of one place before the
            first stage, which then has that size; 1 for none, and a first stage of half the size.
    """

    input_size: int = 256
    num_ws: int = 14
    w_dim: int = 256
    widths: tuple[int, ...] = (16, 48, 96, 144, 192, 256)
    depths: tuple[int, ...] = (0, 1, 1, 2, 1, 1)
    feature_resolutions: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256)
    style_width: int = 256
    unshuffle: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "depths", tuple(self.depths))
        object.__setattr__(self, "feature_resolutions", tuple(self.feature_resolutions))
        what = "An encoder"
        check_size(what, "input_size", self.input_size, 8, RESOLUTIONS[-1])
        for name in ("num_ws", "w_dim", "style_width"):
            check_size(what, name, getattr(self, name), 1, MAX_WIDTH)
        for width in self.widths:
            check_size(what, "width", width, 1, MAX_WIDTH)
        for depth in self.depths:
            check_size(what, "depth", depth, 0, MAX_LAYERS)
        if self.unshuffle not in (1, 2, 4, 8):
            raise ToonifyError(f"An encoder's unshuffle is 1, 2, 4 or 8, not {self.unshuffle!r}.")
        if self.resolutions[-1:] != (4,) or len(self.widths) != len(self.depths):
            raise ToonifyError(
                f"An encoder for {self.input_size} px needs one width and one depth for each "
                f"halving down to 4 px, but got {len(self.widths)} and {len(self.depths)}."
            )
        known = tuple(self.input_size >> i for i in range(self.input_size.bit_length() - 2))
        unknown = set(self.feature_resolutions) - set(known)
        if unknown:
            raise ToonifyError(f"Feature maps can be taken at {known}, not at {sorted(unknown)}.")

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Side of every stage's feature map."""
        first = self.input_size // (2 if self.unshuffle == 1 else self.unshuffle)
        return tuple(first >> i for i in range(len(self.widths)))

    @property
    def gives_crop(self) -> bool:
        """Whether the crop itself is among the maps that are handed to the generator."""
        return self.input_size in self.feature_resolutions

    @property
    def feature_channels(self) -> tuple[tuple[int, int], ...]:
        """(resolution, channels) as `GeneratorConfig.feature_channels` wants them."""
        stages = dict(zip(self.resolutions, self.widths, strict=True))
        crop = {r: 3 * (self.input_size // r) ** 2 for r in self.feature_resolutions}
        return tuple(sorted((r, stages.get(r, crop[r])) for r in self.feature_resolutions))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a model card; `EncoderConfig(**config.as_dict())` restores it."""
        return asdict(self)


class EncoderOutput(NamedTuple):
    """What an encoder reads off a crop.

    Attributes:
        w_plus: [N, num_ws, w_dim].
        features: resolution -> [N, C, r, r].
    """

    w_plus: Tensor
    features: dict[int, Tensor]


class ConvNorm(nn.Sequential):
    """Convolution, batch norm (folded into the convolution by every compiler), leaky ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, activate: bool = True
    ) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            *([nn.LeakyReLU(LEAK)] if activate else []),
        )


class Residual(nn.Module):
    """Two 3x3 convolutions around an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(channels, channels), ConvNorm(channels, channels, activate=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """`x`: [N, C, H, W]."""
        return F.leaky_relu(x + self.body(x), LEAK)


class Encoder(nn.Module):
    """Residual convolutional backbone with a style head on its last, 4x4, stage."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        inputs = (3 * config.unshuffle**2, *config.widths[:-1])
        strides = (2 if config.unshuffle == 1 else 1, *[2] * (len(inputs) - 1))
        self.stages = nn.ModuleList(
            nn.Sequential(ConvNorm(i, o, 3, stride), *[Residual(o) for _ in range(depth)])
            for i, o, stride, depth in zip(
                inputs, config.widths, strides, config.depths, strict=True
            )
        )
        self.bottleneck = nn.Sequential(
            nn.Conv2d(config.widths[-1], config.style_width, 4), nn.LeakyReLU(LEAK)
        )
        self.styles = nn.Linear(config.style_width, config.num_ws * config.w_dim)
        nn.init.normal_(self.styles.weight, std=0.3 / config.style_width**0.5)

    def forward(self, image: Tensor) -> EncoderOutput:
        """`image`: float [N, 3, S, S] RGB in -1..1."""
        size, features = self.config.input_size, {}
        for resolution in self.config.feature_resolutions:
            if resolution not in self.config.resolutions:
                features[resolution] = unshuffled(image, size // resolution)
        x = unshuffled(image, self.config.unshuffle)
        for resolution, stage in zip(self.config.resolutions, self.stages, strict=True):
            x = stage(x)
            if resolution in self.config.feature_resolutions:
                features[resolution] = x
        # One 4x4 place is a matrix product, which compilers run faster than the convolution.
        whole = self.bottleneck[0]
        assert isinstance(whole, nn.Conv2d)
        reduced = F.linear(x.flatten(1), whole.weight.flatten(1), whole.bias)
        styles = self.styles(F.leaky_relu(reduced, LEAK))
        w_plus = torch.unflatten(styles, 1, (self.config.num_ws, self.config.w_dim))
        return EncoderOutput(w_plus, features)


def unshuffled(image: Tensor, square: int) -> Tensor:
    """`image` [N, C, H, W] with each `square` of pixels as channels; itself for squares of 1."""
    return image if square == 1 else F.pixel_unshuffle(image, square)
