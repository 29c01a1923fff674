"""Looks: the knobs of the art direction, and the finish of the comic look."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Look:
    """Art direction at full strength; ``strength`` 0 is the photo, 1 the full toon."""

    name: str = "film"
    strength: float = 1.0
    eye_width: float = 0.64  # aimed width of an eye, in eye distances
    eye_scale: tuple[float, float] = (1.32, 1.48)  # least and greatest enlargement
    eye_tall: float = 1.20  # extra height of the opening
    eye_opening: float = 0.65  # how far narrow eyes are opened
    iris: float = 1.14  # extra iris scale inside the enlarged eye
    nose: float = 0.82
    jaw: float = 0.915
    chin: float = 0.94
    neck: float = 0.93
    cheek: float = 0.030
    head: float = 1.045
    mouth: float = 1.04
    smile: float = 0.034  # lift of the mouth corners, in eye distances
    brow_lift: float = 0.03
    smooth: float = 1.0  # skin detail removal
    light: float = 1.0  # relighting on the toon's shape
    hair: float = 1.0  # strand sharpening
    background: float = 1.0  # background softening


FILM = Look()
COMIC = replace(FILM, name="comic")
LOOKS = {look.name: look for look in (FILM, COMIC)}
