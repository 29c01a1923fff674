"""Still pictures: one, or a folder of them in the order of their names."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from realtime.frame import Frame, Image, Mask, fit
from realtime.sources import SourceError, is_picture


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture file, upright.

    image: uint8 [H, W, 3] BGR.
    alpha: uint8 [H, W] or None if the file has no transparency.
    icc_profile: colour profile of the file, to be written back unchanged.
    """

    image: Image
    alpha: Mask | None
    icc_profile: bytes | None


def read_picture(path: Path) -> Picture:
    """Read a picture, turned as its EXIF orientation asks. Raises `SourceError`."""
    try:
        with PillowImage.open(path) as opened:
            icc_profile = opened.info.get("icc_profile")
            turned = ImageOps.exif_transpose(opened)
            transparent = "A" in turned.getbands() or "transparency" in turned.info
            pixels = np.asarray(turned.convert("RGBA" if transparent else "RGB"))
    except FileNotFoundError:
        raise SourceError(f"There is no picture {path}; check the path.") from None
    except PillowImage.DecompressionBombError as error:
        raise SourceError(f"{path} is too large to be opened safely: {error}.") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise SourceError(f"{path} cannot be read as a picture; it may be damaged.") from error
    image = np.ascontiguousarray(pixels[:, :, 2::-1])
    alpha = np.ascontiguousarray(pixels[:, :, 3]) if transparent else None
    return Picture(image, alpha, icc_profile)


def list_pictures(path: Path) -> list[Path]:
    """`path` itself, or the pictures of a folder with numbers in natural order."""
    if path.is_file():
        return [path]
    found = [entry for entry in path.iterdir() if entry.is_file() and is_picture(entry)]
    if not found:
        raise SourceError(f"The folder {path} holds no pictures (.jpg, .png, .webp, ...).")

    def natural(entry: Path) -> list[tuple[int, str]]:
        return [(int(p or 0), p) if p.isdigit() else (0, p) for p in re.split(r"(\d+)", entry.name)]

    return sorted(found, key=natural)


class PictureSource:
    """Each picture for one frame; when live, paced and (with `loop`, or a single one) repeated."""

    def __init__(self, path: Path, fps: float, *, live: bool, loop: bool) -> None:
        self.name = str(path)
        self.live = live
        self.rate = fps
        self.paths = list_pictures(path)
        self.total: int | None = len(self.paths)
        self._repeat = live and (loop or len(self.paths) == 1)
        self._closed = threading.Event()
        first = read_picture(self.paths[0]).image
        self.size = (first.shape[1], first.shape[0])

    def frames(self) -> Iterator[Frame]:
        """The pictures in order, fitted to the size of the first. Raises `SourceError`."""
        number = 0
        due = time.monotonic()
        image: Image | None = None
        while True:
            for path in self.paths:
                if image is None or len(self.paths) > 1:
                    image = read_picture(path).image
                if self._closed.is_set():
                    return
                if self.live:
                    self._closed.wait(max(0.0, due - time.monotonic()))
                    due = max(due + 1 / self.rate, time.monotonic() - 1)
                media_time = Fraction(number) / Fraction(self.rate).limit_denominator(1001)
                yield Frame(fit(image, self.size), time.monotonic(), number, media_time)
                number += 1
            if not self._repeat:
                return

    def close(self) -> None:
        """End `frames()` after the frame in hand."""
        self._closed.set()
