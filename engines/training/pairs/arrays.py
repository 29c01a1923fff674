"""Arrays on disk: checked when they are read, written completely or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.files import atomic_path

DAMAGE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)
"""What NumPy raises for damaged files."""
Sides = tuple[int | None, ...]


def map_array(path: Path, dtype: type[np.generic], shape: Sides, remedy: str) -> NDArray:
    """The array of a `.npy` file, mapped into memory.

    Args:
        path: the file.
        dtype: what it must hold.
        shape: its sides; None allows any length.
        remedy: what to do about a file that does not fit, after a semicolon.

    Raises:
        ToonifyError: when it is damaged or holds something else.
    """
    try:
        array: NDArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGE as error:
        raise ToonifyError(f"{path} {_trouble(error)}; {remedy}.") from error
    if array.dtype != dtype or not fits(array, shape):
        raise ToonifyError(
            f"{path} was expected to hold {np.dtype(dtype)} {in_words(shape)}, but holds "
            f"{array.dtype} {in_words(array.shape)}; {remedy}."
        )
    return array


def read_table(path: Path, needed: dict[str, Sides], remedy: str) -> dict[str, NDArray]:
    """All arrays of an `.npz` file by name.

    Args:
        path: the file.
        needed: names that must be there, each with its sides as in `map_array`.
        remedy: as in `map_array`.

    Raises:
        ToonifyError: when it is damaged or lacks one of them.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            table = dict(file)
    except (*DAMAGE, TypeError) as error:  # TypeError: an array, not a table
        raise ToonifyError(f"{path} {_trouble(error)}; {remedy}.") from error
    for name, shape in needed.items():
        if name not in table:
            raise ToonifyError(f"{path} was expected to hold {name!r}, which it lacks; {remedy}.")
        if not fits(table[name], shape):
            raise ToonifyError(
                f"{name!r} in {path} was expected to be {in_words(shape)}, but is "
                f"{in_words(table[name].shape)}; {remedy}."
            )
    return table


def write_table(path: Path, arrays: dict[str, Any], *, compressed: bool = False) -> None:
    """Write what `read_table` reads, whole or not at all; the folder is made if need be."""
    with atomic_path(path) as part, part.open("wb") as file:
        (np.savez_compressed if compressed else np.savez)(file, **arrays)


def _trouble(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    # NumPy's own message advises to unpickle unknown files, which would run code from them.
    return "is damaged or holds no plain arrays"


def fits(array: NDArray, shape: Sides) -> bool:
    """Whether an array has these sides."""
    return array.ndim == len(shape) and all(
        side in (None, length) for side, length in zip(shape, array.shape, strict=True)
    )


def in_words(shape: Sequence[int | None]) -> str:
    """Sides for a message: `10x32x32x3`."""
    return "x".join("any" if side is None else str(side) for side in shape) or "a single number"
