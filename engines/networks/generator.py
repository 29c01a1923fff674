"""StyleGAN2 generator, optionally conditioned on feature maps of an encoder.

Architecture of Karras et al. (arXiv 1912.04958) with skip outputs, in the static-weight form of
`engines.networks.layers.ModulatedConv`. State-dict names are those of NVIDIA's PyTorch release, so
public checkpoints load as they are. Three optional additions, absent from public models:

* ``inject``: a 1x1 convolution and a learned gate that add an encoder's feature map to the input of
  a block's second convolution;
* ``todetail``: a 1x1 convolution that reads off one block from where, and how strongly, the finer
  feature maps are taken. A cartoon's head has another shape than the person's, and convolutions
  carry fine detail only a few pixels far; a block of low resolution, which knows the shape, moves
  it instead, and leaves it out where the picture is to be soft. So shape stays a matter of the low
  layers and detail one of the high layers, as layer swapping wants it;
* ``tomask``: a 1x1 convolution that reads a soft head mask off one block, as a correction of the
  coarse one that ``todetail`` gives: what is hair and what is wall is not to be seen in a pixel.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.errors import ToonifyError
from engines.networks.layers import FullyConnected, ModulatedConv, Upsample2x, leaky
from engines.networks.sizes import MAX_CLAMP, MAX_LAYERS, MAX_WIDTH, RESOLUTIONS, check_size


@dataclass(frozen=True)
class GeneratorConfig:
    """Sizes of a generator.

    Attributes:
        resolution: output side in pixels, a power of two from 8 to 1024.
        channel_base, channel_max: block r has ``min(channel_base // r, channel_max)`` channels.
        mapping_layers: fully connected layers of the mapping network (8 in config-f).
        conv_clamp: activations are clamped to +- this value; None for models trained without.
        noise: per-pixel constant noise as in public models.
        feature_channels: (resolution, channels) of each encoder feature map taken in.
        mask_resolution: block that the soft mask is read from; 0 for none.
        detail_resolution: block that warp and gain of the finer feature maps are read from; 0 for
            none.
    """

    resolution: int
    w_dim: int = 512
    z_dim: int = 512
    channel_base: int = 32768
    channel_max: int = 512
    mapping_layers: int = 8
    conv_clamp: float | None = 256.0
    noise: bool = True
    feature_channels: tuple[tuple[int, int], ...] = field(default=())
    mask_resolution: int = 0
    detail_resolution: int = 0

    def __post_init__(self) -> None:
        if type(self.resolution) is not int or self.resolution not in RESOLUTIONS[1:]:
            raise ToonifyError(
                f"A generator's resolution must be a power of two from 8 to 1024, not "
                f"{self.resolution!r}; choose one of those."
            )
        what = "A generator"
        for name in ("w_dim", "z_dim", "channel_max"):
            check_size(what, name, getattr(self, name), 1, MAX_WIDTH)
        check_size(
            what, "channel_base", self.channel_base, self.resolution, RESOLUTIONS[-1] * MAX_WIDTH
        )
        check_size(what, "mapping_layers", self.mapping_layers, 0, MAX_LAYERS)
        for side, channels in self.feature_channels:
            check_size(what, f"feature map at {side!r:.20} px", channels, 1, MAX_WIDTH)
        taken = [side for side, _ in self.feature_channels]
        if len(set(taken)) < len(taken) or not set(taken) <= set(self.resolutions):
            raise ToonifyError(
                f"Feature maps must enter different blocks of the generator {self.resolutions}, "
                f"not {taken!r:.80}."
            )
        clamp = self.conv_clamp
        if clamp is not None and not (isinstance(clamp, int | float) and 0 < clamp < MAX_CLAMP):
            raise ToonifyError(
                f"conv_clamp must be null or lie between 0 and {MAX_CLAMP:.0f}, not {clamp!r:.40}."
            )
        if type(self.noise) is not bool:
            raise ToonifyError(f"noise must be true or false, not {self.noise!r:.40}.")
        for what, block in (("mask", self.mask_resolution), ("detail", self.detail_resolution)):
            if block and block not in self.resolutions:
                raise ToonifyError(
                    f"The {what} must be read from a block of the generator ({self.resolutions}), "
                    f"not from {block!r:.40}."
                )

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Side of every block, from 4 up."""
        return tuple(2**k for k in range(2, int(math.log2(self.resolution)) + 1))

    @property
    def num_ws(self) -> int:
        """How many style vectors the synthesis network takes: ``2 log2(R) - 2``."""
        return 2 * len(self.resolutions)

    def channels(self, resolution: int) -> int:
        """Channel count of the block at ``resolution``."""
        return min(self.channel_base // resolution, self.channel_max)

    @classmethod
    def from_state(
        cls, state: MappingABC[str, Tensor], *, conv_clamp: float | None = 256.0
    ) -> GeneratorConfig:
        """Read every size off the shapes in a neutral state dict (the clamp is not in there)."""
        if "synthesis.b4.const" not in state:
            raise ToonifyError(
                "A StyleGAN2 generator was expected, but there is no 'synthesis.b4.const'; choose "
                "a file that holds one."
            )
        blocks = {
            int(m[1]): t.shape[0]
            for name, t in state.items()
            if (m := re.fullmatch(r"synthesis\.b(\d+)\.conv1\.weight", name))
        }
        resolution = max(blocks)
        widest, finest = max(blocks.values()), blocks[resolution]
        narrow = [r * c for r, c in blocks.items() if c < widest]
        features = tuple(
            sorted(
                (int(m[1]), t.shape[1])
                for name, t in state.items()
                if (m := re.fullmatch(r"synthesis\.b(\d+)\.inject\.weight", name))
            )
        )

        def block_with(part: str) -> int:
            """The first block that has the part, 0 for none."""
            found = (re.search(rf"\.b(\d+)\.{part}\.weight", name) for name in state)
            return next((int(match[1]) for match in found if match), 0)

        layers = [int(m[1]) for n in state if (m := re.fullmatch(r"mapping\.fc(\d+)\.weight", n))]
        config = cls(
            resolution=resolution,
            w_dim=state["synthesis.b4.conv1.affine.weight"].shape[1],
            z_dim=state["mapping.fc0.weight"].shape[1] if layers else 512,
            channel_base=max(narrow) if narrow else resolution * finest,
            channel_max=widest,
            mapping_layers=max(layers) + 1 if layers else 0,
            conv_clamp=conv_clamp,
            noise="synthesis.b4.conv1.noise_strength" in state,
            feature_channels=features,
            mask_resolution=block_with("tomask"),
            detail_resolution=block_with("todetail"),
        )
        wrong = [r for r in config.resolutions if blocks.get(r) != config.channels(r)]
        if wrong:
            raise ToonifyError(
                f"The channels of block {wrong[0]} ({blocks.get(wrong[0])}) do not follow "
                f"StyleGAN2's rule min(base / r, max); this architecture is not supported."
            )
        return config


class Mapping(nn.Module):
    """Mapping network f: z -> w, with the running mean of w for truncation."""

    w_avg: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.layers = config.mapping_layers
        for i in range(self.layers):
            inputs = config.z_dim if i == 0 else config.w_dim
            layer = FullyConnected(inputs, config.w_dim, lr_multiplier=0.01, activate=True)
            setattr(self, f"fc{i}", layer)
        self.register_buffer("w_avg", torch.zeros(config.w_dim))

    def forward(self, z: Tensor) -> Tensor:
        """``z``: float32 [N, z_dim] -> w: float32 [N, w_dim]."""
        x = z.float() * torch.rsqrt(z.float().square().mean(dim=1, keepdim=True) + 1e-8)
        for i in range(self.layers):
            x = getattr(self, f"fc{i}")(x)
        return x


class SynthesisLayer(ModulatedConv):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU, clamp."""

    noise_const: Tensor

    def __init__(self, config: GeneratorConfig, inputs: int, resolution: int, *, up: bool) -> None:
        outputs = config.channels(resolution)
        super().__init__(inputs, outputs, 3, config.w_dim, demodulate=True, up=up)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.clamp = config.conv_clamp
        self.noise = config.noise
        if config.noise:
            self.noise_strength = nn.Parameter(torch.zeros(()))
            self.register_buffer("noise_const", torch.randn(resolution, resolution))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """``x``: [N, in, H, W]; ``w``: [N, w_dim]."""
        x = super().forward(x, w)
        if self.noise:
            # Apart from the bias: compilers would fold both into one constant of C x H x W.
            x = x + (self.noise_const * self.noise_strength).to(x.dtype)
        return leaky(x + self.bias.to(x.dtype)[None, :, None, None], self.clamp)


class ToRGB(ModulatedConv):
    """Modulated 1x1 convolution to three channels, without demodulation."""

    def __init__(self, config: GeneratorConfig, resolution: int) -> None:
        inputs = config.channels(resolution)
        super().__init__(inputs, 3, 1, config.w_dim, demodulate=False, up=False)
        self.bias = nn.Parameter(torch.zeros(3))
        self.clamp = config.conv_clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """``x``: [N, in, H, W] -> float32 [N, 3, H, W]."""
        y = super().forward(x, w) + self.bias.to(x.dtype)[None, :, None, None]
        return (y if self.clamp is None else y.clamp(-self.clamp, self.clamp)).float()


class Inject(nn.Module):
    """Learned gate behind which an encoder's feature map joins the synthesis features."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1) / math.sqrt(inputs))
        self.gate = nn.Parameter(torch.ones(outputs))

    def forward(self, x: Tensor, feature: Tensor) -> Tensor:
        """``x``: [N, out, H, W]; ``feature``: [N, in, H, W]."""
        kernel = self.weight * self.gate[:, None, None, None]
        return x + F.conv2d(feature.to(x.dtype), kernel.to(x.dtype))


class ToMask(nn.Module):
    """Reads the logits of a soft mask off a block's features."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """``x``: [N, in, H, W] -> float32 logits [N, 1, H, W]."""
        return F.conv2d(x.float(), self.weight, self.bias)


SURROUNDINGS = 4  # side of what counts as the surroundings of a place, in places of a feature map


class ToDetail(nn.Module):
    """Reads off a block's features where every place takes its fine detail from, how much of it,
    and whether it is head.
    """

    REACH, STEEPNESS = 0.1, 4.0  # weights of ordinary size make moves and gains of ordinary size
    smooth: Tensor

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(16, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(16))
        self.rebuild_constants()

    def rebuild_constants(self) -> None:
        """Make the filter anew, after the module was built without memory."""
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("smooth", torch.outer(line, line).repeat(4, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``x``: [N, in, H, W] -> float32 [N, 4, 2H, 2W]: move x, move y, gain, head.

        Moves are shares of the picture's side, gains 0..2, head is a logit; without learning they
        are 0, 1 and 0. Four neighbours come from one place (the sub-pixel convolution of arXiv
        1609.05158), smoothed so that they make no checkerboard.
        """
        y = F.pixel_shuffle(F.conv2d(x.float(), self.weight, self.bias), 2)
        y = F.conv2d(F.pad(y, (1, 1, 1, 1), mode="replicate"), self.smooth, groups=4)
        gain = 2 * torch.sigmoid(y[:, 2:3] * self.STEEPNESS)
        return torch.cat([y[:, :2] * self.REACH, gain, y[:, 3:]], 1)


def resample(feature: Tensor, detail: Tensor) -> Tensor:
    """``feature`` [N, C, H, H] taken as ``detail`` [N, 4, H, H] (see `ToDetail`) says.

    Bilinear; places outside the map repeat its border. The gain is that of the detail, what a place
    has beyond its surroundings: 0 leaves a soft picture in the right colours.
    """
    taken = moved(feature, detail[:, :2])
    surroundings = F.interpolate(
        F.avg_pool2d(taken, SURROUNDINGS),
        scale_factor=SURROUNDINGS,
        mode="bilinear",
        align_corners=False,
    )
    return torch.lerp(surroundings, taken, detail[:, 2:3].float()).to(feature.dtype)


def moved(image: Tensor, moves: Tensor) -> Tensor:
    """``image`` [N, C, H, H] taken from ``moves`` [N, 2, G, G] away: float32 [N, C, H, H].

    Moves are shares of the picture's side, interpolated when G is not H.
    """
    side, moves = image.shape[-1], moves.float()
    if moves.shape[-1] != side:
        moves = F.interpolate(moves, [side, side], mode="bilinear", align_corners=False)
    centres = (torch.arange(side, device=moves.device) + 0.5) * (2 / side) - 1
    here = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), -1)
    there = here + 2 * moves.permute(0, 2, 3, 1)
    return F.grid_sample(image.float(), there, padding_mode="border", align_corners=False)


