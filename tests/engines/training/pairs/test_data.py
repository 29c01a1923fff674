"""Training pairs and the batches made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from engines.errors import ToonifyError
from engines.training.learn.losses import shift_loss
from engines.training.pairs import augment
from engines.training.pairs.data import EYES, PairSet, Sampler, focus_map
from tests.engines.training.factory import smooth_pictures, tiny_pairs, write_pairs


def test_batches_have_the_promised_shapes() -> None:
    batch = Sampler(tiny_pairs(side=64), 6, seed=1, twins=2).draw()
    for images in (batch.crop, batch.photo, batch.toon):
        assert images.shape == (6, 3, 64, 64)
        assert images.dtype == torch.float32
        assert -1 <= images.min() < images.max() <= 1
    assert batch.head.shape == (6, 1, 64, 64)
    assert 0 <= batch.head.min() < batch.head.max() <= 1
    assert batch.focus.shape == (6, 1, 64, 64)
    assert batch.warp.shape == (6, 2, 64, 64)
    assert batch.shift.shape == (2, 2)


def test_the_seed_decides_and_the_state_goes_on() -> None:
    pairs = tiny_pairs()
    first, again, other = (Sampler(pairs, 4, seed=s, twins=1) for s in (1, 1, 2))
    a, b = first.draw(), again.draw()
    assert all(torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))
    assert not torch.equal(a.photo, other.draw().photo)
    state = first.rng.bit_generator.state
    expected = first.draw()
    other.rng.bit_generator.state = state
    assert torch.equal(other.draw().crop, expected.crop)


def test_twins_are_shifted_copies() -> None:
    sampler = Sampler(tiny_pairs(side=64), 6, seed=0, twins=3)
    for _ in range(3):
        batch = sampler.draw()
        assert batch.shift.any()
        for images in (batch.photo, batch.toon):
            assert shift_loss(images, batch.shift, 1.0) < 1e-3
        # The camera treats the two differently: that is what consistency is learned from.
        assert shift_loss(batch.crop, batch.shift, 1.0) > 5e-3


def test_the_warp_moves_with_the_pictures() -> None:
    photo = smooth_pictures(1, 128)[0]
    y, x = np.mgrid[0:64, 0:64].astype(np.float32) / 64 - 0.5
    bump = 0.05 * np.exp(-(x**2 + y**2) / 0.06)
    warp = np.stack([bump, -0.6 * bump], -1)

    def toon_of(photo: np.ndarray, warp: np.ndarray) -> np.ndarray:
        source = 128 * cv2.resize(warp, (128, 128)) + np.stack(
            np.meshgrid(*[np.arange(128)] * 2), -1
        )
        return cv2.remap(photo, source.astype(np.float32), None, cv2.INTER_CUBIC)

    rng, limits = np.random.default_rng(2), augment.GeometryRange(20, 0.1, 0.03, wild=1)
    for _ in range(4):
        move = augment.random_transform(rng, 128, limits)
        wanted = augment.warp(toon_of(photo, warp), move, 128)
        photo_too = augment.warp(photo, move, 128)
        found = toon_of(photo_too, augment.move_warp(warp, move, 128))
        inner = np.s_[32:96, 32:96]
        assert np.abs(found[inner].astype(int) - wanted[inner]).mean() < 1
        assert np.abs(photo_too[inner].astype(int) - wanted[inner]).mean() > 3


def test_weights_decide_how_often_a_pair_is_drawn() -> None:
    pairs = tiny_pairs(4)
    object.__setattr__(pairs, "weight", np.array([0.0, 0.0, 1.0, 0.0]))
    batch = Sampler(pairs, 8, seed=0, dyed=0, shaded=0).draw()
    means = batch.toon.mean((2, 3))
    assert (means - means[0]).abs().max() < 0.4  # one picture under eight lights
    assert len(pairs) == 4


def test_focus_is_highest_on_the_eyes() -> None:
    landmarks = np.full((478, 2), 50, np.float32)
    landmarks[list(EYES[0])] = (20, 24)
    landmarks[list(EYES[1])] = (44, 24)
    focus = focus_map(landmarks, 64)
    assert focus.shape == (64, 64)
    assert focus[24, 20] > 4
    assert focus[24, 44] > 4
    assert focus[2, 2] == pytest.approx(1, abs=0.05)


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
