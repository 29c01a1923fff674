"""A toon in the light and colours of the scene that it was drawn for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.pictures import FloatMask, Image
from realtime.compositing import (
    GRID,
    Field,
    Small,
    add_field,
    border_fade,
    colour_stats,
    match_field,
    oval_mask,
    seam_field,
)
from realtime.settings import CompositingSettings


class Drawn(NamedTuple):
    """A toon that was just drawn.

    Attributes:
        crop: what the engine was given, uint8 [S, S, 3] BGR.
        toon: uint8 [R, R, 3] BGR.
        points: float32 [478, 3], the face's landmarks, 0..1 across the crop.
        head: where its head is, float32 [GRID, GRID].
        known: whether the engine said so; else it is a guess.
    """

    crop: Image
    toon: Image
    points: NDArray[np.float32]
    head: FloatMask
    known: bool


@dataclass
class _Light:
    """Running colour statistics of one face: scene and toon, see `colour_stats`."""

    scene: NDArray[np.float32]
    toon: NDArray[np.float32]
    time: float

    def follow(
        self, scene: NDArray[np.float32], toon: NDArray[np.float32], time: float, memory: float
    ) -> None:
        elapsed = max(time - self.time, 0.0)
        share = 1 - np.exp(-elapsed / memory) if memory > 0 else 1.0
        self.scene = self.scene + np.float32(share) * (scene - self.scene)
        self.toon = self.toon + np.float32(share) * (toon - self.toon)
        self.time = time


class Lights:
    """The light in which everybody stands who is drawn, over time."""

    def __init__(self) -> None:
        self._lights: dict[int, _Light] = {}

    def finish(
        self, identity: int, time: float, drawn: Drawn, settings: CompositingSettings
    ) -> Image:
        """One person's newest toon in the colours of the scene.

        Args:
            identity: whose.
            time: of the frame, seconds.
            drawn: the toon.
            settings: how far, and in which region it is shown.
        """
        oval = oval_mask(drawn.points, 0.0, 0.03)
        if settings.mode == "face":
            keep = oval_mask(drawn.points, -0.06, 0.08)
        elif settings.mode == "crop":
            keep = np.maximum(drawn.head, border_fade(GRID, 0.35))
        else:  # a guessed head holds some wall, which must take the scene's colours
            keep = drawn.head if drawn.known else oval_mask(drawn.points, 0.02, 0.08)
        photo, small = Small.of(drawn.crop), Small.of(drawn.toon)
        field = self._field(identity, time, photo, small, oval, settings)
        field = field + seam_field(photo, small.bgr + field, keep, oval)
        return add_field(drawn.toon, field)

    def _field(
        self,
        identity: int,
        time: float,
        photo: Small,
        toon: Small,
        oval: FloatMask,
        settings: CompositingSettings,
    ) -> Field:
        scene, drawn = colour_stats(photo, oval), colour_stats(toon, oval)
        light = self._lights.get(identity)
        if light is None:
            light = self._lights[identity] = _Light(scene, drawn, time)
        else:
            light.follow(scene, drawn, time, settings.memory)
        return match_field(toon, light.toon, light.scene, settings.colour)

    def forget(self, but: Collection[int] = ()) -> None:
        """Forget everybody `but` some."""
        self._lights = {k: v for k, v in self._lights.items() if k in but}
