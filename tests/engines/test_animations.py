"""Animated pictures: every frame, its time and its transparency, read and written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from engines import animations
from engines.animations import AnimationFrame, find_animation, write_animation
from engines.files import WriteError
from engines.pictures import PictureError


def frames_of(*shades: int, clear: bool = False) -> list[AnimationFrame]:
    found = []
    for number, shade in enumerate(shades):
        alpha = np.full((24, 32), 255, np.uint8)
        alpha[:, :8] = 0
        rgb = np.full((24, 32, 3), shade, np.uint8)
        found.append(AnimationFrame(rgb, alpha if clear else None, 50 + 50 * number))
    return found


@pytest.mark.parametrize("clear", [False, True], ids=["opaque", "clear"])
@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_what_is_written_is_read(tmp_path: Path, suffix: str, clear: bool) -> None:
    path = tmp_path / f"a{suffix}"
    wanted = frames_of(40, 120, 200, clear=clear)
    write_animation(path, wanted, 0)
    animation = find_animation(path)
    assert animation is not None
    assert (animation.count, animation.loop) == (3, 0)
    found = list(animation.frames())
    assert [frame.duration for frame in found] == [50, 100, 150]
    for one, other in zip(found, wanted, strict=True):
        assert np.abs(one.rgb[:, 8:].astype(int) - other.rgb[:, 8:]).max() <= 6
        assert (one.alpha is None) == (not clear)
        if one.alpha is not None:
            assert (one.alpha == other.alpha).all()


def test_a_picture_for_those_who_know_no_animations_is_no_frame(tmp_path: Path) -> None:
    shown = [PillowImage.new("RGB", (8, 8), colour) for colour in ("black", "red", "blue")]
    shown[0].save(tmp_path / "a.png", save_all=True, append_images=shown[1:], default_image=True)
    animation = find_animation(tmp_path / "a.png")
    assert animation is not None
    assert animation.count == 2
    found = [frame.rgb[0, 0].tolist() for frame in animation.frames()]
    assert found == [[255, 0, 0], [0, 0, 255]]


@pytest.mark.parametrize(("suffix", "seconds"), [(".gif", 700), (".webp", 20_000)])
def test_frames_that_are_shown_too_long_are_told(suffix: str, seconds: int, tmp_path: Path) -> None:
    frames = [replace(frame, duration=1000 * seconds) for frame in frames_of(1, 90, 200)]
    with pytest.raises(PictureError, match=f"shown for {seconds} s; make the times shorter"):
        write_animation(tmp_path / f"a{suffix}", frames, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_still_picture_is_no_animation(tmp_path: Path) -> None:
    for suffix in (".gif", ".webp", ".png", ".jpg"):
        PillowImage.new("RGB", (8, 8)).save(tmp_path / f"a{suffix}")
        assert find_animation(tmp_path / f"a{suffix}") is None
    with pytest.raises(PictureError, match="There is no picture"):
        find_animation(tmp_path / "b.gif")


def test_frames_without_a_time_get_the_usual_one(tmp_path: Path) -> None:
    pictures = [PillowImage.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    animation = find_animation(tmp_path / "a.gif")
    assert animation is not None
    assert animation.loop is None
    assert [frame.duration for frame in animation.frames()] == [100, 100]


def test_what_is_too_large_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_animation(tmp_path / "a.webp", frames_of(1, 90), 0)
    monkeypatch.setattr(animations, "MOST_BYTES", 2 * 24 * 32 * 8 - 1)
    with pytest.raises(PictureError, match=r"2 frames of 32 x 24 pixels need .* `toonify video`"):
        find_animation(tmp_path / "a.webp")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot be written"):
        write_animation(tmp_path / "file/a.gif", frames_of(1, 2), 0)
