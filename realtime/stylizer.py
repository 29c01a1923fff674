"""Frame + faces -> stylised frame, through one batched engine call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.backends import Engine
from engines.errors import ToonifyError
from engines.faces.alignment import extract_crop, invert, transform_points
from engines.pictures import FloatMask, Image, Mask
from realtime.compositing import (
    GRID,
    Field,
    add_field,
    as_grid,
    border_fade,
    coarse,
    colour_stats,
    coverage,
    head_guess,
    match_field,
    oval_mask,
    paste,
    seam_field,
    toon_mask,
)
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.settings import CompositingSettings

COVERED = 0.995  # share of a face's landmarks that must lie under its toon


class StylizerError(ToonifyError):
    """The engine did not give one toon for each crop."""


@dataclass(frozen=True, eq=False)
class StylizedFrame:
    """A frame with toons in it.

    Attributes:
        image: uint8 [H, W, 3] BGR with the toons in it; the frame's own array if there are none.
        alpha: uint8 [H, W], 255 where a pixel is all toon, 0 where it is the frame's.
        covered: identities of the faces that lie wholly under toons, at full strength.
        toons: by identity, the toon as the engine drew it, uint8 [R, R, 3] BGR.
        crops: by identity, what the engine was given, uint8 [S, S, 3] BGR.
    """

    image: Image
    alpha: Mask
    covered: frozenset[int]
    toons: dict[int, Image]
    crops: dict[int, Image]


@dataclass
class _Drawn:
    """A face on its way to a toon: who draws it how strongly, its BGR crop and toon, its head."""

    face: TrackedFace
    engine: Engine
    strength: float
    crop: Image = field(init=False)
    toon: Image = field(init=False)
    head: Mask | None = None


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


@dataclass(frozen=True)
class Manner:
    """How one person is drawn.

    Attributes:
        engine: draws them, with the sizes of everybody's; None for everybody's.
        strength: 0..1; None for everybody's.
        bare: left as they are.
    """

    engine: Engine | None = None
    strength: float | None = None
    bare: bool = False


EVERYBODY = Manner()


class Stylizer:
    """Turns the faces of frames into toons.

    `engine`, `settings`, `strength` (0..1, at first the settings'), `max_faces` and `manners` (by
    identity, replaced and never changed) may be set at any time and count from the next frame on.
    Another engine must have the sizes of the first. `apply` belongs to one thread at a time. With
    `max_faces`, the faces known longest are drawn and the others stay as they are.
    """

    def __init__(
        self,
        engine: Engine,
        settings: CompositingSettings | None = None,
        max_faces: int | None = None,
    ) -> None:
        self.engine = engine
        self.settings = settings or CompositingSettings()
        self.strength = self.settings.strength
        self.max_faces = max_faces
        self.manners: Mapping[int, Manner] = {}
        self._lights: dict[int, _Light] = {}

    def apply(self, frame: Frame, faces: Sequence[TrackedFace]) -> StylizedFrame:
        """Draw the toon of every face into a copy of the frame, the nearest face last.

        Raises:
            StylizerError: the engine returned something other than one toon per crop.
        """
        return self.draw(frame, faces)()

    def draw(self, frame: Frame, faces: Sequence[TrackedFace]) -> Callable[[], StylizedFrame]:
        """`apply` in two steps: here the engine draws; the returned function pastes.

        The second step belongs to one thread, which may be another one.
        """
        engine, settings, everybody = self.engine, self.settings, self.strength
        oldest = sorted(faces, key=lambda face: face.identity)[: self.max_faces]
        drawn: list[_Drawn] = []
        for face in sorted(oldest, key=lambda face: face.side):
            manner = self.manners.get(face.identity, EVERYBODY)
            strength = everybody if manner.strength is None else manner.strength
            if strength > 0 and not manner.bare:
                drawn.append(_Drawn(face, manner.engine or engine, strength))
        if not drawn:
            clear = np.zeros(frame.image.shape[:2], np.uint8)
            return lambda: StylizedFrame(frame.image, clear, frozenset(), {}, {})
        size = engine.input_size
        for one in drawn:
            one.crop = extract_crop(frame.image, one.face.transform(size), size)
        for used in dict.fromkeys(one.engine for one in drawn):
            self._run(used, [one for one in drawn if one.engine is used])
        return lambda: self._paste(frame, drawn, settings)

    def _paste(
        self, frame: Frame, drawn: Sequence[_Drawn], settings: CompositingSettings
    ) -> StylizedFrame:
        image, alpha = frame.image.copy(), np.zeros(frame.image.shape[:2], np.uint8)
        for one in drawn:
            toon, mask = self._finish(
                one.face, one.crop, one.toon, one.head, frame.timestamp, settings
            )
            paste(image, alpha, toon, mask * np.float32(one.strength), one.face.transform(GRID))
        faces = [one.face for one in drawn]
        present = {face.identity for face in faces}
        self._lights = {k: v for k, v in self._lights.items() if k in present}
        return StylizedFrame(
            image,
            alpha,
            frozenset(f.identity for f in faces if coverage(alpha, f.landmarks) >= COVERED),
            {one.face.identity: one.toon for one in drawn},
            {one.face.identity: one.crop for one in drawn},
        )

    def reset(self) -> None:
        """Forget the scene's light; the next frame belongs to another stream."""
        self._lights = {}

    def _run(self, engine: Engine, drawn: Sequence[_Drawn]) -> None:
        """Give each a toon and a head mask, in as few calls as the engine's batches allow."""
        toons: list[Image] = []
        heads: list[Mask | None] = []
        batch = np.stack(
            [cv2.cvtColor(one.crop, cv2.COLOR_BGR2RGB) for one in drawn], dtype=np.uint8
        )
        for start in range(0, len(batch), engine.max_batch):
            part = batch[start : start + engine.max_batch]
            images, masks = engine.run(part)
            side = engine.output_size
            if images.shape != (len(part), side, side, 3) or images.dtype != np.uint8:
                raise StylizerError(
                    f"Expected {len(part)} toons uint8 [{side}, {side}, 3] from the engine "
                    f"{engine.name}, found {images.dtype} {list(images.shape)}."
                )
            toons += [cv2.cvtColor(toon, cv2.COLOR_RGB2BGR) for toon in images]  # also a copy
            heads += [None] * len(part) if masks is None else [mask.copy() for mask in masks]
        for one, toon, head in zip(drawn, toons, heads, strict=True):
            one.toon, one.head = toon, head

    def _finish(
        self,
        face: TrackedFace,
        crop: Image,
        toon: Image,
        head: Mask | None,
        time: float,
        settings: CompositingSettings,
    ) -> tuple[Image, FloatMask]:
        """The toon in the scene's colours, and where it goes."""
        points = transform_points(face.landmarks, invert(face.transform(1)))
        known = as_grid(head) if head is not None else head_guess(points)
        mask = toon_mask(settings.mode, points, known)
        oval = oval_mask(points, 0.0, 0.03)
        field = self._light_field(face.identity, crop, toon, oval, time)
        keep = {
            # A guessed head holds some wall, which must take the scene's colours.
            "head": oval_mask(points, 0.02, 0.08) if head is None else known,
            "face": oval_mask(points, -0.06, 0.08),
            "crop": np.maximum(known, border_fade(GRID, 0.35)),
        }[settings.mode]
        field = field + seam_field(crop, coarse(toon) + field, keep, oval)
        return add_field(toon, field), mask

    def _light_field(
        self, identity: int, crop: Image, toon: Image, oval: FloatMask, time: float
    ) -> Field:
        scene, drawn = colour_stats(crop, oval), colour_stats(toon, oval)
        light = self._lights.get(identity)
        if light is None:
            light = self._lights[identity] = _Light(scene, drawn, time)
        else:
            light.follow(scene, drawn, time, self.settings.memory)
        return match_field(toon, light.toon, light.scene, self.settings.colour)
