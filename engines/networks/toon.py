"""The network that is compiled: an aligned crop in, its toon out, bytes on both ends."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.errors import ToonifyError
from engines.networks.encoder import Encoder
from engines.networks.generator import Generator
from engines.networks.layers import Upsample2x


class ToonNetwork(nn.Module):
    """Encoder and synthesis network with colour, scale and layout handled inside.

    Args:
        encoder: takes crops of `encoder.config.input_size`.
        generator: face, toon or blended; its mapping network is not run.
        label: what a server calls it, such as film-256-film; empty if it has no name.

    Raises:
        ToonifyError: when the two do not fit together.
    """

    def __init__(self, encoder: Encoder, generator: Generator, label: str = "") -> None:
        super().__init__()
        e, g = encoder.config, generator.config
        if (e.num_ws, e.w_dim) != (g.num_ws, g.w_dim):
            raise ToonifyError(
                f"The encoder makes {e.num_ws} styles of {e.w_dim}, but the generator takes "
                f"{g.num_ws} of {g.w_dim}; use the encoder that was trained for this generator."
            )
        missing = set(g.feature_channels) - set(e.feature_channels)
        if missing:
            raise ToonifyError(
                f"The generator wants feature maps (resolution, channels) {sorted(missing)} that "
                f"the encoder does not make; use the encoder that was trained for this generator."
            )
        if g.photo_resolution and not (e.gives_crop and e.input_size == g.resolution):
            raise ToonifyError(
                f"The generator takes the detail of its {g.resolution} px pictures from the photo, "
                f"which the encoder must hand over in that size; use the encoder that was trained "
                f"for this generator."
            )
        self.encoder = encoder
        self.synthesis = generator.synthesis
        self.input_size = e.input_size
        self.output_size = g.resolution
        self.has_mask = bool(g.mask_resolution)
        self.label = label
        self.enlarge = Upsample2x(1, replicate=True)
        self.eval().requires_grad_(False)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        """Turn crops into toons.

        Args:
            crops: uint8 [N, S, S, 3] RGB, aligned as FFHQ.

        Returns:
            toons uint8 [N, R, R, 3] RGB and, if `has_mask`, soft head masks uint8 [N, R, R]
            (255 = head and hair of the toon).
        """
        dtype = next(self.encoder.parameters()).dtype
        x = crops.permute(0, 3, 1, 2).to(dtype) * (2 / 255) - 1
        w_plus, features = self.encoder(x)
        image, mask, _ = self.synthesis.draw(w_plus, features)
        toons = to_bytes(image.permute(0, 2, 3, 1) * 127.5 + 127.5)
        if mask is None:
            return toons
        mask = self.enlarge.up_to(mask, self.output_size)
        return toons, to_bytes(torch.sigmoid(mask)[:, 0] * 255)


def to_bytes(x: Tensor) -> Tensor:
    """Round to the nearest of 0..255: uint8."""
    return (x + 0.5).clamp(0, 255).to(torch.uint8)
