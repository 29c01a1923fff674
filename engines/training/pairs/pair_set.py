"""A folder of training pairs: drawn into row by row, then mapped into memory.

- `photo.npy` uint8 [N, S, S, 3] RGB, the aligned portraits;
- `toon.npy` uint8 [N, S, S, 3] RGB, their drawings;
- `head.npy` uint8 [N, M, M], 255 inside the toon's head and hair; drawn with M = S / 2;
- `landmarks.npy` float32 [N, 478, 2], pixels of the S px photo;
- `warp.npy` float16 [N, 64, 64, 2], where the photo shows what the toon shows at each place;
- `weight.npy` float64 [N], how often a pair is drawn in training; optional;
- `done.npy` bool [N], which rows are finished: an interrupted run continues from there;
- `task.json`, what is being drawn: a folder never mixes two tasks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.training.pairs.arrays import Sides, in_words, map_array
from engines.training.show.sheets import contact_sheet

WARP_GRID = 64
SHEET_ROWS, SHEET_PAIRS = 6, 4
_ANEW = "run 'toonify train prepare' into another folder"


class PrepareError(ToonifyError):
    """The input cannot be made into training pairs."""


@dataclass(frozen=True)
class PairSet:
    """Photos and their toons, aligned alike.

    Attributes:
        photo, toon: uint8 [N, S, S, 3] RGB.
        head: uint8 [N, M, M] soft head masks of the toons.
        landmarks: float32 [N, 478, 2] in pixels of the S px photo.
        warp: float16 [N, 64, 64, 2], the toon's shape: the offset (x, y) from each place of the
            toon to the place of the photo that shows the same thing, 1 = the picture's side.
        weight: float64 [N], how often each pair is drawn, sum 1.
    """

    photo: NDArray[np.uint8]
    toon: NDArray[np.uint8]
    head: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    warp: NDArray[np.float16]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.photo)

    @property
    def size(self) -> int:
        """Side of the pictures in pixels."""
        return int(self.photo.shape[1])

    @classmethod
    def open(cls, folder: Path) -> PairSet:
        """Map a folder made by `toonify train prepare` into memory.

        Raises:
            ToonifyError: when a file is missing or damaged, the files do not belong together, or
                not all pairs are drawn.
        """
        photo = _array(folder, "photo", np.uint8, (None, None, None, 3))
        n, size = photo.shape[:2]
        if n == 0 or photo.shape[2] != size:
            raise ToonifyError(
                f"{folder / 'photo.npy'} should hold square pictures, but its shape is "
                f"{in_words(photo.shape)}; {_ANEW}."
            )
        arrays = {
            "photo": photo,
            "toon": _array(folder, "toon", np.uint8, photo.shape),
            "head": _array(folder, "head", np.uint8, (n, None, None)),
            "landmarks": _array(folder, "landmarks", np.float32, (n, 478, 2)),
            "warp": _array(folder, "warp", np.float16, (n, WARP_GRID, WARP_GRID, 2)),
        }
        if (folder / "done.npy").is_file():
            drawn = _array(folder, "done", np.bool_, (n,))
            if not drawn.all():
                raise ToonifyError(
                    f"Only {np.count_nonzero(drawn)} of the {n} pairs in {folder} are drawn; run "
                    f"'toonify train prepare' again to draw the rest."
                )
        weight = np.ones(n)
        if (folder / "weight.npy").is_file():
            weight = np.asarray(_array(folder, "weight", np.float64, (n,)))
            if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
                raise ToonifyError(
                    f"{folder / 'weight.npy'} should hold shares of 0 or more, and some above 0, "
                    f"but does not; {_ANEW}."
                )
        return cls(**arrays, weight=weight / weight.sum())


@dataclass(frozen=True)
class Pair:
    """One row of a folder of pairs; shapes as in `PairSet`, without N."""

    photo: NDArray[np.uint8]
    toon: NDArray[np.uint8]
    head: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    warp: NDArray[np.float16]


class PairFolder:
    """The arrays of a folder of pairs, open for writing."""

    def __init__(self, folder: Path, count: int, size: int, task: dict[str, object]) -> None:
        """Create the arrays, or continue those that are there.

        Args:
            folder: where the arrays go.
            count: number of pairs.
            size: side of photo and toon in pixels.
            task: what is drawn, as plain values.

        Raises:
            PrepareError: when the folder holds another task.
        """
        folder.mkdir(parents=True, exist_ok=True)
        task_file = folder / "task.json"
        wanted = {"pairs": count, "size": size, **task}
        again = task_file.is_file()
        if again and json.loads(task_file.read_text("utf-8")) != wanted:
            raise PrepareError(
                f"{folder} holds other pairs ({task_file.read_text('utf-8')}) than were asked for "
                f"({json.dumps(wanted)}); choose another folder."
            )
        self.arrays = {
            name: open_memmap(
                folder / f"{name}.npy", mode="r+" if again else "w+", dtype=dtype, shape=shape
            )
            for name, dtype, shape in (
                ("photo", np.uint8, (count, size, size, 3)),
                ("toon", np.uint8, (count, size, size, 3)),
                ("head", np.uint8, (count, size // 2, size // 2)),
                ("landmarks", np.float32, (count, 478, 2)),
                ("warp", np.float16, (count, WARP_GRID, WARP_GRID, 2)),
                ("done", np.bool_, (count,)),
            )
        }
        # Written last: where there is a task file, all arrays are complete.
        task_file.write_text(json.dumps(wanted), "utf-8")

    def write(self, row: int, pair: Pair) -> None:
        """Store a row, then mark it as finished."""
        for name, value in vars(pair).items():
            self.arrays[name][row] = value
        self.arrays["done"][row] = True

    def missing(self) -> list[int]:
        """Rows still to draw."""
        return [int(row) for row in np.flatnonzero(~self.arrays["done"])]

    def sheet(self) -> NDArray[np.uint8]:
        """Photo and toon of some pairs, spread over the folder: uint8 [H, W, 3] RGB."""
        chosen = spread_over(len(self.arrays["done"]), SHEET_ROWS * SHEET_PAIRS)
        cells = [self.arrays[name][row] for row in chosen for name in ("photo", "toon")]
        cells += [np.full_like(cells[0], 255)] * (-len(cells) % (2 * SHEET_PAIRS))
        width = 2 * SHEET_PAIRS
        return contact_sheet([cells[i : i + width] for i in range(0, len(cells), width)], side=192)


def spread_over(total: int, count: int) -> NDArray[np.int_]:
    """`count` of the numbers below `total`, evenly spread; all of them if there are fewer."""
    return np.linspace(0, total - 1, min(total, count)).astype(int)


def _array(folder: Path, name: str, dtype: type[np.generic], shape: Sides) -> NDArray:
    path = folder / f"{name}.npy"
    if not path.is_file():
        raise ToonifyError(
            f"{folder} was expected to hold {name}.npy, which is missing; run 'toonify train "
            f"prepare' into it first."
        )
    return map_array(path, dtype, shape, _ANEW)
