"""Still pictures: one, or a folder of them in the order of their names."""

from __future__ import annotations

import io
import re
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageCms, ImageOps, UnidentifiedImageError

from engines.errors import reason
from realtime.frame import Frame, Image, Mask, fit
from realtime.sources import SourceError, is_picture

PROFILED = {"GRAY": "L", "CMYK": "CMYK"}  # space of a colour profile -> Pillow's mode for it


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture file, upright.

    Attributes:
        image: uint8 [H, W, 3] BGR.
        alpha: uint8 [H, W] or None if the file has no transparency.
        icc_profile: colour profile of `image`, to be written back unchanged; None for sRGB.
    """

    image: Image
    alpha: Mask | None
    icc_profile: bytes | None


def read_picture(path: Path) -> Picture:
    """Read a picture, turned as its EXIF orientation asks.

    Raises:
        SourceError: it is missing, damaged, or too large to be opened safely.
    """
    try:
        with warnings.catch_warnings():
            # The picture is the user's own: one that is merely large is opened without a warning.
            warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)
            opening = PillowImage.open(path)
        with opening as opened:
            icc_profile = opened.info.get("icc_profile")
            turned = _in_eight_bits(ImageOps.exif_transpose(opened))
            transparent = "A" in turned.getbands() or "transparency" in turned.info
            opaque, icc_profile = _in_rgb(turned, icc_profile)
            pixels = np.asarray(opaque)
            alpha = np.array(turned.convert("RGBA").getchannel("A")) if transparent else None
    except FileNotFoundError:
        raise SourceError(f"There is no picture {path}; check the path.") from None
    except PillowImage.DecompressionBombError as error:
        raise SourceError(f"{path} is too large to be opened safely: {error}.") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise SourceError(f"{path} cannot be read as a picture; it may be damaged.") from error
    return Picture(np.ascontiguousarray(pixels[:, :, ::-1]), alpha, icc_profile)


def _in_eight_bits(picture: PillowImage.Image) -> PillowImage.Image:
    """Deep grey as L, or LA if one value of it is clear; every other picture as it is.

    Pillow's own conversion cuts values off at 255, which leaves a white sheet.
    """
    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;16"):
        return picture
    values = np.nan_to_num(np.asarray(picture, np.float64))
    largest = values.max()
    # 16 bits unless the values say something else; numbers with a point mostly go up to 1.
    whites = (1.0, 255.0, 65535.0) if picture.mode == "F" else (65535.0,)
    white = next((white for white in whites if largest <= white), largest)
    grey = PillowImage.fromarray(np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8))
    clear = picture.info.get("transparency")
    if clear is None:
        return grey
    shown = np.where(values == clear, 0, 255).astype(np.uint8)
    return PillowImage.merge("LA", [grey, PillowImage.fromarray(shown)])


def _in_rgb(
    picture: PillowImage.Image, profile: bytes | None
) -> tuple[PillowImage.Image, bytes | None]:
    """The picture in RGB, and the profile that says which; None for sRGB.

    A profile of other colours (grey, CMYK) would be wrong for RGB: it is applied instead. One that
    cannot be used is dropped.
    """
    if profile:
        try:
            found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = found.profile.xcolor_space.strip()
            if space == "RGB":
                return picture.convert("RGB"), profile
            if space in PROFILED:
                own = picture.convert(PROFILED[space])
                srgb = ImageCms.createProfile("sRGB")
                made = ImageCms.profileToProfile(own, found, srgb, outputMode="RGB")
                assert made  # only None when done in place
                return made, None
        except (ImageCms.PyCMSError, OSError):
            pass
    return picture.convert("RGB"), None


def list_pictures(path: Path) -> list[Path]:
    """`path` itself, or the pictures of a folder with numbers in natural order."""
    if path.is_file():
        return [path]
    try:
        found = [entry for entry in path.iterdir() if entry.is_file() and is_picture(entry)]
    except OSError as error:
        raise SourceError(
            f"The folder {path} cannot be read: {reason(error)}; check its rights."
        ) from error
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
        """The pictures in order, fitted to the size of the first.

        Raises:
            SourceError: one of them cannot be read.
        """
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
                fitted, now = fit(image, self.size), time.monotonic()
                timestamp = now if self.live else float(media_time)
                yield Frame(fitted, timestamp, number, media_time, captured=now)
                number += 1
            if not self._repeat:
                return

    def close(self) -> None:
        """End `frames()` after the frame in hand."""
        self._closed.set()
