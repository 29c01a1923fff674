"""Looks of the 3D artist: what is done with the same head at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Look:
    """Art direction.

    Attributes:
        name: of the look.
        strength: 0 the photo .. 1 the full character, shape and shading alike.
    """

    name: str = "film"
    strength: float = 1.0


FILM = Look()
COMIC = replace(FILM, name="comic")
LOOKS = {look.name: look for look in (FILM, COMIC)}