class Drawing(NamedTuple):
    """What a synthesis network draws.

    ``image``: float32 [N, 3, R, R], about -1..1; ``mask``: logits float32 [N, 1, M, M] of head and
    hair; ``detail``: float32 [N, 4, 2D, 2D] (see `ToDetail`). None where the network has none.
    """

    image: Tensor
    mask: Tensor | None
    detail: Tensor | None


class SynthesisBlock(nn.Module):
    """All layers of one resolution."""

    def __init__(self, config: GeneratorConfig, resolution: int) -> None:
        super().__init__()
        channels = config.channels(resolution)
        if resolution == 4:
            self.const = nn.Parameter(torch.randn(channels, 4, 4))
        else:
            inputs = config.channels(resolution // 2)
            self.conv0 = SynthesisLayer(config, inputs, resolution, up=True)
            self.upsample = Upsample2x(3)
        self.conv1 = SynthesisLayer(config, channels, resolution, up=False)
        self.torgb = ToRGB(config, resolution)
        features = dict(config.feature_channels).get(resolution)
        self.inject = Inject(features, channels) if features else None
        self.tomask = ToMask(channels) if config.mask_resolution == resolution else None
        self.todetail = ToDetail(channels) if config.detail_resolution == resolution else None

    def forward(
        self, x: Tensor | None, image: Tensor | None, ws: list[Tensor], feature: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """``ws``: conv0's (absent at 4x4), conv1's and torgb's style vectors."""
        if x is None:
            x = self.const[None].expand(ws[0].shape[0], -1, -1, -1)
            x = x.to(memory_format=torch.channels_last)
        else:
            x = self.conv0(x, ws[0])
        if feature is not None and self.inject is not None:
            x = self.inject(x, feature)
        x = self.conv1(x, ws[-2])
        rgb = self.torgb(x, ws[-1])
        return x, rgb if image is None else self.upsample(image) + rgb


class Synthesis(nn.Module):
    """Synthesis network g: w_plus (and feature maps) -> picture."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.half_from = 2**31
        for r in config.resolutions:
            setattr(self, f"b{r}", SynthesisBlock(config, r))
        self.enlarge = Upsample2x(4, replicate=True)

    def block(self, resolution: int) -> SynthesisBlock:
        """The block at ``resolution``."""
        block = getattr(self, f"b{resolution}")
        assert isinstance(block, SynthesisBlock)
        return block

    def use_half(self, num_fp16_res: int) -> None:
        """Run the highest ``num_fp16_res`` blocks (never 4x4) in FP16; 0 for none.

        NVIDIA's rule: blocks with ``r >= max(2^(log2 R + 1 - num_fp16_res), 8)``.
        """
        lowest = max(2 * self.config.resolution >> num_fp16_res, 8)
        self.half_from = lowest if num_fp16_res > 0 else 2**31

    def block_dtype(self, resolution: int) -> torch.dtype:
        """Compute type of the block at ``resolution``."""
        return torch.float16 if resolution >= self.half_from else torch.float32

    def freeze(self) -> None:
        """Prepare all kernels for inference; repeat after loading other weights."""
        for r in self.config.resolutions:
            for module in self.block(r).modules():
                if isinstance(module, ModulatedConv):
                    module.freeze(self.block_dtype(r))

    def thaw(self) -> None:
        """Undo `freeze` for training."""
        for module in self.modules():
            if isinstance(module, ModulatedConv):
                module.thaw()

    def forward(
        self,
        w_plus: Tensor,
        features: MappingABC[int, Tensor] | None = None,
        *,
        top: int | None = None,
    ) -> Tensor:
        """Draw pictures.

        Args:
            w_plus: float32 [N, num_ws, w_dim].
            features: resolution -> [N, C, r, r]; without them this is plain StyleGAN2.
            top: stop at this block, which gives a smaller picture (growing in training).

        Returns:
            float32 [N, 3, R, R], about -1..1.
        """
        return self.draw(w_plus, features, top=top).image

    def draw(
        self,
        w_plus: Tensor,
        features: MappingABC[int, Tensor] | None = None,
        *,
        top: int | None = None,
    ) -> Drawing:
        """As `forward`, with mask and detail if the network has them."""
        ws = list(w_plus.float().unbind(dim=1))
        x: Tensor | None = None
        image: Tensor | None = None
        mask: Tensor | None = None
        detail: Tensor | None = None
        finest: Tensor | None = None  # the same, as fine as the block in hand
        for k, r in enumerate(self.config.resolutions):
            block, feature = self.block(r), (features or {}).get(r)
            if (
                x is not None
                and x.dtype != (wanted := self.block_dtype(r))
                and (not torch.is_autocast_enabled(x.device.type))
            ):
                x = x.to(wanted)
            if finest is not None and (feature is not None or block.tomask is not None):
                while finest.shape[-1] < r:
                    finest = self.enlarge(finest)
                feature = None if feature is None else resample(feature, finest)
            # conv0 shares its index with the previous block's torgb (2k-5 = 2(k-1)-3).
            x, image = block(x, image, ws[:2] if k == 0 else ws[2 * k - 1 : 2 * k + 2], feature)
            if block.tomask is not None:
                mask = block.tomask(x)
                mask = mask if finest is None else mask + finest[:, 3:]
            if block.todetail is not None:
                finest = detail = block.todetail(x)
            if r == top:
                break
        assert image is not None
        return Drawing(image, mask, detail)


class Generator(nn.Module):
    """Mapping and synthesis."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.mapping = Mapping(config)
        self.synthesis = Synthesis(config)

    def w_plus(
        self, z: Tensor, truncation_psi: float = 1.0, truncation_cutoff: int | None = None
    ) -> Tensor:
        """Truncated styles ``w_avg + psi * (w - w_avg)`` for z [N, z_dim]: [N, num_ws, w_dim].

        ``truncation_cutoff``: only indices below it are truncated (None: all of them).
        """
        w = self.mapping(z)
        ws = w[:, None].expand(-1, self.config.num_ws, -1)
        if truncation_psi == 1:
            return ws
        cut = self.config.num_ws if truncation_cutoff is None else truncation_cutoff
        low = self.mapping.w_avg.lerp(ws[:, :cut], truncation_psi)
        return torch.cat([low, ws[:, cut:]], dim=1)

    def forward(
        self, z: Tensor, truncation_psi: float = 1.0, truncation_cutoff: int | None = None
    ) -> Tensor:
        """Random pictures for z float32 [N, z_dim]: float32 [N, 3, R, R], about -1..1."""
        return self.synthesis(self.w_plus(z, truncation_psi, truncation_cutoff))
