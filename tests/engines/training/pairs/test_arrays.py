"""Arrays on disk, and damaged ones."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.training.pairs.arrays import map_array, read_table, write_table


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_arrays_are_mapped_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(6, dtype=np.int16).reshape(2, 3))
    array = map_array(path, np.int16, (None, 3), "make it again")
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ToonifyError, match="int16 2x2, but holds int16 2x3; make it again"):
        map_array(path, np.int16, (2, 2), "make it again")
    with pytest.raises(ToonifyError, match="float32 anyx3, but holds int16"):
        map_array(path, np.float32, (None, 3), "make it again")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ToonifyError, match=r"a\.npy is damaged or .*; make it again"):
        map_array(path, np.int16, (None, 3), "make it again")


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: path.write_bytes(b"PK\x03\x04 and nonsense"), "is damaged"),
        (lambda path: path.write_bytes(npy(np.zeros(3))), "is damaged"),
        (lambda path: write_table(path, {"a": np.array([None])}), "is damaged"),
        (lambda path: write_table(path, {"b": np.zeros(3)}), "'a', which it lacks"),
        (lambda path: write_table(path, {"a": np.zeros((3, 2))}), "to be any, but is 3x2"),
        (lambda path: write_table(path, {"a": np.zeros(())}), "but is a single number"),
    ],
)
def test_tables_that_do_not_fit_are_told(
    tmp_path: Path, write: Callable[[Path], None], told: str
) -> None:
    path = tmp_path / "t.npz"
    write_table(path, {"a": np.zeros(3)})
    assert read_table(path, {"a": (None,)}, "delete it")["a"].shape == (3,)
    write(path)
    with pytest.raises(ToonifyError, match=rf"{told}.*; delete it\."):
        read_table(path, {"a": (None,)}, "delete it")
