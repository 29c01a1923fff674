"""What was chosen for single people: their own style and strength, or to be left as they are.

Kept by the tracker's identity for as long as a person is followed, in memory only: whoever leaves
and comes back is drawn as everybody is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from engines.backends import Engine
from engines.errors import UsageError
from realtime.guard import Guard
from realtime.stylizer import Manner

MEMORY = 10.0  # seconds for which what was chosen outlives a person in the picture
ASKED = 20.0  # seconds within which "leave as they are" must be asked for again


class Manners(Protocol):
    """The part that draws; see `realtime.stylizer.Stylizer`."""

    manners: Mapping[int, Manner]


@dataclass(frozen=True)
class Choice:
    """What was chosen for a person; None: as for everybody.

    Attributes:
        style: one of the model's.
        strength: 0..1.
        bare: left as they are.
        asked: monotonic seconds at which that was asked for the first time; 0: it was not.
    """

    style: str | None = None
    strength: float | None = None
    bare: bool = False
    asked: float = 0.0


class People:
    """The choices for single people; every method may be called from any thread.

    Args:
        engine: style -> the engine that draws it now, built if need be.
    """

    def __init__(self, guard: Guard, stylizer: Manners, engine: Callable[[str], Engine]) -> None:
        self._guard = guard
        self._stylizer = stylizer
        self._engine = engine
        self._engines: dict[int, Engine] = {}
        self._choices: dict[int, Choice] = {}
        self._last: dict[int, float] = {}  # monotonic seconds at which a person was last seen
        self._changing = threading.RLock()

    def choice(self, identity: int) -> Choice:
        """What was chosen for a person."""
        chosen = self._choices.get(identity, Choice())
        return replace(chosen, bare=chosen.bare and identity in self._guard.bare)

    @property
    def styles(self) -> set[str]:
        """Styles that somebody has of their own."""
        return {choice.style for choice in self._choices.values() if choice.style}

    def set_style(self, identity: int, style: str | None) -> None:
        """A style of their own, or everybody's; returns once it can be drawn.

        Raises:
            ToonifyError: it cannot be drawn.
        """
        engine = None if style is None else self._engine(style)
        with self._changing:
            if engine is None:
                self._engines.pop(identity, None)
            else:
                self._engines[identity] = engine
            self._set(identity, replace(self.choice(identity), style=style))

    def set_strength(self, identity: int, strength: float | None) -> None:
        """A strength of their own, 0..1, or everybody's.

        Raises:
            UsageError: the guard hides what would be seen of the face.
        """
        if strength is not None and strength < 1 and self._guard.mode != "pass":
            raise UsageError(
                f"Strength {strength:g} would show some of their own face; set the guard from "
                f"{self._guard.mode} to pass first."
            )
        with self._changing:
            self._set(identity, replace(self.choice(identity), strength=strength))

    def leave(self, identity: int) -> bool:
        """Leave a person as they are, from the second time on that this is asked for.

        Returns:
            Whether the face's own pixels go out from now on.
        """
        now = time.monotonic()
        with self._changing:
            before = self.choice(identity)
            sure = before.bare or 0 < now - before.asked <= ASKED
            self._guard.lay_bare(identity, sure)
            self._set(identity, replace(before, bare=sure, asked=0.0 if sure else now))
            return sure

    def reset(self, identity: int) -> None:
        """Draw a person as everybody is drawn."""
        with self._changing:
            self._guard.lay_bare(identity, False)
            self._engines.pop(identity, None)
            self._set(identity, Choice())

    def renew(self) -> None:
        """Take the engines anew, because everybody's swap has changed."""
        for identity, choice in list(self._choices.items()):
            if choice.style:
                self.set_style(identity, choice.style)

    def see(self, identities: Collection[int], now: float) -> None:
        """Take note of who is there, at `now` (monotonic seconds), for every picture.

        Whom the guard hides again, because the tracker lost them, is drawn again. What was chosen
        for people who stay away is forgotten.
        """
        if not self._choices:
            return
        with self._changing:
            self._last = {**self._last, **dict.fromkeys(identities, now)}
            for identity, choice in list(self._choices.items()):
                if now - self._last.setdefault(identity, now) > MEMORY:
                    self.reset(identity)
                elif choice.bare and identity not in self._guard.bare:
                    self._set(identity, replace(choice, bare=False))
            self._last = {person: self._last[person] for person in self._choices}

    def guard_changed(self) -> None:
        """Strengths below 1 do not outlive the mode `pass`."""
        if self._guard.mode != "pass":
            with self._changing:
                for identity, choice in list(self._choices.items()):
                    if choice.strength is not None and choice.strength < 1:
                        self._set(identity, replace(choice, strength=None))

    def _set(self, identity: int, choice: Choice) -> None:
        if choice == Choice():
            self._choices.pop(identity, None)
        else:
            self._choices[identity] = choice
        self._stylizer.manners = {
            person: Manner(self._engines.get(person), kept.strength, kept.bare)
            for person, kept in self._choices.items()
        }
