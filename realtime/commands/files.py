"""`toonify image`: pictures in, pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from engines.errors import ToonifyError
from realtime.api import Toonifier
from realtime.commands.screen import frame_progress
from realtime.sinks.files import unused
from realtime.sources import Report
from realtime.sources.pictures import Picture, list_pictures, read_picture

SAVE: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 95, "subsampling": 0},
    ".webp": {"quality": 95},
    ".png": {},
}
SAVE[".jpeg"] = SAVE[".jpg"]


def write_picture(picture: Picture, image: np.ndarray, path: Path) -> Path:
    """Write `image` (BGR) with the alpha and colour profile of `picture`, as PNG where the format
    of `path` cannot hold them; returns where. Nothing is overwritten."""
    pixels = image[:, :, ::-1]
    if picture.alpha is not None:
        pixels = np.dstack([pixels, picture.alpha])
    suffix = path.suffix.lower()
    if suffix not in SAVE or (picture.alpha is not None and suffix in (".jpg", ".jpeg")):
        path, suffix = path.with_suffix(".png"), ".png"
    path = unused(path)
    extra: dict[str, Any] = {"icc_profile": picture.icc_profile} if picture.icc_profile else {}
    PillowImage.fromarray(np.ascontiguousarray(pixels)).save(path, **SAVE[suffix], **extra)
    return path


def convert_images(
    sources: Sequence[Path], folder: Path, toonify: Toonifier, report: Report
) -> int:
    """Write the toon of every picture into `folder`; returns how many could not be made."""
    paths: list[Path] = []
    failed = 0
    for source in sources:
        try:
            if not source.exists():
                raise ToonifyError(f"There is no picture {source}; check the path.")
            paths += list_pictures(source)
        except ToonifyError as error:
            report(str(error))
            failed += 1
    folder.mkdir(parents=True, exist_ok=True)
    with frame_progress() as bar:
        for path in bar.track(paths, description="Pictures"):
            try:
                picture = read_picture(path)
                toon = toonify.picture(picture.image)
                written = write_picture(picture, toon.image, folder / path.name)
            except (ToonifyError, OSError) as error:
                report(str(error))
                failed += 1
                continue
            found = f"{toon.faces} face{'s' if toon.faces != 1 else ''}"
            report(f"{written}: {found if toon.faces else 'no face found, left as it is'}")
    return failed
