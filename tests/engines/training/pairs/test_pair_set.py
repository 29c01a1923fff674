"""Folders of training pairs, written and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.training.pairs.pair_set import Pair, PairFolder, PairSet, PrepareError, spread_over
from tests.engines.training.factory import tiny_pairs, write_pairs


def test_a_folder_is_drawn_row_by_row_and_then_opened(tmp_path: Path) -> None:
    pairs, task = tiny_pairs(2), {"drawn": "by hand"}
    rows = [
        Pair(
            *(pairs.photo[i], pairs.toon[i], pairs.head[i, ::2, ::2]),
            *(pairs.landmarks[i], pairs.warp[i]),
        )
        for i in range(2)
    ]
    folder = PairFolder(tmp_path, 2, 32, task)
    assert folder.missing() == [0, 1]
    folder.write(1, rows[1])
    again = PairFolder(tmp_path, 2, 32, task)
    assert again.missing() == [0]
    again.write(0, rows[0])
    opened = PairSet.open(tmp_path)
    assert np.array_equal(opened.photo, pairs.photo)
    assert np.array_equal(opened.warp, pairs.warp)
    assert opened.weight.tolist() == [0.5, 0.5]
    assert again.sheet().shape == (192, 8 * 194 - 2, 3)
    for other in ((3, 32, task), (2, 64, task), (2, 32, {"drawn": "by example"})):
        with pytest.raises(PrepareError, match=r"holds other pairs .*; choose another folder"):
            PairFolder(tmp_path, *other)


def test_numbers_are_spread_evenly() -> None:
    assert spread_over(9, 3).tolist() == [0, 4, 8]
    assert spread_over(3, 9).tolist() == [0, 1, 2]


def test_pairs_that_are_not_all_drawn_are_refused(tmp_path: Path) -> None:
    folder = write_pairs(tiny_pairs(), tmp_path)
    done = np.ones(10, bool)
    np.save(folder / "done.npy", done)
    assert len(PairSet.open(folder)) == 10
    done[3:7] = False
    np.save(folder / "done.npy", done)
    with pytest.raises(ToonifyError, match=r"Only 6 of the 10 pairs .* prepare' again"):
        PairSet.open(folder)


def test_a_folder_of_pairs_opens(tmp_path: Path) -> None:
    pairs = tiny_pairs()
    opened = PairSet.open(write_pairs(pairs, tmp_path))
    assert (len(opened), opened.size) == (10, 32)
    assert np.array_equal(opened.toon, pairs.toon)
    (tmp_path / "toon.npy").unlink()
    with pytest.raises(ToonifyError, match=r"toon\.npy, which is missing"):
        PairSet.open(tmp_path)


def cut_short(folder: Path) -> None:
    path = folder / "photo.npy"
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (cut_short, r"photo\.npy is damaged"),
        (lambda folder: (folder / "warp.npy").write_bytes(b"no"), r"warp\.npy is damaged"),
        (lambda folder: np.save(folder / "toon.npy", np.zeros((3, 32, 32, 3), np.uint8)), "10x32x"),
        (lambda folder: np.save(folder / "head.npy", np.zeros((10, 16, 16))), "uint8 10xanyxany"),
        (lambda folder: np.save(folder / "photo.npy", np.zeros((10, 9, 8, 3), np.uint8)), "square"),
        (lambda folder: np.save(folder / "weight.npy", np.full(10, np.nan)), "shares of 0 or more"),
        (lambda folder: np.save(folder / "weight.npy", np.zeros(10)), "some above 0"),
        (lambda folder: np.save(folder / "done.npy", np.ones(7, bool)), "bool 10, but"),
    ],
)
def test_a_damaged_folder_is_told_in_a_sentence(
    tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    harm(write_pairs(tiny_pairs(), tmp_path))
    with pytest.raises(ToonifyError, match=told):
        PairSet.open(tmp_path)
