"""StyleGAN2 generator, optionally conditioned on feature maps of an encoder.

Architecture of Karras et al. (arXiv 1912.04958) with skip outputs, in the static-weight form of
`engines.networks.layers.ModulatedConv`. State-dict names are those of NVIDIA's PyTorch release, so
public checkpoints load as they are. What it can have in addition: `engines.networks.additions`.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.networks.additions import moved, resample, surroundings
from engines.networks.blocks import SynthesisBlock
from engines.networks.fovea import Fovea
from engines.networks.generator_config import GeneratorConfig
from engines.networks.layers import FullyConnected, ModulatedConv, Upsample2x, bordered
from engines.networks.photo import Photo, enlarged


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
        """`z`: float32 [N, z_dim] -> w: float32 [N, w_dim]."""
        x = z.float() * torch.rsqrt(z.float().square().mean(dim=1, keepdim=True) + 1e-8)
        for i in range(self.layers):
            x = getattr(self, f"fc{i}")(x)
        return x


class Drawing(NamedTuple):
    """What a synthesis network draws.

    Attributes:
        image: float32 [N, 3, R, R], about -1..1.
        mask: logits float32 [N, 1, M, M] of head and hair; None without a mask.
        detail: float32 [N, 4, 2D, 2D] (see `ToDetail`); None without one.
        photo_share: float32 [N, 1, P, P] in 0..1, how much of the finest detail is the photo's;
            None where it is not asked.
        bands: eyes and mouth at the side of the finished picture, float32 [N, 3, h, w] each (see
            `engines.networks.fovea.BANDS`); empty without a fovea.
    """

    image: Tensor
    mask: Tensor | None
    detail: Tensor | None
    photo_share: Tensor | None = None
    bands: tuple[Tensor, ...] = ()


class Synthesis(nn.Module):
    """Synthesis network g: w_plus (and feature maps) -> picture."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.half_from = 2**31
        for r in config.resolutions:
            setattr(self, f"b{r}", SynthesisBlock(config, r))
        self.enlarge = Upsample2x(4, replicate=True)
        self.enlarge_moves = Upsample2x(2, replicate=True)
        self.enlarge_share = Upsample2x(1, replicate=True)

    def block(self, resolution: int) -> SynthesisBlock:
        """The block at `resolution`."""
        block = getattr(self, f"b{resolution}")
        assert isinstance(block, SynthesisBlock)
        return block

    def fovea(self) -> Fovea:
        """The fovea of a network that has one."""
        fovea = self.block(self.config.resolution).fovea
        assert fovea is not None
        return fovea

    def use_half(self, num_fp16_res: int) -> None:
        """Run the highest `num_fp16_res` blocks (never 4x4) in FP16; 0 for none.

        NVIDIA's rule: blocks with `r >= max(2^(log2 R + 1 - num_fp16_res), 8)`.
        """
        lowest = max(2 * self.config.resolution >> num_fp16_res, 8)
        self.half_from = lowest if num_fp16_res > 0 else 2**31

    def block_dtype(self, resolution: int) -> torch.dtype:
        """Compute type of the block at `resolution`."""
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
        resolution: int | None = None,
    ) -> Tensor:
        """Draw pictures.

        Args:
            w_plus: float32 [N, num_ws, w_dim].
            features: resolution -> [N, C, r, r]; without them this is plain StyleGAN2. Of the
                picture's own resolution it is the photo [N, 3, R, R], from which the picture takes
                its finest detail where `tophoto` says so.
            resolution: side of the picture: a smaller one ends before the finer blocks, the finish
                or the fovea (growing in training); None for the finished one.

        Returns:
            float32 [N, 3, R, R], about -1..1.
        """
        drawing = self.draw(w_plus, features, resolution=resolution)
        return self.assemble(drawing) if drawing.bands else drawing.image

    def draw(
        self,
        w_plus: Tensor,
        features: MappingABC[int, Tensor] | None = None,
        *,
        resolution: int | None = None,
    ) -> Drawing:
        """As `forward`, with mask, detail and bands, if there are any, not yet put together."""
        features = features or {}
        ws = list(w_plus.float().unbind(dim=1))
        x: Tensor | None = None
        image: Tensor | None = None
        mask: Tensor | None = None
        detail: Tensor | None = None
        finest: Tensor | None = None  # the same, as fine as the block in hand
        share: Tensor | None = None
        photo, taken = features.get(self.config.drawn_size), None
        for k, r in enumerate(self.config.resolutions):
            block = self.block(r)
            feature = features.get(r) if block.inject is not None else None
            if (
                x is not None
                and x.dtype != (wanted := self.block_dtype(r))
                and (not torch.is_autocast_enabled(x.device.type))
            ):
                x = x.to(wanted)
            if finest is not None and (feature is not None or block.tomask is not None):
                finest = self.enlarge.up_to(finest, r)
                feature = None if feature is None else resample(feature, finest)
            if photo is not None and detail is not None and r in self.config.photo_channels:
                taken = taken or Photo.take(photo, detail)
                feature = taken.at(r)
            # conv0 shares its index with the previous block's torgb (2k-5 = 2(k-1)-3).
            x, image = block(x, image, ws[:2] if k == 0 else ws[2 * k - 1 : 2 * k + 2], feature)
            if block.tomask is not None:
                mask = block.tomask(x)
                mask = mask if finest is None else mask + finest[:, 3:]
            if block.todetail is not None:
                finest = detail = block.todetail(x)
            if block.tophoto is not None:
                share = torch.sigmoid(block.tophoto(x))
            if r == resolution:
                break
        assert x is not None
        assert image is not None
        bands: tuple[Tensor, ...] = ()
        if taken is not None and share is not None:
            image, bands = self._finished(x, image, taken, share, resolution)
        elif photo is not None and share is not None:
            image = self._with_photo(image, photo, share, finest)
        return Drawing(image, mask, detail, share, bands)

    def _finished(
        self, x: Tensor, image: Tensor, photo: Photo, share: Tensor, resolution: int | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The picture and its bands, from the last block's features and picture."""
        last, detail = self.block(self.config.resolution), share * photo.detail
        assert last.finish is not None
        if resolution == self.config.resolution:  # in training, where the picture grows
            return image + detail.unflatten(1, (3, 4)).mean(2), ()
        image = last.finish(bordered(x), bordered(image), detail)
        if last.fovea is None or resolution == self.config.drawn_size:
            return image, ()
        return image, last.fovea(x, photo.halves, image)

    def _with_photo(
        self, image: Tensor, photo: Tensor, share: Tensor, finest: Tensor | None
    ) -> Tensor:
        """The picture with the photo's detail instead of its own where `share` says so."""
        side = image.shape[-1]
        if photo.shape[-1] != side:  # a smaller picture, in training
            photo = F.adaptive_avg_pool2d(photo, side)
        if finest is not None:
            photo = moved(photo, self.enlarge_moves.up_to(finest[:, :2], side))
        other = photo.float() - image
        return image + self.enlarge_share.up_to(share, side) * (other - surroundings(other))

    def assemble(self, drawing: Drawing) -> Tensor:
        """The finished picture of a drawing: its bands in the rest at twice its side.

        Returns:
            float32 [N, 3, R, R], R = `config.output_size`.
        """
        return self.fovea().assemble(enlarged(drawing.image, 2), drawing.bands)


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
        """Truncated styles `w_avg + psi * (w - w_avg)` for z [N, z_dim]: [N, num_ws, w_dim].

        Args:
            z: float32 [N, z_dim].
            truncation_psi: 1 for no truncation, 0 for the mean.
            truncation_cutoff: only indices below it are truncated; None for all.
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
