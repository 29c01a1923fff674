"""What can be changed while pictures run; every method may be called from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from engines.say import Say
from realtime.guard import Guard
from realtime.settings import GUARD_MODES

Switch = Callable[[str | None, int | None], None]
"""Makes the engine draw another style or swap resolution; may take a second."""


class Strength(Protocol):
    """The part that mixes toon and picture; 1 is all toon."""

    strength: float


class Controls:
    """The switches of a running filter.

    Args:
        guard: whose mode and panic state are changed.
        stylizer: whose strength is changed.
        styles: names that `next_style` goes through, the one in use first.
        swaps: swap resolutions that `next_swap` goes through; None is the model's default.
        switch: called in its own thread, while the engine keeps running with the old style.
    """

    def __init__(
        self,
        guard: Guard,
        stylizer: Strength,
        say: Say,
        *,
        styles: Sequence[str] = (),
        swaps: Sequence[int | None] = (None,),
        switch: Switch | None = None,
        mirror: bool = False,
    ) -> None:
        self.guard = guard
        self.toon = True
        self.mirror = mirror
        self.stopped = threading.Event()
        self._stylizer = stylizer
        self._say = say
        self._styles = list(styles)
        self._swaps = list(swaps)
        self._switch = switch
        self._style = self._swap = 0
        self._switching = threading.Lock()

    @property
    def strength(self) -> float:
        """Share of the toon, 0..1."""
        return self._stylizer.strength

    def stop(self) -> None:
        """End the run cleanly."""
        self.stopped.set()

    def toggle_toon(self) -> None:
        """Toons on or off; off, the guard hides the picture unless its mode is `pass`."""
        self.toon = not self.toon
        self._say(f"Toon {'on' if self.toon else 'off'}.")

    def toggle_panic(self) -> None:
        """Show the slate at once; again, go back to the guard's mode."""
        self.guard.panic = not self.guard.panic
        self._say("Card shown." if self.guard.panic else "Card hidden.")

    def toggle_mirror(self) -> None:
        """Flip the picture left and right."""
        self.mirror = not self.mirror

    def next_guard(self) -> None:
        """The guard's next mode."""
        modes = GUARD_MODES
        self.guard.mode = modes[(modes.index(self.guard.mode) + 1) % len(modes)]
        self._say(f"Guard: {self.guard.mode}.")

    def change_strength(self, by: float) -> None:
        """More or less toon. Below 1 some of the real face shows, so the guard must be `pass`."""
        wanted = min(1.0, max(0.0, round(self.strength + by, 2)))
        if wanted < 1 and self.guard.mode != "pass":
            self._say(
                f"Strength {wanted:.1f} would show some of your own face; "
                f"set the guard from {self.guard.mode} to pass first."
            )
            return
        self._stylizer.strength = wanted
        self._say(f"Strength {wanted:.1f}.")

    def next_style(self) -> None:
        """The model's next style."""
        if len(self._styles) > 1:
            self._style = (self._style + 1) % len(self._styles)
            self._change()
        else:
            self._say("This model has one style only.")

    def next_swap(self) -> None:
        """The next swap resolution."""
        if len(self._swaps) > 1:
            self._swap = (self._swap + 1) % len(self._swaps)
            self._change()
        else:
            self._say("This model's layers cannot be swapped.")

    def _change(self) -> None:
        style = self._styles[self._style] if self._styles else None
        swap = self._swaps[self._swap]
        threading.Thread(target=self._change_to, args=(style, swap), daemon=True).start()

    def _change_to(self, style: str | None, swap: int | None) -> None:
        with self._switching:
            try:
                if self._switch:
                    self._switch(style, swap)
                self._say(f"Style {style or 'default'}, swap at {swap or 'default'}.")
            except Exception as error:
                self._say(f"The style stays as it is: {error}")
