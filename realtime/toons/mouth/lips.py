"""What is known of everybody's lips over time: their colours, how unevenly they are lit, and
whether a moustache is above them.

A network that was taught drawings still copies glare and hard shadows that lie on a photo's lips.
What is known of a person over seconds says which colour they have without them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.faces.head import INNER_LIPS, LIPS
from engines.faces.pixels import Floats, mix, polygon, step
from engines.pictures import Image
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.surface import skin_of
from realtime.toons.memory import Memory, lately, share_of
from realtime.toons.mouth.moustache import moustache_in
from realtime.toons.mouth.shape import MouthShape, halves
from realtime.toons.places import box_about, taken

INTERVAL, MEMORY = 0.5, 1.5  # seconds between two looks, and in which what is known follows them
SEEN = 8  # pixels of a lip from which on its colour is known
LEAST, MOST = (-28.0, 0.0, -12.0), (0.0, 32.0, 8.0)
"""Of L, a, b by which lips differ from skin; beyond that it is shade or a beard."""
VIOLET = 3.0  # b* by which a toon's may be bluer than the person's: shade in a photo is
GLEAMING = 65.0  # L* of skin in whose light lips gleam in full
UNEVEN = (7.0, 22.0)  # L* by which both sides of lips differ: alike .. crooked
MIRRORED = np.linspace(0.05, 0.85, 17, dtype=np.float32)  # how far aside they are compared
WITHIN = np.linspace(0.2, 0.8, 6, dtype=np.float32)  # how far from one edge of a lip to the other


class Lips(NamedTuple):
    """A person's lips.

    Attributes:
        upper, lower: how they differ from skin: L, a, b, float32 [3] each.
        uneven: 0 lit alike on both sides .. 1 so unevenly that a mouth looks crooked.
        moustache: 0 none, or one that cannot be told from shade .. 1 surely one.
    """

    upper: Floats
    lower: Floats
    uneven: float = 0.0
    moustache: float = 0.0

    def towards(self, other: Lips, share: float) -> Lips:
        """Lips so far, 0..1, on the way from these to others."""
        upper, lower = mix(self.upper, other.upper, share), mix(self.lower, other.lower, share)
        uneven, moustache = (
            before + share * (after - before)
            for before, after in zip(self[2:], other[2:], strict=True)
        )
        return Lips(upper, lower, uneven, moustache)


class LipWatch(Memory[tuple[float, Lips]]):
    """Everybody's lips over time. They are looked at twice a second."""

    def see(
        self, identity: int, time: float, photo: Image, points: NDArray[np.floating]
    ) -> Lips | None:
        """What is known of a person's lips; None as long as none were seen.

        Args:
            identity: whose.
            time: of the frame, seconds.
            photo: uint8 [S, S, 3] BGR.
            points: [478, >=2], the face's landmarks in it, 0..1.
        """
        known = self._known.get(identity)
        if known is not None and lately(time - known[0], INTERVAL):
            return known[1]
        seen = lips_in(photo, points)
        if seen is not None:
            if known is not None:
                share = share_of(time - known[0], MEMORY)
                seen = known[1].towards(seen, share)
            known = self._known[identity] = time, seen
        return known[1] if known is not None else None


def lips_in(photo: Image, points: NDArray[np.floating]) -> Lips | None:
    """What one picture shows of a person's lips; None where they are too small.

    Args:
        photo: uint8 [S, S, 3] BGR.
        points: [478, >=2], the face's landmarks in it, 0..1.
    """
    at = np.asarray(points[:, :2] * len(photo) - 0.5, np.float32)
    box, low = box_about(photo, at[LIPS], 1.0)
    lab, skin = as_lab(photo[box]), as_lab(skin_of(photo, at)[None, None])[0, 0]
    lips, inner = at[LIPS] - low, at[INNER_LIPS] - low
    found = []
    for outer, edge in zip(halves(lips), halves(inner), strict=True):
        lip = polygon(lab.shape[:2], np.concatenate([outer, edge[::-1]]))
        seen = lab[lip > 0.5]
        if len(seen) < SEEN:
            return None
        found.append(np.clip(np.median(seen, 0) - skin, LEAST, MOST).astype(np.float32))
    shape = MouthShape(lips, inner, lab.shape[:2])
    uneven = step(*UNEVEN, _apart(lab[..., 0], shape))
    return Lips(found[0], found[1], uneven, moustache_in(photo, at))


def light_on(skin: Floats) -> float:
    """0 dark .. 1, the light in which lips gleam, from L, a, b of the skin."""
    return min(float(skin[0]) / GLEAMING, 1.0)


def _apart(light: Floats, shape: MouthShape) -> float:
    """How much the light, [h, w], of both sides of a mouth differs on average."""
    columns = shape.columns(np.concatenate([-MIRRORED[::-1], MIRRORED]))
    found = []
    for edges in ((shape.top, shape.upper), (shape.lower, shape.bottom)):
        first, second = (np.interp(columns, np.arange(len(edge)), edge) for edge in edges)
        rows = first + (second - first) * WITHIN[:, None]
        at = np.dstack([np.broadcast_to(columns, rows.shape), rows]).astype(np.float32)
        lip = taken(light, at)
        found.append(lip - lip[:, ::-1])
    return float(np.abs(found).mean())
