"""The room as a painting."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.room import painted
from realtime.sources.sitters import portrait


def textured(noise: float = 14.0) -> Image:
    """Two grainy walls that meet in an edge."""
    wall = np.full((240, 320, 3), (70, 90, 110), np.uint8)
    wall[:, 160:] = (150, 170, 190)
    grain = np.random.default_rng(5).normal(0, noise, wall.shape[:2])[..., None]
    return np.clip(wall + grain, 0, 255).astype(np.uint8)


def test_texture_goes_and_edges_stay() -> None:
    before = textured()
    after = painted(before)
    assert after.shape == before.shape
    assert after.dtype == np.uint8
    assert after[:, 20:140, 1].std() < 0.45 * before[:, 20:140, 1].std()
    column = after[:, :, 1].astype(float).mean(0)
    assert column[164] - column[155] > 0.85 * 80  # within nine pixels, as before
    assert column[:150].mean() == pytest.approx(90, abs=2)


def test_colours_stay_on_their_side_of_an_edge() -> None:
    before = np.full((200, 200, 3), (40, 40, 200), np.uint8)
    before[:, 100:] = (200, 40, 40)
    after = painted(before).astype(int)
    for part in (np.s_[:, :94], np.s_[:, 106:]):
        assert np.abs(after[part] - before[part]).max() < 6


def test_noise_of_a_camera_flickers_less_than_in_its_picture() -> None:
    still = as_uint8(cv2.resize(portrait(), (384, 384), interpolation=cv2.INTER_AREA))
    frames = [
        np.clip(still + np.random.default_rng(n).normal(0, 4, still.shape), 0, 255).astype(np.uint8)
        for n in range(2)
    ]
    first, second = (painted(frame) for frame in frames)
    raw = float(np.abs(frames[0].astype(int) - frames[1]).mean())
    assert np.abs(first.astype(int) - second).mean() < 0.6 * raw


def test_large_frames_are_painted_as_broadly_and_keep_their_size() -> None:
    small = as_uint8(cv2.resize(textured(), (640, 360)))
    large = as_uint8(cv2.resize(small, (1920, 1080), interpolation=cv2.INTER_CUBIC))
    done = painted(large)
    assert done.shape == large.shape
    back = cv2.resize(done, (640, 360), interpolation=cv2.INTER_AREA)
    assert np.abs(back.astype(int) - painted(small)).mean() < 4


@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (50, 3)])
def test_tiny_frames_break_nothing(shape: tuple[int, int]) -> None:
    frame = np.full((*shape, 3), (10, 120, 230), np.uint8)
    assert np.abs(painted(frame).astype(int) - frame).max() <= 3
