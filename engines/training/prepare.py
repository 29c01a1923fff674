"""Photo/toon pairs for training: a folder of portraits, drawn by the artist, as memory-mapped packs.

A pack is a folder of arrays that training maps into memory:

- ``photo.npy`` uint8 [N, P, P, 3] RGB, the aligned portraits;
- ``toon.npy``  uint8 [N, P, P, 3] RGB, the artist's drawings;
- ``head.npy``  uint8 [N, P/2, P/2], 255 inside the toon's head and hair;
- ``done.npy``  bool [N], which rows are drawn: an interrupted run continues where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.faces.person import PersonSegmenter
from engines.training.artist import LOOKS, Look, toonify

DRAWING_SIZE = 512  # the artist works at this size; packs are shrunk from it


class PrepareError(ToonifyError):
    """Training pairs cannot be made from what was given."""


@dataclass(frozen=True)
class Portraits:
    """Aligned portraits on disk with their landmarks."""

    paths: tuple[Path, ...]
    landmarks: NDArray[np.floating]  # [N, 478, 3] pixels of the 512 px picture

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> NDArray[np.uint8]:
        """RGB picture, uint8 [512, 512, 3]."""
        bgr = cv2.imread(str(self.paths[index]), cv2.IMREAD_COLOR)
        if bgr is None or bgr.shape != (DRAWING_SIZE, DRAWING_SIZE, 3):
            found = "no picture" if bgr is None else f"{bgr.shape[1]} x {bgr.shape[0]} pixels"
            raise PrepareError(
                f"An aligned {DRAWING_SIZE} px portrait was expected at {self.paths[index]}, found "
                f"{found}; remove it from the set or align it again."
            )
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def aligned_portraits(folder: Path) -> Portraits:
    """An aligned set: pictures and a ``faces.npz`` with ``names`` and ``landmarks``."""
    index = folder / "faces.npz"
    if not index.is_file():
        raise PrepareError(f"A set with faces.npz was expected in {folder}, found none.")
    with np.load(index, allow_pickle=False) as table:
        names, landmarks = table["names"], table["landmarks"].astype(np.float32)
    paths = tuple(folder / (name if Path(name).suffix else f"{name}.webp") for name in map(str, names))
    return Portraits(paths, landmarks)


@dataclass(frozen=True)
class Pair:
    """One row of a pack."""

    photo: NDArray[np.uint8]
    toon: NDArray[np.uint8]
    head: NDArray[np.uint8]


def draw_pair(
    rgb: NDArray[np.uint8],
    landmarks: NDArray[np.floating],
    segmenter: PersonSegmenter,
    look: Look,
    size: int,
) -> Pair:
    """Draw a portrait at full size and shrink photo, toon (``size``) and head mask (half of it)."""
    result = toonify(rgb, landmarks, person=segmenter.segment(rgb), look=look)

    def shrink(image: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
        return cv2.resize(image, (pixels, pixels), interpolation=cv2.INTER_AREA)

    return Pair(shrink(rgb, size), shrink(result.image, size), shrink(result.head, size // 2))


class Pack:
    """The arrays of a pack, created or continued."""

    def __init__(self, folder: Path, count: int, size: int, look: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        card = folder / "pack.json"
        wanted = {"count": count, "size": size, "look": look}
        if card.is_file() and json.loads(card.read_text()) != wanted:
            raise PrepareError(
                f"{folder} holds another pack ({card.read_text()}) than the one asked for "
                f"({json.dumps(wanted)}); choose another folder."
            )
        shapes: dict[str, tuple[int, ...]] = {
            "photo": (count, size, size, 3),
            "toon": (count, size, size, 3),
            "head": (count, size // 2, size // 2),
            "done": (count,),
        }
        self._arrays = {}
        for name, shape in shapes.items():
            path = folder / f"{name}.npy"
            mode = "r+" if card.is_file() and path.is_file() else "w+"
            dtype = np.bool_ if name == "done" else np.uint8
            self._arrays[name] = open_memmap(path, mode=mode, dtype=dtype, shape=shape)
        card.write_text(json.dumps(wanted))

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def write(self, row: int, pair: Pair) -> None:
        """Store a row and mark it as drawn."""
        for name in ("photo", "toon", "head"):
            self._arrays[name][row] = getattr(pair, name)
        self._arrays["done"][row] = True

    def missing(self) -> list[int]:
        """Rows still to draw."""
        return [int(row) for row in np.flatnonzero(~self._arrays["done"])]
