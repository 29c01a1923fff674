"""Augmentations keep shape and type, follow their seed, and move what they say they move."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import pytest

from engines.pictures import Image
from engines.training.pairs import augment
from tests.engines.training.factory import smooth_pictures

CHANGES: dict[str, Callable[[np.random.Generator, Image], Image]] = {
    "blur_motion": augment.blur_motion,
    "low_resolution": augment.low_resolution,
    "compress": augment.compress,
    "sensor": partial(augment.sensor, dim=False),
    "dim": partial(augment.sensor, dim=True),
    "occlude": augment.occlude,
    "webcam": augment.webcam,
}


@pytest.mark.parametrize("name", CHANGES)
def test_camera_changes(name: str) -> None:
    picture = smooth_pictures(1, 128)[0]
    before = picture.copy()
    results = [CHANGES[name](np.random.default_rng(seed), picture) for seed in range(6)]
    again = [CHANGES[name](np.random.default_rng(seed), picture) for seed in range(6)]
    assert np.array_equal(picture, before)
    assert any(not np.array_equal(result, picture) for result in results)
    for result, twin in zip(results, again, strict=True):
        assert result.shape == picture.shape
        assert result.dtype == np.uint8
        assert np.array_equal(result, twin)
    # A camera does not replace the picture.
    away = [np.abs(r.astype(int) - picture).mean() for r in results]
    assert np.median(away) < 70


def test_a_share_of_pictures_is_left_clear() -> None:
    picture = smooth_pictures(1, 32)[0]
    rng = np.random.default_rng(0)
    clear = [np.array_equal(augment.webcam(rng, picture), picture) for _ in range(400)]
    assert augment.CLEAR < np.mean(clear) < augment.CLEAR + 0.15


def test_dim_rooms_are_darker_and_noisier() -> None:
    picture = np.full((64, 64, 3), 150, np.uint8)
    rngs = [np.random.default_rng(seed) for seed in range(20)]
    dim = np.stack([augment.sensor(rng, picture, dim=True) for rng in rngs])
    bright = np.stack([augment.sensor(rng, picture, dim=False) for rng in rngs])
    assert dim.mean() < bright.mean() - 30
    assert dim.std((1, 2)).mean() > bright.std((1, 2)).mean()


def test_transforms_are_similarities_within_their_range() -> None:
    limits = augment.GeometryRange()
    rng = np.random.default_rng(0)
    mirrored = 0
    for _ in range(200):
        linear = augment.random_transform(rng, 100, limits)[:, :2]
        scale = np.sqrt(abs(np.linalg.det(linear)))
        assert abs(np.log(scale)) <= limits.scale + 1e-6
        assert np.allclose(linear @ linear.T, scale**2 * np.eye(2), atol=1e-5)
        mirrored += np.linalg.det(linear) < 0
    assert 60 < mirrored < 140


def test_a_rescaled_transform_moves_a_small_picture_alike() -> None:
    """Warping then shrinking equals shrinking then warping, away from the border."""
    picture = cv2.GaussianBlur(smooth_pictures(1, 128)[0], (0, 0), 4)
    rng = np.random.default_rng(2)
    for _ in range(5):
        move = augment.random_transform(rng, 128, augment.GeometryRange())
        large = cv2.resize(augment.warp(picture, move, 128), (32, 32), interpolation=cv2.INTER_AREA)
        shrunk = cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA)
        small = augment.warp(shrunk, augment.rescale_transform(move, 0.25), 32)
        difference = np.abs(large.astype(int) - small)[8:-8, 8:-8]
        assert difference.mean() < 2


def test_light_curves_keep_order() -> None:
    for seed in range(20):
        curve = augment.light_curve(np.random.default_rng(seed))
        assert curve.shape == (256, 3)
        assert curve.dtype == np.uint8
        assert (np.diff(curve.astype(int), axis=0) >= 0).all()
    picture = smooth_pictures(1, 16)[0]
    identity = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    assert np.array_equal(augment.apply_curve(picture, identity), picture)


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
