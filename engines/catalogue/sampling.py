"""Random characters: pictures of a model's generators that are of nobody.

Only a model with a trained mapping network has them, as every public StyleGAN2 checkpoint does. The
seeds are those of NVIDIA's `generate.py`: the same seed and truncation give the same person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from engines.bundle import Bundle
from engines.errors import ToonifyError, UsageError
from engines.networks.toon import to_bytes
from engines.pictures import Image

MOST_SEEDS = 256  # of one sheet
MIX_ROWS = 4  # seeds that give the rows of a mixing table
LABEL = 26  # px above a picture of a sheet, for its seed
CELL = 256  # px, side of a picture of a sheet


class NoCharactersError(ToonifyError):
    """A model that draws from photos only."""


class Characters:
    """Draws random characters of one style.

    Args:
        bundle: the model; it needs no encoder.
        style: one of its styles; None for its default.
        swap: resolution at which toon and person switch; None for the style's own.

    Raises:
        NoCharactersError: the model has no trained mapping network.
        UsageError: there is no such style or resolution.
    """

    def __init__(self, bundle: Bundle, style: str | None = None, swap: int | None = None) -> None:
        check_characters(bundle)
        name = style or bundle.styles[0]
        spec = None
        if swap is not None and name in bundle.card.styles:
            spec = replace(bundle.card.styles[name].blend, swap_resolution=swap)
        self._generator = bundle.generator(name, spec)
        self.resolution = bundle.card.generator.resolution

    @torch.inference_mode()
    def draw(
        self, seed: int, truncation: float = 0.7, *, other: int | None = None, mix: int = 8
    ) -> Image:
        """One character.

        Args:
            seed: which one, 0 to 2^32 - 1.
            truncation: 1 for all variety, 0 for the mean face.
            other: a second seed, whose styles are taken from the resolution `mix` on (style mixing,
                Karras et al., arXiv 1812.04948): `seed` gives pose and shape, `other` the rest.
            mix: a power of two, 4 to the model's resolution.

        Returns:
            uint8 [R, R, 3] RGB.

        Raises:
            UsageError: one of the values is not valid.
        """
        self.check(seed, truncation, other=other, mix=mix)
        styles = self._styles(seed, truncation)
        if other is not None:
            cut = max(2 * (mix.bit_length() - 3) - 1, 0)  # the first style of that block: conv0's
            styles = torch.cat([styles[:, :cut], self._styles(other, truncation)[:, cut:]], dim=1)
        picture = self._generator.synthesis(styles)[0].permute(1, 2, 0)
        return to_bytes(picture * 127.5 + 127.5).numpy()

    def check(
        self, seed: int, truncation: float = 0.7, *, other: int | None = None, mix: int = 8
    ) -> None:
        """Raises what `draw` would, without drawing."""
        for one in (seed, other):
            if one is not None and not 0 <= one < 2**32:
                raise UsageError(f"A seed must be 0 to {2**32 - 1}, not {one}.")
        if not 0 <= truncation <= 2:
            raise UsageError(f"truncation must lie between 0 and 2, not {truncation}.")
        if mix & (mix - 1) or not 4 <= mix <= self.resolution:
            raise UsageError(
                f"mix must be a power of two from 4 to {self.resolution}, the model's resolution, "
                f"not {mix}."
            )

    def _styles(self, seed: int, truncation: float) -> Tensor:
        width = self._generator.config.z_dim
        z = torch.from_numpy(np.random.RandomState(seed).randn(1, width))
        return self._generator.w_plus(z.float(), truncation)


def check_characters(bundle: Bundle) -> None:
    """Refuse a model that has no random characters.

    A mapping network that was never trained has the biases that it began with, all zero.

    Raises:
        NoCharactersError: it draws from photos only.
    """
    if not any(
        bool(value.any())
        for name, value in bundle.face.items()
        if re.fullmatch(r"mapping\.fc\d+\.bias", name)
    ):
        raise NoCharactersError(
            f"{bundle.card.name} draws from photos only; random characters need a model with a "
            "trained mapping network, such as a StyleGAN2 that `toonify models import` has made."
        )


def parse_seeds(text: str) -> list[int]:
    """ "0-3,8" as [0, 1, 2, 3, 8].

    Raises:
        UsageError: it is not written like that, or there are too many.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,10})(?:\s*-\s*(\d{1,10}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise UsageError(f"Seeds look like 0-23 or 3,5,8-11, not {text!r}.")
        if len(seeds) + last - first >= MOST_SEEDS:
            raise UsageError(f"At most {MOST_SEEDS} seeds are drawn at once; {text!r} has more.")
        seeds += range(first, last + 1)
    return seeds


def sheet_of(
    characters: Characters, seeds: Sequence[int], truncation: float, mix: int | None
) -> tuple[int, Iterator[tuple[str, Image]], int]:
    """What a contact sheet shows.

    Without `mix` it has one picture for each seed, six in a row. With it, it is a table: the first
    seeds (four, or half of them) give the rows' shape, the others the columns' rest; the characters
    themselves stand at its left and upper edge.

    Returns:
        How many pictures, each with its label, as they are drawn; and how many stand in a row.

    Raises:
        UsageError: a value is not valid.
    """
    for seed in seeds:
        characters.check(seed, truncation, mix=mix or 8)
    if mix is None:
        alone = ((str(seed), characters.draw(seed, truncation)) for seed in seeds)
        return len(seeds), alone, min(6, len(seeds))
    if len(seeds) < 2:
        raise UsageError("Mixing takes two seeds or more, like 0-23.")
    count = min(MIX_ROWS, len(seeds) // 2)
    rows, columns = seeds[:count], seeds[count:]

    def table() -> Iterator[tuple[str, Image]]:
        side = characters.resolution
        yield f"mix at {mix}", np.full((side, side, 3), 255, np.uint8)
        for column in columns:
            yield str(column), characters.draw(column, truncation)
        for row in rows:
            yield str(row), characters.draw(row, truncation)
            for column in columns:
                mixed = characters.draw(row, truncation, other=column, mix=mix)
                yield f"{row} + {column}", mixed

    return (count + 1) * (len(columns) + 1), table(), len(columns) + 1


def lay_out(pictures: Sequence[tuple[str, Image]], across: int) -> Image:
    """Labelled pictures in rows of `across`, each at most 256 pixels wide: uint8 [H, W, 3] RGB."""
    cells = []
    for label, picture in pictures:
        side = min(picture.shape[0], CELL)
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        cell = cv2.copyMakeBorder(small, LABEL, 4, 2, 2, cv2.BORDER_CONSTANT, value=(255,) * 3)
        place = (4, LABEL - 8)
        cv2.putText(cell, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30,) * 3, 1, cv2.LINE_AA)
        cells.append(cell)
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % across)
    rows = [np.hstack(cells[start : start + across]) for start in range(0, len(cells), across)]
    return np.vstack(rows).astype(np.uint8)
