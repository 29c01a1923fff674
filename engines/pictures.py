"""Still pictures: which files count, how they are read, and how a PNG is written."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.files import write_atomically

if TYPE_CHECKING:
    from PIL import Image as PillowImage

Image = NDArray[np.uint8]
"""uint8 [H, W, 3]; RGB in `engines`, unless its name says BGR."""
Mask = NDArray[np.uint8]
"""uint8 [H, W], 255 where it holds."""
FloatMask = NDArray[np.float32]
"""float32 [H, W] in 0..1."""

PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""What is opened, told by content, whatever a file's name says. Pillow knows more kinds, and starts
another program for some of them, such as Ghostscript for PostScript."""
MOST_BYTES = 1_500_000_000
"""Memory that one picture may take, from its file to its toon."""
PIXEL_BYTES, DEEP_PIXEL_BYTES = 12, 48
"""Memory for each pixel of a picture, and of one with more than 8 bits; estimates."""
PROFILED = {"GRAY": "L", "CMYK": "CMYK"}  # space of a colour profile -> Pillow's mode for it


class PictureError(ToonifyError):
    """A file that cannot be read as a picture."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture file, upright.

    Attributes:
        rgb: uint8 [H, W, 3].
        alpha: uint8 [H, W], or None if the file has no transparency.
        icc_profile: colour profile of `rgb`, to be written back unchanged; None for sRGB.
        note: a sentence for the user on what of the file could not be used; mostly empty.
    """

    rgb: Image
    alpha: Mask | None
    icc_profile: bytes | None
    note: str = ""

    @property
    def bgr(self) -> Image:
        """The same in OpenCV's order, uint8 [H, W, 3]; a new array."""
        return np.ascontiguousarray(self.rgb[:, :, ::-1])


def is_picture(path: Path) -> bool:
    """Whether a file's name says that it is a still picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def read_picture(
    path: Path | IO[bytes],
    *,
    formats: tuple[str, ...] = FORMATS,
    most_pixels: int | None = None,
) -> Picture:
    """Read a picture, turned as its EXIF orientation asks, in 8 bits; of several, the first.

    Args:
        path: a file, or the bytes of one.
        formats: those that are tried, some of `FORMATS`.
        most_pixels: a larger picture is refused before it is decoded.

    Raises:
        PictureError: when there is no such file, it is damaged, of another kind than `formats`, or
            so large that it would take more than `MOST_BYTES`.
    """
    from PIL import ImageOps

    with open_picture(path, formats) as opened:
        if most_pixels and opened.width * opened.height > most_pixels:
            raise PictureError(
                f"The picture has {opened.width} x {opened.height} pixels, more than the "
                f"{most_pixels / 1e6:.0f} megapixels that are taken; make it smaller first."
            )
        icc_profile = opened.info.get("icc_profile")
        ImageOps.exif_transpose(opened, in_place=True)
        turned = _in_eight_bits(opened)
        alpha = alpha_of(turned)
        opaque, kept, usable = _in_rgb(turned, icc_profile)
        rgb = np.array(opaque)
    note = f"{_named(path)}: its colour profile cannot be used, so its colours count as sRGB."
    return Picture(rgb, alpha, kept, "" if usable else note)


@contextmanager
def open_picture(
    path: Path | IO[bytes], formats: tuple[str, ...] = FORMATS
) -> Iterator[PillowImage.Image]:
    """A picture file that Pillow has opened, its size checked before anything is decoded.

    Raises:
        PictureError: as `read_picture`, also for what fails in the body.
    """
    from PIL import Image as PillowImage

    try:
        with warnings.catch_warnings():
            # The picture is the user's own: a large one is opened without a warning.
            warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)
            opening = PillowImage.open(path, formats=formats)
        with opening as opened:
            _require_room(opened, path)
            yield opened
    except PictureError:
        raise
    except FileNotFoundError:
        raise PictureError(f"There is no picture {path}; check the path.") from None
    except PillowImage.DecompressionBombError as error:
        raise PictureError(f"{_named(path)} is too large to be opened safely: {error}.") from error
    except Exception as error:  # decoders fail in many ways on damaged files
        raise PictureError(
            f"{_named(path)} cannot be read as a picture; it may be damaged, or of another kind "
            f"than {', '.join(formats)}."
        ) from error


def _named(path: Path | IO[bytes]) -> str:
    return str(path) if isinstance(path, Path) else "The file"


def _require_room(picture: PillowImage.Image, path: Path | IO[bytes]) -> None:
    width, height = picture.size
    need = width * height * (DEEP_PIXEL_BYTES if _is_deep(picture) else PIXEL_BYTES)
    if need > MOST_BYTES:
        raise PictureError(
            f"{_named(path)} is too large to be opened safely: {width} x {height} pixels need "
            f"{need / 1e9:.1f} GB, and {MOST_BYTES / 1e9:.1f} GB is the most; make it smaller."
        )


def alpha_of(picture: PillowImage.Image) -> Mask | None:
    """The alpha channel, uint8 [H, W]; None if the picture has no transparency."""
    if "A" in picture.getbands():
        return np.array(picture.getchannel("A"))
    if "transparency" in picture.info:
        return np.array(picture.convert("RGBA").getchannel("A"))
    return None


def write_png(path: Path, rgb: Image) -> None:
    """Write an RGB picture, uint8 [H, W, 3], as PNG, whole or not at all; makes the folders.

    Raises:
        WriteError: when it cannot be written.
    """
    _, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    write_atomically(path, data.tobytes())


def _is_deep(picture: PillowImage.Image) -> bool:
    return picture.mode in ("I", "F") or picture.mode.startswith("I;16")


def _in_eight_bits(picture: PillowImage.Image) -> PillowImage.Image:
    """Deep grey as L, or LA if one value of it is clear; every other picture as it is.

    Pillow's own conversion cuts values off at 255, which leaves a white sheet.
    """
    from PIL import Image as PillowImage

    if not _is_deep(picture):
        return picture
    values = np.nan_to_num(np.asarray(picture, np.float64))
    largest = values.max()
    # 16 bits unless the values say something else; numbers with a point mostly go up to 1.
    whites = {"F": (1.0, 255.0, 65535.0), "I": (255.0, 65535.0)}.get(picture.mode, (65535.0,))
    white = next((white for white in whites if largest <= white), largest)
    grey = PillowImage.fromarray(np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8))
    clear = picture.info.get("transparency")
    if clear is None:
        return grey
    shown = np.where(values == clear, 0, 255).astype(np.uint8)
    return PillowImage.merge("LA", [grey, PillowImage.fromarray(shown)])


def _in_rgb(
    picture: PillowImage.Image, profile: bytes | None
) -> tuple[PillowImage.Image, bytes | None, bool]:
    """The picture in RGB, the profile that says which (None for sRGB), and whether its profile
    could be used.

    A profile of other colours (grey, CMYK) would be wrong for RGB: it is applied instead. One that
    cannot be used is dropped.
    """
    from PIL import ImageCms

    if profile:
        try:
            found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = found.profile.xcolor_space.strip()
            if space == "RGB":
                return picture.convert("RGB"), profile, True
            if space in PROFILED:
                own = picture.convert(PROFILED[space])
                srgb = ImageCms.createProfile("sRGB")
                made = ImageCms.profileToProfile(own, found, srgb, outputMode="RGB")
                assert made  # only None when done in place
                return made, None, True
        except Exception as error:  # a damaged profile fails in many ways
            logging.getLogger(__name__).debug("colour profile: %r", error)
    return picture.convert("RGB"), None, not profile
