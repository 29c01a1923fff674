"""A toon in the light and colours of the scene that it was drawn for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, mix, smoothstep
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
from realtime.toons.finish.folds import fold_field
from realtime.toons.finish.relief import fill_field, lamp_of, relief_field, relief_of
from realtime.toons.finish.skin import ironing
from realtime.toons.finish.surface import surface_of
from realtime.toons.memory import Memory, lately, share_of
from realtime.toons.places import moves, shifted, toon_points

RELIT = 0.10  # seconds for which the light on a relief stays: it moves with the crop meanwhile
UNLIKE_SKIN = (30.0, 50.0)  # distance of colours, a and b, from skin's: what is not of one's body


@dataclass
class _Light:
    """Running colour statistics of one face, see `colour_stats`, and the light on its relief.

    Attributes:
        scene, toon: float32 [3, 3], of both.
        time: of what was seen last, seconds.
        skin: see `Surface.colour`; None before it was seen.
        lamp: see `lamp_of`; None before it was seen.
        relief: see `_on_relief`, of the toon of the time `relit`, seconds; None before that.
    """

    scene: NDArray[np.float32]
    toon: NDArray[np.float32]
    time: float
    skin: NDArray[np.float32] | None = None
    lamp: NDArray[np.float32] | None = None
    relief: Floats | None = None
    relit: float = -math.inf


class Lights(Memory[_Light]):
    """The light in which everybody stands who is drawn, over time."""

    def finish(
        self, identity: int, time: float, drawn: Drawn, settings: CompositingSettings
    ) -> Image:
        """One person's newest toon in the colours of the scene; its skin is ironed, its
        folds are lifted, and it is lit by its relief if the style wants that.

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
        scene, toon = colour_stats(photo, oval), colour_stats(small, oval)
        light = self._known.setdefault(identity, _Light(scene, toon, time))
        share = share_of(time - light.time, settings.memory)
        light.scene, light.toon = mix(light.scene, scene, share), mix(light.toon, toon, share)
        light.time = time
        field = match_field(small, light.toon, light.scene, settings.colour)
        if drawn.plan is not None:
            field = field + cloth_field(photo, small.bgr + field, drawn.plan, scene[0])
        field = field + seam_field(photo, small.bgr + field, keep, oval)
        if drawn.finish.relief and settings.relief and drawn.plan is not None:
            if not lately(time - light.relit, RELIT):
                share = share_of(time - light.relit, settings.memory)
                light.relief = _on_relief(field, drawn, light, share, photo, small)
                light.relit = time
            if light.relief is not None:
                finer = cv2.resize(field, light.relief.shape[:2])
                field = np.asarray(finer + light.relief, np.float32)
        return add_field(drawn.toon, field)


def _on_relief(
    field: Field, drawn: Drawn, light: _Light, share: float, photo: Small, toon: Small
) -> Floats | None:
    """What to add to a field of a toon for light on the face's relief, ironed skin and lifted
    folds, as fine as ironing is: float32 [F, F, 3]. None where no skin is seen. `light` learns of
    it."""
    assert drawn.plan is not None
    surface = surface_of(drawn, drawn.plan)
    light.skin = _followed(light.skin, surface.colour(toon.lab), share)
    if light.skin is None:
        return None
    relief = relief_of(surface, drawn, toon.lab, light.skin)
    lamp = lamp_of(relief, drawn, toon.lab[..., 0], photo.lab[..., 0])
    light.lamp = _followed(light.lamp, lamp, share)
    if light.lamp is None:
        return None
    fine = ironing(drawn.toon, relief.skin)[..., None]
    size = fine.shape[:2]
    ironed = cv2.resize(drawn.toon, size, interpolation=cv2.INTER_AREA).astype(np.float32) + fine
    shown = toon_points(drawn.points, drawn.plan)
    folds = fold_field(ironed, shown, relief.face, relief.bare, light.skin)
    coarse = cv2.resize(folds, field.shape[:2], interpolation=cv2.INTER_AREA)
    base = toon.bgr + field + coarse
    lit = fill_field(relief, base, light.lamp)
    lit = lit + relief_field(relief, base + lit, light.lamp)
    return np.asarray(cv2.resize(lit, size) + fine + folds, np.float32)


def _followed(
    old: NDArray[np.float32] | None, new: NDArray[np.float32] | None, share: float
) -> NDArray[np.float32] | None:
    """`old`, a `share` of the way to what is seen now; what is not seen changes nothing."""
    if old is None or new is None:
        return old if new is None else new
    return np.asarray(mix(old, new, share), np.float32)


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
