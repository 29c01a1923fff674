"""A window on the user's own screen: before beside after, numbers, hot-keys."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from engines.errors import ToonifyError
from engines.pictures import Image
from engines.say import Say
from realtime.controls import Controls
from realtime.frame import fit
from realtime.guard import Output
from realtime.sinks import SinkError
from realtime.sinks.files import unused, write_bgr_png
from realtime.slots import Slot

TITLE = "Toonify"
FONT = cv2.FONT_HERSHEY_SIMPLEX
HELP = (
    ("space", "card at once (panic)"),
    ("t", "toon on/off"),
    ("+ -", "strength"),
    ("s", "next style"),
    ("w", "next swap resolution"),
    ("g", "next guard mode"),
    ("m", "mirror"),
    ("b", "before beside after"),
    ("c", "snapshot"),
    ("r", "record on/off"),
    ("h", "this help"),
    ("q, Esc", "quit"),
)


def has_display() -> bool:
    """Whether a window can be opened here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def require_display() -> None:
    """Check that a window can be opened.

    Raises:
        SinkError: there is no display.
    """
    if not has_display():
        raise SinkError(
            "There is no display for a preview window; leave out --preview or log in to a "
            "desktop session."
        )


class Preview:
    """Shows what goes out; draws and reads keys in `pump`, which the main thread must call.

    Args:
        numbers: what the overlay shows, read at every picture.
        record: called by the record key, starts or stops a recording.
        folder: takes the snapshots.
        size: (width, height) of the pictures.

    Raises:
        SinkError: there is no display.
    """

    def __init__(
        self,
        controls: Controls,
        say: Say,
        *,
        numbers: Callable[[], Mapping[str, object]],
        record: Callable[[], None],
        folder: Path,
        size: tuple[int, int],
    ) -> None:
        require_display()
        self._controls = controls
        self._say = say
        self._numbers = numbers
        self._folder = folder
        self._size = size
        self._slot: Slot[Output] = Slot()
        self._shown: Output | None = None
        self._beside = True
        self._help = False
        self._open = False
        self._keys: dict[int, Callable[[], None]] = {
            ord(" "): controls.toggle_panic,
            ord("t"): controls.toggle_toon,
            ord("+"): lambda: controls.change_strength(0.1),
            ord("="): lambda: controls.change_strength(0.1),
            ord("-"): lambda: controls.change_strength(-0.1),
            ord("s"): controls.next_style,
            ord("w"): controls.next_swap,
            ord("g"): controls.next_guard,
            ord("m"): controls.toggle_mirror,
            ord("b"): self._toggle_beside,
            ord("c"): self._snapshot,
            ord("r"): record,
            ord("h"): self._toggle_help,
            ord("q"): controls.stop,
            27: controls.stop,
        }

    def show(self, output: Output) -> None:
        """Hand over a picture; from any thread."""
        self._slot.put(output)

    def pump(self) -> None:
        """Draw the newest picture and act on keys; takes about 10 ms."""
        output = self._slot.poll(0.005)
        if output is not None:
            self._shown = output
            if not self._open:
                cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
                self._open = True
            cv2.imshow(TITLE, self.compose(output))
        if not self._open:
            return
        self.press(cv2.waitKey(5) & 0xFF)
        if cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            self._controls.stop()

    def press(self, key: int) -> None:
        """Act on a key code; unknown ones do nothing, and failures are reported."""
        action = self._keys.get(key)
        if action:
            try:
                action()
            except (ToonifyError, OSError) as error:
                self._say(str(error))  # a full disk must not end a call

    def close(self) -> None:
        """Close the window."""
        if self._open:
            cv2.destroyAllWindows()
            cv2.waitKey(1)

    def compose(self, output: Output) -> Image:
        """The window's picture, uint8 BGR: [before,] after, with numbers and help written in."""
        parts = [output.image]
        if self._beside and output.before is not None:
            parts.insert(0, fit(output.before, self._size))
        image = np.hstack(parts) if len(parts) > 1 else output.image.copy()
        numbers = self._numbers()
        lines = [f"{key} {value}" for key, value in numbers.items() if value not in ("", None)]
        if self._help:
            lines += ["", *(f"{key:7} {meaning}" for key, meaning in HELP)]
        scale = max(0.4, image.shape[0] / 1100)
        for row, line in enumerate(lines):
            place = (int(14 * scale), int((28 + 30 * row) * scale))
            cv2.putText(image, line, place, FONT, scale, (0, 0, 0), 4, cv2.LINE_AA)
            cv2.putText(image, line, place, FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)
        return image

    def _toggle_beside(self) -> None:
        self._beside = not self._beside

    def _toggle_help(self) -> None:
        self._help = not self._help

    def _snapshot(self) -> None:
        if self._shown is not None:
            path = unused(self._folder / "snapshot.png")
            write_bgr_png(path, self._shown.image)
            self._say(f"Snapshot in {path}.")
