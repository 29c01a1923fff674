"""Clips are followed, and slips of the detector do not count."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engines.errors import ToonifyError
from engines.faces.people import people


def test_clips_are_followed(tmp_path: Path) -> None:
    from benchmarks.quality.motion import clip_crops

    with Image.open(people()[2]) as picture:
        head = picture.resize((240, 240))
    frames = [Image.new("RGB", (480, 270), (90, 100, 110)) for _ in range(24)]
    for number, frame in enumerate(frames):
        frame.paste(head, (20 + 8 * number, 10))
    clip = tmp_path / "head.gif"
    frames[0].save(clip, save_all=True, append_images=frames[1:], duration=40)
    crops = clip_crops(clip, 128)
    assert len(crops) > 20
    assert all(crop.shape == (128, 128, 3) for crop in crops[:3])


def test_a_slip_of_the_detector_is_no_movement() -> None:
    from benchmarks.quality.motion import movement

    still = np.random.default_rng(1).normal(0.003, 0.001, 60)
    slip, blink = still.copy(), still.copy()
    slip[20] += 0.3
    blink[20:23] += 0.3
    assert movement(slip) < 0.002 < slip.std()
    assert movement(blink) > 0.05


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    from benchmarks.quality.motion import clip_results

    judge: Any = SimpleNamespace(engine=SimpleNamespace(input_size=64))
    with pytest.raises(ToonifyError, match="found none"):
        clip_results(judge, tmp_path, [])
