"""From the toon that a network drew to the one that is pasted: shape, light, features, hair, eyes.

What a style may want done to its toons (`engines.finish.Finish`) is done or prepared here, in the
order in which each step needs the one before. Eyes and the hairs of brows are painted where a
toon lands, at the frame's own resolution.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import invert, transform_points
from engines.pictures import FloatMask, Image, Mask
from realtime.compositing import as_grid, head_guess
from realtime.faces.face import TrackedFace
from realtime.settings import CompositingSettings
from realtime.toons.brows.watch import BrowWatch, Photo
from realtime.toons.detail import WORTH, brows_of, fitted, sharpened, without
from realtime.toons.engine_call import EngineToon
from realtime.toons.eyes.painting import Eyes
from realtime.toons.eyes.watch import EyeWatch
from realtime.toons.features import film_features, without_mouth
from realtime.toons.finish.drawn import Drawn
from realtime.toons.finish.ink import inked
from realtime.toons.finish.light import Lights
from realtime.toons.finish.locks import HairWatch, combed
from realtime.toons.mouth.lips import LipWatch
from realtime.toons.mouth.moustache import with_moustache
from realtime.toons.places import toon_points
from realtime.toons.shapes.reshape import reshaped
from realtime.toons.softness import SoftWatch


@dataclass(frozen=True, eq=False)
class Finished:
    """A toon that is ready to be pasted.

    Attributes:
        image: uint8 [R, R, 3] BGR, crisp, in the scene's colours.
        plan: see `realtime.toons.detail.Detail`; None for an engine that does not say.
        locks: where its hair was painted, float32 [GRID, GRID]; None where it was not.
        brows: where its brows get hairs, float32 [M, M]; None where they do not.
        eyes: painted over it, if they are to be.
    """

    image: Image
    plan: NDArray[np.float32] | None = None
    locks: FloatMask | None = None
    brows: FloatMask | None = None
    eyes: Eyes | None = None


class Finisher:
    """Finishes toons, and knows light, eyes, brows, hair and lips of everybody over time."""

    def __init__(self) -> None:
        self._lights, self._eyes = Lights(), EyeWatch()
        self._brows, self._hair, self._lips = BrowWatch(), HairWatch(), LipWatch()
        self._soft = SoftWatch()

    def finish(
        self,
        face: TrackedFace,
        time: float,
        crop: Image,
        toon: EngineToon,
        settings: CompositingSettings,
    ) -> Finished:
        """One person's newest toon, ready to be pasted.

        Args:
            face: as it was in the frame that was drawn.
            time: of that frame, seconds.
            crop: what the engine was given, uint8 [S, S, 3] BGR.
            toon: what it drew.
            settings: what is wanted.
        """
        points = in_crop(face)
        head = head_of(toon.head, points)
        image, plan, wish = fitted(toon.image, face.side), toon.plan, toon.finish
        drawn = Drawn(crop, image, points, head, toon.head is not None, plan, wish, face.right)
        if plan is None:
            return Finished(self._lights.finish(face.identity, time, drawn, settings))
        own = wish.reshaped and settings.reshape
        if settings.eyes != 1 or own:
            image, plan = reshaped(image, plan, points, settings.eyes, own, settings.childlike)
        drawn = drawn._replace(toon=sharpened(image), plan=plan)
        image = self._lights.finish(face.identity, time, drawn, settings)
        featured = (wish.relief and settings.relief) or (wish.inked and settings.ink)
        painted_eyes = wish.painted_eyes and settings.paint_eyes
        shown = toon_points(points, plan) if featured or painted_eyes else points[:, :2]
        soft = 0.0
        if featured or painted_eyes:
            soft = self._soft.see(face.identity, time, crop, points)
        if featured:
            lips = self._lips.see(face.identity, time, crop, points)
            if lips and wish.relief and settings.relief:
                image = with_moustache(image, crop, plan, shown, lips.moustache)
            image, mouth = film_features(image, shown, wish.relief and settings.relief, lips, soft)
            plan = without_mouth(plan, shown, mouth)
        locks = None
        if settings.paint_hair and settings.mode == "head":
            drawn = drawn._replace(toon=image)
            image, locks = combed(drawn, self._hair.see(face.identity, time, drawn))
        zoom = face.side / crop.shape[0]
        eyes, painted = None, np.zeros(1, np.float32)
        if painted_eyes:
            eyes = self._eyes.see(face.identity, time, crop, image, points, shown, zoom, soft)
            photo = Photo(crop, points[:, :2], soft) if own else None
            image, painted = self._brows.even(
                face.identity, time, image, shown, eyes.trust, plan.shape[1], photo
            )
            plan = without(plan, painted)
        brows = None
        if wish.inked and settings.ink:
            image = inked(image, head, points, face.side)
        elif wish.haired_brows and zoom >= WORTH:
            brows = brows_of(image, points, plan) * (1 - painted)
        return Finished(image, plan, locks, brows, eyes)

    def forget(self, but: Collection[int] = ()) -> None:
        """Forget everybody `but` some."""
        for memory in (self._lights, self._eyes, self._brows, self._hair, self._lips, self._soft):
            memory.forget(but)


def in_crop(face: TrackedFace) -> NDArray[np.float32]:
    """A face's landmarks, 0..1 across its crop: float32 [478, 3]."""
    return transform_points(face.landmarks, invert(face.transform(1)))


def head_of(head: Mask | None, points: NDArray[np.float32]) -> FloatMask:
    """Where a toon's head is, as it says or as is usual: float32 [GRID, GRID]."""
    return as_grid(head) if head is not None else head_guess(points)
