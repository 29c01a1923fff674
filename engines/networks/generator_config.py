"""Sizes of a StyleGAN2 generator, and how they are read off its weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from engines.errors import ToonifyError
from engines.networks.sizes import MAX_CLAMP, MAX_LAYERS, MAX_WIDTH, RESOLUTIONS, check_size


@dataclass(frozen=True)
class GeneratorConfig:
    """Sizes of a generator.

    Attributes:
        resolution: output side in pixels, a power of two from 8 to 1024.
        channel_base, channel_max: block r has `min(channel_base // r, channel_max)` channels.
        mapping_layers: fully connected layers of the mapping network (8 in config-f).
        conv_clamp: activations are clamped to +- this value; None for models trained without.
        noise: per-pixel constant noise as in public models.
        feature_channels: (resolution, channels) of each encoder feature map taken in.
        mask_resolution: block that the soft mask is read from; 0 for none.
        detail_resolution: block that warp and gain of the finer feature maps are read from; 0 for
            none.
        photo_resolution: block that is read for where the finest detail is the photo's; 0 for none.
        finish: a plain convolution draws the picture at twice the side of the last block. The two
            finest blocks then take in the photo itself, in the toon's shape.
        fovea_channels: channels in which the eyes and the mouth are drawn once more, at twice the
            side of everything else; 0 for none.
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
    photo_resolution: int = 0
    finish: bool = False
    fovea_channels: int = 0

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
        if type(self.finish) is not bool:
            raise ToonifyError(f"finish must be true or false, not {self.finish!r:.40}.")
        check_size(what, "fovea_channels", self.fovea_channels, 0, MAX_WIDTH)
        if self.fovea_channels and not self.finish:
            raise ToonifyError("A generator with fovea_channels must have finish, too; set it.")
        if self.finish and not set(taken).isdisjoint(self.photo_channels):
            raise ToonifyError(
                f"A generator with finish takes the photo in at {sorted(self.photo_channels)}, so "
                f"no feature map may enter there."
            )
        for what in ("mask_resolution", "detail_resolution", "photo_resolution"):
            block = getattr(self, what)
            if block and block not in self.resolutions:
                raise ToonifyError(
                    f"{what} must be 0 or a block of the generator ({self.resolutions}), not "
                    f"{block!r:.40}."
                )
        plan = (self.resolution // 4, self.resolution)
        if self.finish and (self.detail_resolution, self.photo_resolution) != plan:
            raise ToonifyError(
                f"A {self.resolution} px generator with finish must have detail_resolution "
                f"{plan[0]} and photo_resolution {plan[1]}, not {self.detail_resolution} and "
                f"{self.photo_resolution}."
            )

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Side of every block, from 4 up."""
        return tuple(2**k for k in range(2, int(math.log2(self.resolution)) + 1))

    @property
    def gives_plan(self) -> bool:
        """Whether it says from where each place of its pictures takes the photo's detail."""
        return bool(self.finish and self.detail_resolution)

    @property
    def drawn_size(self) -> int:
        """Side of the picture without its fovea, pixels."""
        return self.resolution * (2 if self.finish else 1)

    @property
    def output_size(self) -> int:
        """Side of the finished picture, pixels."""
        return self.drawn_size * (2 if self.fovea_channels else 1)

    @property
    def takes_photo(self) -> bool:
        """Whether the picture's finest detail can be the photo's, of `drawn_size`."""
        return bool(self.photo_resolution)

    @property
    def photo_channels(self) -> dict[int, int]:
        """Resolution -> channels of the photo where blocks take it in, squares as channels."""
        if not self.finish:
            return {}
        return {self.resolution // 2: 48, self.resolution: 12}

    @property
    def num_ws(self) -> int:
        """How many style vectors the synthesis network takes: `2 log2(R) - 2`."""
        return 2 * len(self.resolutions)

    def channels(self, resolution: int) -> int:
        """Channel count of the block at `resolution`."""
        return min(self.channel_base // resolution, self.channel_max)

    @classmethod
    def from_state(
        cls, state: Mapping[str, Tensor], *, conv_clamp: float | None = 256.0
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
        finish = any(re.search(r"\.b\d+\.finish\.weight$", name) for name in state)
        features = tuple(
            sorted(
                (int(m[1]), t.shape[1])
                for name, t in state.items()
                if (m := re.fullmatch(r"synthesis\.b(\d+)\.inject\.weight", name))
                and not (finish and int(m[1]) >= resolution // 2)
            )
        )

        def block_with(part: str) -> int:
            """The first block that has the part, 0 for none."""
            found = (re.search(rf"\.b(\d+)\.{part}\.weight", name) for name in state)
            return next((int(match[1]) for match in found if match), 0)

        fovea = [t.shape[0] for n, t in state.items() if n.endswith(".fovea.draw.weight")]
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
            photo_resolution=block_with("tophoto"),
            finish=finish,
            fovea_channels=fovea[0] // 4 if fovea else 0,
        )
        wrong = [r for r in config.resolutions if blocks.get(r) != config.channels(r)]
        if wrong:
            raise ToonifyError(
                f"The channels of block {wrong[0]} ({blocks.get(wrong[0])}) do not follow "
                f"StyleGAN2's rule min(base / r, max); this architecture is not supported."
            )
        return config
