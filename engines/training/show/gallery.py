"""Sheets that show how a bundle draws people it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.outputs import HostOutputs
from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.networks.toon import ToonNetwork
from engines.pictures import write_png
from engines.training.pairs.sampler import shrunk
from engines.training.show.sheets import contact_sheet

Images = NDArray[np.uint8]
SWAPS = (8, 16, 32, 64)


@torch.no_grad()
def draw(network: ToonNetwork, crops: Images, batch: int = 8) -> Images:
    """Toons uint8 [N, R, R, 3] of aligned crops uint8 [N, S, S, 3], which may be too large."""
    memory, toons = HostOutputs(network, batch), []
    small = np.stack([shrunk(crop, network.input_size) for crop in crops])
    for part in torch.from_numpy(small).split(batch):
        for tensor, result in zip(memory.tensors, network(part), strict=True):
            tensor[: len(part)].copy_(result)
        toons.append(memory.engine_output(len(part)).images.copy())
    return np.concatenate(toons)


def people_sheet(
    bundle: Bundle, crops: Images, artist: Images | None = None, side: int = 192
) -> NDArray[np.uint8]:
    """One row per person: photo, the face model's reconstruction, the artist's toon, each style.

    Args:
        bundle: the model.
        crops: uint8 [N, S, S, 3] RGB.
        artist: the artist's toons of the same people; None leaves out the column.
        side: of each picture on the sheet, pixels.
    """
    face = draw(bundle.network(spec=BlendSpec(swap_resolution=None, strength=0.0)), crops)
    columns: list[tuple[str, Sequence[NDArray[np.uint8]]]] = [
        ("photo", list(crops)),
        ("face model", list(face)),
    ]
    if artist is not None:
        columns.append(("artist", list(artist)))
    columns += [(style, list(draw(bundle.network(style), crops))) for style in bundle.styles]
    rows = list(zip(*(pictures for _, pictures in columns), strict=True))
    return contact_sheet(rows, labels=[label for label, _ in columns], side=side)


def swap_sheet(
    bundle: Bundle, crops: Images, style: str | None = None, side: int = 150
) -> NDArray[np.uint8]:
    """One row per person: layer swaps between the face model and the toon model, both ways.

    "toon < 16" takes the toon model's layers below 16 px (the shape) and the face model's from
    there on; "toon >= 16" is the other way round.
    """
    whole = BlendSpec(swap_resolution=None)
    plans = [("photo", None), ("face model", replace(whole, strength=0.0))]
    swaps = [r for r in SWAPS if r <= bundle.card.generator.resolution]
    plans += [(f"toon < {r}", BlendSpec(swap_resolution=r, low="toon")) for r in swaps]
    plans += [(f"toon >= {r}", BlendSpec(swap_resolution=r, low="face")) for r in swaps[::-1]]
    plans += [("toon model", whole)]
    columns = [
        crops if spec is None else draw(bundle.network(style, spec=spec), crops)
        for _, spec in plans
    ]
    return contact_sheet(
        list(zip(*columns, strict=True)), labels=[label for label, _ in plans], side=side
    )


def write_gallery(bundle: Bundle, crops: Images, artist: Images | None, folder: Path) -> list[Path]:
    """Write `people.png` and `swaps.png`, and return their paths."""
    sheets = {"people": people_sheet(bundle, crops, artist), "swaps": swap_sheet(bundle, crops[:6])}
    for name, sheet in sheets.items():
        write_png(folder / f"{name}.png", sheet)
    return [folder / f"{name}.png" for name in sheets]
