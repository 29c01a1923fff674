"""Animated pictures: GIF, WebP and PNG, with the time that each frame is shown."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engines.files import atomic_path
from engines.pictures import MOST_BYTES, Image, Mask, PictureError, open_picture

ANIMATED_SUFFIXES = frozenset({".gif", ".png", ".webp"})
"""Endings of files that may be animated, and in which an animation can be written."""
USUAL_DURATION = 100  # milliseconds, as browsers show frames that state none
FRAME_PIXEL_BYTES = 8  # of a frame that is kept until the animation is written


@dataclass(frozen=True, eq=False)
class AnimationFrame:
    """One frame of an animated picture, whole.

    Attributes:
        rgb: uint8 [H, W, 3].
        alpha: uint8 [H, W], or None if the frame is opaque.
        duration: milliseconds for which it is shown, above 0.
    """

    rgb: Image
    alpha: Mask | None
    duration: int


@dataclass(frozen=True)
class Animation:
    """What an animated picture file says of itself.

    Attributes:
        count: how many frames there are, 2 or more.
        loop: how often it is played again; 0 for without end, None if it does not say.
        first: place of the first frame among the file's pictures: 1 after one that only programs
            show that know no animations.
    """

    path: Path
    count: int
    loop: int | None
    first: int = 0

    def frames(self) -> Iterator[AnimationFrame]:
        """Its frames in order, each whole, also where the file holds only what changes.

        Raises:
            PictureError: the file is damaged; the frames before that have been given.
        """
        with open_picture(self.path) as opened:
            for number in range(self.first, self.first + self.count):
                opened.seek(number)
                whole = opened.convert("RGBA")  # reads the frame, which alone says its duration
                alpha: Mask | None = np.array(whole.getchannel("A"))
                if alpha is not None and alpha.min() == 255:
                    alpha = None
                rgb = np.array(whole.convert("RGB"))
                duration = round(float(opened.info.get("duration") or 0))
                yield AnimationFrame(rgb, alpha, duration if duration > 0 else USUAL_DURATION)


def find_animation(path: Path) -> Animation | None:
    """What an animated picture says of itself; None if the file holds a still picture.

    Raises:
        PictureError: there is no such file, it cannot be read, or its frames would take more than
            `MOST_BYTES`.
    """
    with open_picture(path) as opened:
        count = int(getattr(opened, "n_frames", 1))
        if count < 2 or opened.format not in ("GIF", "PNG", "WEBP"):
            return None
        first = int(getattr(opened, "default_image", False))  # of a PNG; it is no frame
        count -= first
        width, height = opened.size
        need = width * height * count * FRAME_PIXEL_BYTES
        if need > MOST_BYTES:
            raise PictureError(
                f"{path} is too large to be opened safely: {count} frames of {width} x {height} "
                f"pixels need {need / 1e9:.1f} GB, and {MOST_BYTES / 1e9:.1f} GB is the most; make "
                "it a video, and use `toonify video`."
            )
        return Animation(path, count, opened.info.get("loop"), first)


def write_animation(path: Path, frames: Sequence[AnimationFrame], loop: int | None) -> None:
    """Write an animated GIF, WebP or PNG, as `path` ends, whole or not at all.

    Args:
        path: ends in one of `ANIMATED_SUFFIXES`.
        frames: one at least, of one size.
        loop: as in `Animation`.

    Raises:
        PictureError: the format does not hold times as long as theirs.
        WriteError: it cannot be written.
    """
    from PIL import Image as PillowImage

    suffix = path.suffix.lower()
    clear = any(frame.alpha is not None for frame in frames)
    pictures = []
    for frame in frames:
        pixels = frame.rgb
        if clear:
            alpha = frame.alpha
            full = np.full(pixels.shape[:2], 255, np.uint8) if alpha is None else alpha
            pixels = np.dstack([pixels, full])
        pictures.append(PillowImage.fromarray(np.ascontiguousarray(pixels)))
    options: dict[str, Any] = {
        "save_all": True,
        "append_images": pictures[1:],
        "duration": [frame.duration for frame in frames],
    }
    if loop is not None:
        options["loop"] = loop
    if suffix == ".gif":
        # Each frame replaces the one before: of two clear frames none shines through.
        options |= {"disposal": 2 if clear else 1, "optimize": False}
    elif suffix == ".webp":
        options |= {"quality": 90, "method": 3, "lossless": clear}  # else some alpha is lost
    with atomic_path(path) as part:
        try:
            pictures[0].save(part, **options)
        except (OverflowError, RuntimeError, struct.error) as error:  # as each kind says it
            longest = max(frame.duration for frame in frames) / 1000
            raise PictureError(
                f"{path} cannot be written: its kind does not hold frames that are shown for "
                f"{longest:g} s; make the times shorter, or convert it to another kind."
            ) from error
