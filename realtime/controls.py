"""What can be changed while pictures run; every method may be called from any thread.

One state drives the keys of the preview, the panels in browsers and the signals, so that they never
disagree. What only compositing needs counts from the next frame on; what the engine must be built
for is built beside the running one.

Over 300 lines: every switch of a run stands in one place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from engines.errors import UsageError
from engines.say import Say
from realtime.guard import Guard
from realtime.live.blends import Blend
from realtime.live.people import People
from realtime.settings import (
    GUARD_MODES,
    MODES,
    CompositingSettings,
    GuardMode,
    Low,
    Mode,
    Settings,
    require_eye_size,
    require_share,
)

Switch = Callable[[Blend], None]
"""Makes everybody's engine draw another blend; may take long."""

LOWS: tuple[Low | None, ...] = (None, "toon", "face")
"""Directions of a swap: the style's own, toon below, face below."""


class Adjustable(Protocol):
    """The part that draws; see `realtime.stylizer.Stylizer`."""

    strength: float
    settings: CompositingSettings
    max_faces: int | None


class Controls:
    """The switches of a running filter.

    Args:
        guard: whose mode and panic state are changed.
        stylizer: whose strength, region, eyes and number of faces are changed.
        styles: names that `next_style` goes through, the one in use first.
        swaps: swap resolutions that `next_swap` goes through; None is the model's default.
        low: the direction of the swap in use; None is the model's default.
        switch: called in its own thread, while the engine keeps running with the old style.
        people: what was chosen for single people; None if nothing can be.

    Attributes:
        building: the blend that is being built; empty if none is.
        refused: why the last blend asked for is not drawn, in one sentence; empty if it is.
    """

    def __init__(
        self,
        guard: Guard,
        stylizer: Adjustable,
        say: Say,
        *,
        styles: Sequence[str] = (),
        swaps: Sequence[int | None] = (None,),
        low: Low | None = None,
        switch: Switch | None = None,
        mirror: bool = False,
        people: People | None = None,
    ) -> None:
        self.guard = guard
        self.toon = True
        self.mirror = mirror
        self.stopped = threading.Event()
        self.people = people
        self.building = self.refused = ""
        self.styles = tuple(styles)
        self.swaps = tuple(swaps)
        self.most_faces = guard.max_faces
        self._stylizer = stylizer
        self._say = say
        self._switch = switch
        self._asked = self._running = Blend(styles[0] if styles else "", swaps[0], low)
        self._switching, self._composing = threading.Lock(), threading.Lock()
        self._watchers: list[Callable[[], None]] = []

    @property
    def strength(self) -> float:
        """Share of the toon, 0..1."""
        return self._stylizer.strength

    @property
    def region(self) -> Mode:
        """What of a toon is pasted."""
        return self._stylizer.settings.mode

    @property
    def eyes(self) -> float:
        """Size of the eyes, in shares of the style's."""
        return self._stylizer.settings.eyes

    @property
    def childlike(self) -> float:
        """How far faces get a child's proportions, 0..1."""
        return self._stylizer.settings.childlike

    @property
    def paint_room(self) -> bool:
        """Whether all that is no toon is painted, too."""
        return self._stylizer.settings.paint_room

    @property
    def faces(self) -> int:
        """How many faces are made toons."""
        return self.guard.max_faces

    @property
    def blend(self) -> Blend:
        """What is drawn, or will be as soon as its engine is ready."""
        return self._asked if self.building else self._running

    def applied(self, settings: Settings) -> Settings:
        """The settings of the run with what was changed since."""
        style, swap, low = self.blend
        return replace(
            settings,
            source=replace(settings.source, mirror=self.mirror),
            faces=replace(settings.faces, max_faces=self.faces),
            engine=replace(settings.engine, style=style or None, swap=swap, low=low),
            compositing=replace(
                settings.compositing,
                strength=self.strength,
                mode=self.region,
                eyes=self.eyes,
                childlike=self.childlike,
                paint_room=self.paint_room,
            ),
            guard=replace(settings.guard, mode=self.guard.mode),
        )

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after every change, in the thread that made it."""
        self._watchers = [*self._watchers, changed]

    def unwatch(self, changed: Callable[[], None]) -> None:
        """Have it called no more."""
        self._watchers = [other for other in self._watchers if other != changed]

    def changed(self) -> None:
        """Tell those who watch that something about the run has changed."""
        for changed in self._watchers:
            changed()

    def stop(self) -> None:
        """End the run cleanly."""
        self.stopped.set()

    def set_toon(self, on: bool) -> None:
        """Toons on or off; off, the guard hides the picture unless its mode is `pass`."""
        self.toon = on
        self._done(f"Toon {'on' if on else 'off'}.")

    def set_panic(self, on: bool) -> None:
        """Show the slate at once, or go back to the guard's mode."""
        self.guard.panic = on
        self._done("Card shown." if on else "Card hidden.")

    def set_mirror(self, on: bool) -> None:
        """Flip the picture left and right."""
        self.mirror = on
        self._done()

    def set_guard(self, mode: GuardMode) -> None:
        """The guard's mode. A toon that shows some of the real face becomes a whole one if the mode
        hides that.

        Raises:
            UsageError: there is no such mode.
        """
        if mode not in GUARD_MODES:
            raise UsageError(f"The guard must be one of {', '.join(GUARD_MODES)}, not {mode!r}.")
        self.guard.mode = mode
        said = f"Guard: {mode}."
        if mode != "pass" and self.strength < 1:
            self._stylizer.strength = 1.0
            said = f"{said} Strength 1.0, because it lets out no real face."
        if self.people:
            self.people.guard_changed()
        self._done(said)

    def set_strength(self, strength: float) -> None:
        """Share of the toon. Below 1 some of the real face shows, so the guard must be `pass`.

        Raises:
            UsageError: it is not 0 to 1, or the guard hides what would be seen.
        """
        require_share(strength, "The strength")
        if strength < 1 and self.guard.mode != "pass":
            raise UsageError(
                f"Strength {strength:.1f} would show some of your own face; "
                f"set the guard from {self.guard.mode} to pass first."
            )
        self._stylizer.strength = strength
        self._done()

    def set_region(self, region: Mode) -> None:
        """What of a toon is pasted: head, face or crop.

        Raises:
            UsageError: there is no such region.
        """
        if region not in MODES:
            raise UsageError(f"The region must be one of {', '.join(MODES)}, not {region!r}.")
        self._compose(mode=region)

    def set_eyes(self, size: float) -> None:
        """Size of the eyes, in shares of the style's.

        Raises:
            UsageError: they cannot be so large or so small.
        """
        require_eye_size(size, "The eyes")
        self._compose(eyes=size)

    def set_childlike(self, share: float) -> None:
        """How far faces get a child's proportions.

        Raises:
            UsageError: `share` is not in 0..1.
        """
        require_share(share, "A child's proportions")
        self._compose(childlike=share)

    def set_paint_room(self, on: bool) -> None:
        """Paint all that is no toon, too, or show it as it is."""
        self._compose(paint_room=on)

    def _compose(self, **changes: Any) -> None:
        """Change some of the compositing's settings, and keep what another thread changes."""
        with self._composing:
            self._stylizer.settings = replace(self._stylizer.settings, **changes)
        self._done()

    def set_faces(self, faces: int) -> None:
        """How many faces are made toons; one more, and the guard hides the picture.

        Raises:
            UsageError: the run was not begun for so many.
        """
        if not 1 <= faces <= self.most_faces:
            raise UsageError(
                f"Faces must be 1 to {self.most_faces} in this run, not {faces}; "
                "`toonify run --faces` begins one for more."
            )
        self.guard.max_faces = self._stylizer.max_faces = faces
        self._done()

    def set_blend(self, blend: Blend) -> None:
        """Another style or swap, drawn as soon as its engine is ready; the last one asked for wins.

        Raises:
            UsageError: the model does not have it.
        """
        if (
            (self.styles and blend.style not in self.styles)
            or blend.swap not in self.swaps
            or blend.low not in LOWS
        ):
            raise UsageError(
                f"This model has no blend {blend}; choose one of its styles and swaps."
            )
        self._asked = blend
        self.refused = ""
        self.building = "" if blend == self._running else str(blend)
        self._done()
        threading.Thread(target=self._change_to, args=(blend,), daemon=True).start()

    def toggle_toon(self) -> None:
        """`set_toon` to what it is not."""
        self.set_toon(not self.toon)

    def toggle_panic(self) -> None:
        """`set_panic` to what it is not."""
        self.set_panic(not self.guard.panic)

    def toggle_mirror(self) -> None:
        """`set_mirror` to what it is not."""
        self.set_mirror(not self.mirror)

    def next_guard(self) -> None:
        """The guard's next mode."""
        self.set_guard(_after(self.guard.mode, GUARD_MODES))

    def change_strength(self, by: float) -> None:
        """More or less toon, or a sentence that says why not."""
        try:
            self.set_strength(min(1.0, max(0.0, round(self.strength + by, 2))))
        except UsageError as error:
            self._say(str(error))
            return
        self._say(f"Strength {self.strength:.1f}.")

    def next_style(self) -> None:
        """The model's next style."""
        if len(self.styles) > 1:
            self.set_blend(self._asked._replace(style=_after(self._asked.style, self.styles)))
        else:
            self._say("This model has one style only.")

    def next_swap(self) -> None:
        """The next swap resolution."""
        if len(self.swaps) > 1:
            self.set_blend(self._asked._replace(swap=_after(self._asked.swap, self.swaps)))
        else:
            self._say("This model's layers cannot be swapped.")

    def _change_to(self, blend: Blend) -> None:
        with self._switching:
            if blend != self._asked:
                return  # another one was asked for meanwhile
            try:
                if self._switch:
                    self._switch(blend)
                if self.people:
                    self.people.renew()
                self._running = blend
                said = f"Style {blend.style or 'default'}, swap at {blend.swap or 'default'}."
            except Exception as error:
                said = f"The style stays as it is: {error}"
                if blend == self._asked:
                    self.refused = said
            if blend == self._asked:
                self.building = ""
        self._done(said)

    def _done(self, said: str = "") -> None:
        if said:
            self._say(said)
        self.changed()


def _after(item: Any, items: Sequence[Any]) -> Any:
    """The one that follows, the first one after the last."""
    return items[(items.index(item) + 1) % len(items)]
