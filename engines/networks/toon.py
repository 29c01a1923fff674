"""The network that is compiled: an aligned crop in, its toon out, bytes on both ends."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.errors import ToonifyError
from engines.finish import PLAIN, Finish
from engines.networks.encoder import Encoder
from engines.networks.fovea import BAND_NAMES, BANDS
from engines.networks.generator import Generator
from engines.networks.layers import Upsample2x

MAP_SIZE = 128  # masks and deformations are smooth


class Output(NamedTuple):
    """One result of a network: its name, its shape without the batch, and its type."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype


class ToonNetwork(nn.Module):
    """Encoder and synthesis network with colour, scale and layout handled inside.

    Args:
        encoder: takes crops of `encoder.config.input_size`.
        generator: face, toon or blended; its mapping network is not run.
        label: what a server calls it, such as film-comic; empty if it has no name.
        finish: what is done to live pictures of it.

    Raises:
        ToonifyError: when the two do not fit together.
    """

    def __init__(
        self,
        encoder: Encoder,
        generator: Generator,
        label: str = "",
        finish: Finish = PLAIN,
    ) -> None:
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
        if g.takes_photo and not (e.gives_crop and e.input_size == g.drawn_size):
            raise ToonifyError(
                f"The generator takes the detail of its {g.drawn_size} px pictures from the photo, "
                f"which the encoder must hand over in that size; use the encoder that was trained "
                f"for this generator."
            )
        self.encoder = encoder
        self.synthesis = generator.synthesis
        self.input_size = e.input_size
        self.drawn_size, self.output_size = g.drawn_size, g.output_size
        self.has_mask = bool(g.mask_resolution)
        self.has_detail = g.gives_plan
        self.has_bands = bool(g.fovea_channels)
        self.label = label
        # All but ink is found by the plan of detail.
        self.finish = finish if self.has_detail else Finish(inked=finish.inked)
        self.enlarge = Upsample2x(1, replicate=True)
        self.enlarge_moves = Upsample2x(2, replicate=True)
        self.eval().requires_grad_(False)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What `forward` returns, in order."""
        side, maps = self.drawn_size, self.map_size
        outputs = [Output("toons", (side, side, 3), torch.uint8)]
        if self.has_mask:
            outputs.append(Output("masks", (maps, maps), torch.uint8))
        if self.has_detail:
            outputs.append(Output("details", (3, maps, maps), torch.float32))
        if self.has_bands:
            shapes = [(*band.size(self.output_size), 3) for band in BANDS]
            outputs += [Output(*x, torch.uint8) for x in zip(BAND_NAMES, shapes, strict=True)]
        return tuple(outputs)

    @property
    def band_boxes(self) -> dict[str, tuple[slice, slice]]:
        """Rows and columns of each band in the finished toon, by its name in `outputs`."""
        if not self.has_bands:
            return {}
        boxes = (band.box(self.output_size) for band in BANDS)
        return dict(zip(BAND_NAMES, boxes, strict=True))

    @property
    def map_size(self) -> int:
        """Side of masks and details, pixels."""
        return min(self.drawn_size, MAP_SIZE)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Turn crops into toons.

        Args:
            crops: uint8 [N, S, S, 3] RGB, aligned as FFHQ.

        Returns:
            toons uint8 [N, D, D, 3] RGB, D = `drawn_size`;
            if `has_mask`, soft head masks uint8 [N, M, M] (255 = head and hair of the toon),
                M = `map_size`;
            if `has_detail`, float32 [N, 3, M, M]: where each place of the toon takes the photo's
                finest detail from, as an offset (x, y) in shares of the side, and how much of it,
                0..1;
            if `has_bands`, eyes and mouth of the toons at `output_size`, uint8 [N, h, w, 3] each.
        """
        dtype = next(self.encoder.parameters()).dtype
        x = crops.permute(0, 3, 1, 2).to(dtype) * (2 / 255) - 1
        w_plus, features = self.encoder(x)
        drawing = self.synthesis.draw(w_plus, features)
        results = [picture_bytes(drawing.image)]
        if drawing.mask is not None:
            mask = fitted(drawing.mask, self.map_size, self.enlarge)
            results.append(to_bytes(torch.sigmoid(mask)[:, 0] * 255))
        if self.has_detail:
            assert drawing.detail is not None
            assert drawing.photo_share is not None
            moves = fitted(drawing.detail[:, :2], self.map_size, self.enlarge_moves)
            share = fitted(drawing.photo_share, self.map_size, self.enlarge)
            results.append(torch.cat([moves, share], 1))
        if self.has_bands:
            results += [picture_bytes(band) for band in drawing.bands]
        return tuple(results)


def fitted(x: Tensor, side: int, enlarge: Upsample2x) -> Tensor:
    """`x` [N, C, H, H] doubled with `enlarge`, or averaged, to `side`."""
    factor = x.shape[-1] // side
    return F.avg_pool2d(x, factor) if factor > 1 else enlarge.up_to(x, side)


def picture_bytes(image: Tensor) -> Tensor:
    """Pictures [N, 3, H, W], about -1..1, as uint8 [N, H, W, 3]."""
    return to_bytes(image.permute(0, 2, 3, 1) * 127.5 + 127.5)


def to_bytes(x: Tensor) -> Tensor:
    """Round to the nearest of 0..255: uint8."""
    return (x + 0.5).clamp(0, 255).to(torch.uint8)
