"""A photo's bytes in, its toon's bytes out; nothing is kept and nothing is written."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from PIL import Image as PillowImage

from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.pictures import Image, Picture, PictureError, read_picture
from engines.say import Say
from realtime.frame import Frame
from realtime.session import Session
from realtime.settings import Settings, require_eye_size, require_share
from realtime.web.photo.tips import FaceReport, report, summary

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")  # that every browser can show beside the toon
MOST_PIXELS = 50_000_000
SWAPS = (64, 32, 16, 8)


class PhotoError(ToonifyError):
    """A photo of which no toon can be made."""


@dataclass(frozen=True)
class Toon:
    """The answer to a photo.

    Attributes:
        data: a picture file.
        kind: its media type.
        words: what was found, in one sentence.
        faces: what there is to say of each face.
    """

    data: bytes
    kind: str
    words: str
    faces: Sequence[FaceReport]


class PhotoMaker:
    """Draws photos with one engine, which stays warm; belongs to one thread at a time.

    Args:
        settings: of the command line; the guard is open, since the photo is the user's own.
        say: called with each message for the user.
        bundle: a loaded model instead of the one that the settings name.

    Attributes:
        session: what draws.
        strength, eyes, childlike: those in the settings, which the page begins with.

    Raises:
        ToonifyError: the model or an engine cannot be used.
    """

    def __init__(self, settings: Settings, say: Say, bundle: Bundle | None = None) -> None:
        self._heard: list[str] = []
        self._say = say
        looks = settings.compositing
        self.strength, self.eyes, self.childlike = looks.strength, looks.eyes, looks.childlike
        whole = replace(settings.compositing, strength=1.0)  # each photo says how much of it
        self.session = Session(replace(settings, compositing=whole), self._hear, bundle)
        chosen = settings.engine
        self._drawn = (chosen.style or self.session.bundle.styles[0], chosen.swap)

    @property
    def swaps(self) -> list[int | None]:
        """The swap resolutions to choose from: the style's own (None), then from toon to person."""
        most, own = self.session.bundle.card.generator.resolution, self.session.settings.engine.swap
        offered = {swap for swap in SWAPS if swap < most} | ({own} if own else set())
        return [None, *sorted(offered, reverse=True)]

    @property
    def reshaped(self) -> list[str]:
        """The styles whose faces can get a child's proportions."""
        if not self.session.settings.compositing.reshape:
            return []
        styles = self.session.bundle.card.styles
        return [name for name, style in styles.items() if style.finish.reshaped]

    def toon(
        self,
        data: bytes,
        style: str | None = None,
        swap: int | None = None,
        strength: float = 1.0,
        eyes: float = 1.0,
        childlike: float | None = None,
    ) -> Toon:
        """The toon of a photo.

        Args:
            data: a picture file.
            style: one of the model's; None for its default.
            swap: resolution at which the mix switches; None for the style's own.
            strength: 0 gives the photo, 1 the toon.
            eyes: size of the eyes, in shares of the style's.
            childlike: how far faces get a child's proportions, 0 to 1; None as in the settings.

        Returns:
            A picture of the photo's size, with its transparency and colours: a JPEG for a JPEG, a
            PNG for all else; nothing else of the file is passed on, such as where it was taken.

        Raises:
            ToonifyError: it is no picture, it is too large, there is no such style, or the engine
                failed.
        """
        require_share(strength, "strength")
        require_eye_size(eyes, "eyes")
        childlike = self.childlike if childlike is None else childlike
        require_share(childlike, "childlike")
        stylizer = self.session.still_stylizer
        stylizer.settings = replace(stylizer.settings, eyes=eyes, childlike=childlike)
        picture = read_photo(data)
        self._choose(style, swap)
        frame = Frame(picture.bgr, 0.0, 0)
        guard = self.session.guard(frame.size, still=True)
        result = self.session.observer(guard, still=True).still(frame)
        output = guard.admit(result)
        assert output  # nothing is held back for a still picture
        image = output.image
        if strength < 1:
            image = cv2.addWeighted(image, strength, frame.image, 1 - strength, 0).astype(np.uint8)
        reports = [report(face, frame.size) for face in result.faces]
        jpeg = data.startswith(b"\xff\xd8")
        return Toon(
            _encoded(picture, image, jpeg),
            "image/jpeg" if jpeg else "image/png",
            summary(reports, min(len(reports), guard.max_faces)),
            reports,
        )

    def close(self) -> None:
        """Free the device."""
        self.session.close()

    def _choose(self, style: str | None, swap: int | None) -> None:
        """Give the engine other weights, unless it has them, and wait until it draws with them."""
        bundle = self.session.bundle
        wanted = (style or bundle.styles[0], swap)
        if wanted == self._drawn:
            return
        bundle.check(*wanted)
        self._heard.clear()
        self.session.engine.update(bundle.network(*wanted))
        # A compiled engine builds in the background, and says so if it could not.
        if settle := getattr(self.session.engine, "settle", None):
            settle()
        if self._heard:
            raise PhotoError(self._heard[-1])
        self._drawn = wanted

    def _hear(self, line: str) -> None:
        self._heard.append(line)
        self._say(line)


def read_photo(data: bytes) -> Picture:
    """A picture file in memory, decoded.

    Raises:
        PhotoError: it is no picture, or too large.
    """
    if not data:
        raise PhotoError("The file is empty; give a photo.")
    try:
        return read_picture(io.BytesIO(data), formats=FORMATS, most_pixels=MOST_PIXELS)
    except PictureError as error:
        if "pixels" in str(error):
            raise
        raise PhotoError(
            "This file cannot be read as a photo: it is damaged, or of another kind; give a JPEG, "
            "PNG, WebP or BMP."
        ) from error


def _encoded(picture: Picture, image: Image, jpeg: bool) -> bytes:
    """A picture file.

    Args:
        picture: where transparency and colour profile come from.
        image: uint8 [H, W, 3] BGR.
    """
    pixels = image[:, :, ::-1]
    if picture.alpha is not None:
        pixels = np.dstack([pixels, picture.alpha])
    file = io.BytesIO()
    extra: dict[str, Any] = {"icc_profile": picture.icc_profile} if picture.icc_profile else {}
    made = PillowImage.fromarray(np.ascontiguousarray(pixels))
    if jpeg:
        made.save(file, "JPEG", quality=95, subsampling=0, **extra)
    else:
        made.save(file, "PNG", compress_level=1, **extra)
    return file.getvalue()
