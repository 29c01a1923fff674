"""The data pack: small, close to the original, and refused when damaged."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.training.pairs.pack import read_pack, write_pack
from tests.engines.training.factory import tiny_pairs


def test_pairs_survive_packing(tmp_path: Path) -> None:
    pairs = tiny_pairs(6, 64)
    size = write_pack(pairs, tmp_path / "pairs.pack")
    assert size == (tmp_path / "pairs.pack").stat().st_size
    assert size < 0.5 * sum(getattr(pairs, n).nbytes for n in ("photo", "toon", "head"))
    opened = read_pack(tmp_path / "pairs.pack", tmp_path / "pairs")
    assert (len(opened), opened.size) == (6, 64)
    for name, room in (("photo", 4), ("toon", 4), ("head", 6)):
        a, b = (np.asarray(getattr(p, name)).astype(int) for p in (pairs, opened))
        assert a.shape == b.shape
        assert np.abs(a - b).mean() < room, name
    assert np.abs(opened.landmarks - pairs.landmarks).max() < 0.05
    assert np.allclose(opened.weight, pairs.weight)
    assert opened.warp.dtype == pairs.warp.dtype
    assert np.abs(opened.warp - pairs.warp).max() * 256 < 0.15
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pairs", "pairs.pack"]


def test_quality_is_a_choice(tmp_path: Path) -> None:
    pairs = tiny_pairs(4, 64)
    sizes = [write_pack(pairs, tmp_path / "a", quality=q) for q in (20, 95)]
    assert sizes[0] < sizes[1]


def test_packs_that_cannot_be_trusted_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.pack"
    with pytest.raises(ToonifyError, match="no data pack"):
        read_pack(path, tmp_path / "out")
    path.write_bytes(b"PK nonsense")
    with pytest.raises(ToonifyError, match="not a data pack or is damaged"):
        read_pack(path, tmp_path / "out")
    write_pack(tiny_pairs(2), path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"count": 2', b'"count": 9'))
    with pytest.raises(ToonifyError, match="damaged"):
        read_pack(path, tmp_path / "out")
    for values in ('{"format": "x", "version": 2}', '{"format": 3', '{"version": 1}', "[]"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pack.json", values)
        with pytest.raises(ToonifyError, match="damaged"):
            read_pack(path, tmp_path / "out")
    write_pack(tiny_pairs(2), path)
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    for name, held in (("toon/00001.webp", b""), ("landmarks.npy", b"no"), ("warp.npy", b"")):
        with zipfile.ZipFile(path, "w") as archive:
            for part, data in {**parts, name: held}.items():
                archive.writestr(part, data)
        with pytest.raises(ToonifyError, match="damaged"):
            read_pack(path, tmp_path / "out")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pack.json", '{"format": "toonify-pairs", "version": 1}')
    with pytest.raises(ToonifyError, match=r"version 1 where .* version 2 was expected"):
        read_pack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_pack(tiny_pairs(2), tmp_path / "pairs.pack")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ToonifyError, match="not empty"):
        read_pack(tmp_path / "pairs.pack", tmp_path / "out")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
