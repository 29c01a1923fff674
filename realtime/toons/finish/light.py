"""A toon in the light and colours of the scene that it was drawn for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import mix, smoothstep
from engines.pictures import Image
from realtime.compositing import GRID, border_fade, oval_mask
from realtime.settings import CompositingSettings
from realtime.toons.finish.colour import (
    COARSE,
    Field,
    Small,
    add_field,
    as_lab,
    colour_stats,
    match_field,
    seam_field,
)
from realtime.toons.finish.drawn import Drawn
from realtime.toons.finish.relief import hardness, relief_field, relief_of, side_of_light
from realtime.toons.finish.skin import ironing
from realtime.toons.places import moves, shifted

UNLIKE_SKIN = (30.0, 50.0)  # distance of colours, a and b, from skin's: what is not of one's body


@dataclass
class _Light:
    """Running colour statistics of one face, see `colour_stats`, and from where it is lit.

    Attributes:
        scene, toon: float32 [3, 3], of both.
        lamp: see `side_of_light` and `hardness`, [2]; None while nobody asks.
        time: of what was seen last, seconds.
    """

    scene: NDArray[np.float32]
    toon: NDArray[np.float32]
    lamp: NDArray[np.float32] | None
    time: float

    def follow(self, new: _Light, memory: float) -> None:
        """Go some way towards what is seen now."""
        elapsed = max(new.time - self.time, 0.0)
        share = 1 - float(np.exp(-elapsed / memory)) if memory > 0 else 1.0
        self.scene = self.scene + np.float32(share) * (new.scene - self.scene)
        self.toon = self.toon + np.float32(share) * (new.toon - self.toon)
        if self.lamp is None or new.lamp is None:
            self.lamp = new.lamp
        else:
            self.lamp = mix(self.lamp, new.lamp, share)
        self.time = new.time


class Lights:
    """The light in which everybody stands who is drawn, over time."""

    def __init__(self) -> None:
        self._lights: dict[int, _Light] = {}

    def finish(
        self, identity: int, time: float, drawn: Drawn, settings: CompositingSettings
    ) -> Image:
        """One person's newest toon in the colours of the scene; its skin is ironed and lit by its
        relief if the style wants that.

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
        relief = lamp = None
        if drawn.finish.relief and settings.relief and drawn.plan is not None:
            relief = relief_of(drawn, drawn.plan, small.lab)
            side = side_of_light(relief, small.lab[..., 0])
            lamp = np.array([side, hardness(relief, photo.lab[..., 0])], np.float32)
        seen = _Light(colour_stats(photo, oval), colour_stats(small, oval), lamp, time)
        light = self._lights.setdefault(identity, seen)
        light.follow(seen, settings.memory)
        field = match_field(small, light.toon, light.scene, settings.colour)
        if drawn.plan is not None:
            field = field + cloth_field(photo, small.bgr + field, drawn.plan, seen.scene[0])
        field = field + seam_field(photo, small.bgr + field, keep, oval)
        if relief is not None and light.lamp is not None:
            field = field + relief_field(relief, small.bgr + field, *light.lamp)
            even = ironing(drawn.toon, relief.plain)
            field = np.asarray(cv2.resize(field, even.shape) + even[..., None], np.float32)
        return add_field(drawn.toon, field)

    def forget(self, but: Collection[int] = ()) -> None:
        """Forget everybody `but` some."""
        self._lights = {k: v for k, v in self._lights.items() if k in but}


def cloth_field(
    photo: Small, toon: Field, plan: NDArray[np.float32], skin: NDArray[np.float32]
) -> Field:
    """What to add to a toon so that things of a colour that no skin has, such as a blue scarf, keep
    it: a small network tints some of them. Their light stays the toon's.

    Args:
        photo: the crop.
        toon: float32 [COARSE, COARSE, 3] BGR, 0..255.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        skin: L, a, b of the photo's face.

    Returns:
        float32 [COARSE, COARSE, 3] BGR, 0..255 scale.
    """
    size = (COARSE // 2,) * 2  # which is enough for things, and four times as fast
    small, own = (cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in (toon, photo.lab))
    colours = shifted(np.asarray(own[..., 1:], np.float32), moves(plan, size[0]))
    far = cv2.magnitude(*cv2.split(colours - skin[1:]))
    if float(far.max()) <= UNLIKE_SKIN[0]:
        return np.zeros_like(toon)
    unlike = smoothstep(*UNLIKE_SKIN, far)[..., None]
    lab = as_lab(np.clip(small, 0, 255).astype(np.float32))
    lab[..., 1:] += (colours - lab[..., 1:]) * unlike
    change = (cv2.cvtColor(lab, cv2.COLOR_LAB2BGR) * np.float32(255) - small) * unlike
    return np.asarray(cv2.resize(change, (COARSE, COARSE)), np.float32)
