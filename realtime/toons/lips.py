"""The colours of everybody's lips, as they differ from their skin.

A network that was taught drawings still copies glare and hard shadows that lie on a photo's lips.
What is known of a person over seconds says which colour they have without them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.faces.head import INNER_LIPS, LIPS
from engines.faces.pixels import Floats, mix, polygon
from engines.pictures import Image
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.surface import skin_of
from realtime.toons.memory import share_of
from realtime.toons.places import box_about

INTERVAL, MEMORY = 0.25, 1.5  # seconds between two looks, and in which what is known follows them
SEEN = 8  # pixels of a lip from which on its colour is known
LEAST, MOST = (-28.0, 0.0, -12.0), (0.0, 32.0, 8.0)
"""Of L, a, b by which lips differ from skin; beyond that it is shade or a beard."""


class LipColours(NamedTuple):
    """How lips differ from skin: L, a, b, float32 [3] each."""

    upper: Floats
    lower: Floats


class LipWatch:
    """The colours of everybody's lips over time. They are looked at a few times a second."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, LipColours]] = {}

    def see(
        self, identity: int, time: float, photo: Image, points: NDArray[np.floating]
    ) -> LipColours | None:
        """What is known of a person's lips; None as long as none were seen.

        Args:
            identity: whose.
            time: of the frame, seconds.
            photo: uint8 [S, S, 3] BGR.
            points: [478, >=2], the face's landmarks in it, 0..1.
        """
        known = self._known.get(identity)
        if known is not None and 0 <= time - known[0] < INTERVAL:
            return known[1]
        seen = lip_colours(photo, points)
        if seen is not None:
            if known is not None:
                share = share_of(time - known[0], MEMORY)
                seen = LipColours(*(mix(a, b, share) for a, b in zip(known[1], seen, strict=True)))
            known = self._known[identity] = time, seen
        return known[1] if known is not None else None

    def forget(self, but: Collection[int] = ()) -> None:
        """Forget everybody `but` some."""
        self._known = {k: v for k, v in self._known.items() if k in but}


def lip_colours(photo: Image, points: NDArray[np.floating]) -> LipColours | None:
    """The colours of a person's lips; None where they are too small.

    Args:
        photo: uint8 [S, S, 3] BGR.
        points: [478, >=2], the face's landmarks in it, 0..1.
    """
    at = np.asarray(points[:, :2] * len(photo) - 0.5, np.float32)
    box, low = box_about(photo, at[LIPS], 1.0)
    lab, skin = as_lab(photo[box]), as_lab(skin_of(photo, at)[None, None])[0, 0]
    found = []
    for outer, inner in zip(halves(at[LIPS]), halves(at[INNER_LIPS]), strict=True):
        lip = polygon(lab.shape[:2], np.concatenate([outer, inner[::-1]]) - low)
        seen = lab[lip > 0.5]
        if len(seen) < SEEN:
            return None
        found.append(np.clip(np.median(seen, 0) - skin, LEAST, MOST).astype(np.float32))
    return LipColours(*found)


def halves(outline: Floats) -> tuple[Floats, Floats]:
    """The upper and the lower half of an outline [N, 2] of lips, both with both corners."""
    half = len(outline) // 2
    return np.concatenate([outline[half:], outline[:1]]), outline[: half + 1]
