"""Aligned portraits on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.training.pairs.aligned import AlignedSet, aligned_before
from engines.training.pairs.arrays import write_table
from engines.training.pairs.pair_set import PrepareError
from engines.training.pairs.portraits import listing


def test_an_aligned_set_needs_a_name_for_each_face(tmp_path: Path) -> None:
    points = np.zeros((2, 478, 3), np.float16)
    write_table(tmp_path / "faces.npz", {"names": ["a", "b"], "landmarks": points})
    assert len(AlignedSet.open(tmp_path)) == 2
    write_table(tmp_path / "faces.npz", {"names": ["a"], "landmarks": points})
    with pytest.raises(ToonifyError, match="1 names for 2 faces"):
        AlignedSet.open(tmp_path)


def test_rare_poses_and_sources_are_weighted(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "faces.npz",
        names=["a.png", "b.png", "c"],
        landmarks=np.zeros((3, 478, 3), np.float16),
        source=["congress", "sfhq", "sfhq"],
        yaw=np.array([0.0, 40.0, 0.0]),
    )
    faces = AlignedSet.open(tmp_path)
    assert faces.weight.tolist() == [0.5, 2.0, 1.0]
    assert faces.paths[2].name == "c.webp"
    with pytest.raises(PrepareError, match=r"c\.webp"):
        faces.read(2)


def test_what_was_aligned_before_is_used_again(tmp_path: Path) -> None:
    picture, out = tmp_path / "a.png", tmp_path / "aligned"
    cv2.imwrite(str(picture), np.zeros((8, 8, 3), np.uint8))
    assert aligned_before(tmp_path, out) is None
    points = np.zeros((1, 478, 3), np.float32)
    table = {"names": ["a.png"], "landmarks": points, "left_out": ["wall.png"]}
    write_table(out / "faces.npz", {**table, "files": listing([picture])})
    before = aligned_before(tmp_path, out)
    assert before is not None
    assert before[0].paths == (out / "a.png",)
    assert before[1] == ("wall.png",)
    write_table(out / "faces.npz", {**table, "files": "another listing"})
    with pytest.raises(PrepareError, match="another folder for the pairs"):
        aligned_before(tmp_path, out)
    (out / "faces.npz").write_bytes(b"damaged")
    with pytest.raises(ToonifyError, match=r"delete .*aligned, and it is made again"):
        aligned_before(tmp_path, out)
