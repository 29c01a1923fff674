"""The camera's picture beside the toon's: a film, and a contact sheet of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from engines.pictures import Image
from realtime.frame import fit
from realtime.guard import Output
from realtime.sinks.files import Recording, write_bgr_png


class BeforeAfter:
    """A sink that makes `demo.mp4` and `contact-sheet.png` in a folder.

    Args:
        size: (width, height) of the pictures.
        rate: pictures a second.
        total: how many pictures there will be; eight of them go into the sheet.
    """

    live = False
    local = True

    def __init__(self, folder: Path, size: tuple[int, int], rate: float, total: int) -> None:
        self.name = "demo film"
        self.film = folder / "demo.mp4"
        self.sheet = folder / "contact-sheet.png"
        self._half = (size[0] * 3 // 4, size[1] * 3 // 4)
        self._film = Recording(self.film, (2 * self._half[0], self._half[1]), rate, paced=False)
        self._picked = {round((i + 0.5) * total / 8) for i in range(8)}
        self._thumbs: list[Image] = []
        self._count = 0

    def open(self) -> None:
        """Replace the files of an earlier demo."""
        for path in (self.film, self.sheet):
            path.unlink(missing_ok=True)
        self._film.open()

    def send(self, output: Output) -> None:
        """Add one picture to the film, and every so often to the sheet."""
        assert output.before is not None
        pair = np.hstack([fit(output.before, self._half), fit(output.image, self._half)])
        self._film.send(replace(output.for_others(), image=pair))
        if self._count in self._picked:
            self._thumbs.append(fit(pair, (960, 270)))
        self._count += 1

    def close(self) -> None:
        """Finish both files."""
        self._film.close()
        if self._thumbs:
            blank = np.zeros_like(self._thumbs[0])
            cells = [*self._thumbs, *([blank] * (len(self._thumbs) % 2))]
            rows = [np.hstack(cells[i : i + 2]) for i in range(0, len(cells), 2)]
            write_bgr_png(self.sheet, np.vstack(rows))
            self._thumbs = []
