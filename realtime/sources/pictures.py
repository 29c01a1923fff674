"""Still pictures: one, or a folder of them in the order of their names."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from engines.errors import reason
from engines.pictures import Image, is_picture, read_picture
from realtime.frame import Frame, exact_rate, fit
from realtime.sources import SourceError


def list_pictures(path: Path, also: Collection[str] = ()) -> list[Path]:
    """`path` itself, or the pictures of a folder with numbers in natural order.

    Args:
        path: a file or a folder.
        also: endings that count as pictures too, in lower case with their dot.

    Raises:
        SourceError: the folder cannot be read, or holds no pictures.
    """
    if path.is_file():
        return [path]
    if path.exists() and not path.is_dir():
        raise SourceError(f"{path} is neither a file nor a folder; give a picture, or a folder.")
    try:
        found = [
            entry
            for entry in path.iterdir()
            if entry.is_file() and (is_picture(entry) or entry.suffix.lower() in also)
        ]
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
        first = read_picture(self.paths[0]).bgr
        self.size = (first.shape[1], first.shape[0])

    def frames(self) -> Iterator[Frame]:
        """The pictures in order, fitted to the size of the first.

        Raises:
            PictureError: one of them cannot be read.
        """
        number = 0
        due = time.monotonic()
        image: Image | None = None
        while True:
            for path in self.paths:
                if image is None or len(self.paths) > 1:
                    image = read_picture(path).bgr
                if self._closed.is_set():
                    return
                if self.live:
                    self._closed.wait(max(0.0, due - time.monotonic()))
                    due = max(due + 1 / self.rate, time.monotonic() - 1)
                media_time = number / exact_rate(self.rate)
                fitted, now = fit(image, self.size), time.monotonic()
                timestamp = now if self.live else float(media_time)
                yield Frame(fitted, timestamp, number, media_time, captured=now)
                number += 1
            if not self._repeat:
                return

    def close(self) -> None:
        """End `frames()` after the frame in hand."""
        self._closed.set()
