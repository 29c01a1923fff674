"""Frame + faces -> stylised frame, through one batched engine call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
    Small,
    add_field,
    as_grid,
    border_fade,
    colour_stats,
    head_guess,
    match_field,
    oval_mask,
    seam_field,
    toon_mask,
)
from realtime.faces.face import TrackedFace
from realtime.frame import Frame, as_uint8
from realtime.settings import CompositingSettings
from realtime.toons.detail import Detail
from realtime.toons.pasting import coverage, paste

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


class _Drawing(NamedTuple):
    """What the engine drew for one crop.

    Attributes:
        toon: uint8 [R, R, 3] BGR.
        head: uint8 [M, M], 255 = head; None for an engine without masks.
        plan: see `realtime.toons.detail.Detail`; None for an engine that does not say.
    """

    toon: Image
    head: Mask | None
    plan: NDArray[np.float32] | None


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


class Stylizer:
    """Turns the faces of frames into toons.

    `settings` and `strength` (0..1, at first the settings') may be set at any time and count from
    the next frame on. `apply` belongs to one thread at a time. With `max_faces`, the faces known
    longest are drawn and the others stay as they are.
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
        self._max_faces = max_faces
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
        strength = self.strength
        oldest = sorted(faces, key=lambda face: face.identity)[: self._max_faces]
        faces = sorted(oldest, key=lambda face: face.side)
        if not faces or strength == 0:
            clear = np.zeros(frame.image.shape[:2], np.uint8)
            return lambda: StylizedFrame(frame.image, clear, frozenset(), {}, {})
        size = self.engine.input_size
        crops = [extract_crop(frame.image, face.transform(size), size) for face in faces]
        drawings = self._run(crops)
        return lambda: self._paste(frame, faces, crops, drawings, strength)

    def _paste(
        self,
        frame: Frame,
        faces: Sequence[TrackedFace],
        crops: list[Image],
        drawings: list[_Drawing],
        strength: float,
    ) -> StylizedFrame:
        image, alpha = frame.image.copy(), np.zeros(frame.image.shape[:2], np.uint8)
        for face, crop, drawing in zip(faces, crops, drawings, strict=True):
            drawn, mask = self._finish(face, crop, drawing, frame.timestamp)
            detail = None
            if drawing.plan is not None:
                detail = Detail(drawing.plan, frame.image, self.engine.input_size)
            weight = mask * np.float32(strength)
            paste(image, alpha, drawn, weight, face.transform(GRID), detail)
        present = {face.identity for face in faces}
        self._lights = {k: v for k, v in self._lights.items() if k in present}
        return StylizedFrame(
            image,
            alpha,
            frozenset(f.identity for f in faces if coverage(alpha, f.landmarks) >= COVERED),
            {face.identity: drawn.toon for face, drawn in zip(faces, drawings, strict=True)},
            {face.identity: crop for face, crop in zip(faces, crops, strict=True)},
        )

    def reset(self) -> None:
        """Forget the scene's light; the next frame belongs to another stream."""
        self._lights = {}

    def _run(self, crops: list[Image]) -> list[_Drawing]:
        """BGR crops -> drawings, in as few engine calls as its batches allow."""
        drawings: list[_Drawing] = []
        batch = np.stack([cv2.cvtColor(crop, cv2.COLOR_BGR2RGB) for crop in crops], dtype=np.uint8)
        for start in range(0, len(batch), self.engine.max_batch):
            part = batch[start : start + self.engine.max_batch]
            images, masks, plans = self.engine.run(part)
            side = self.engine.output_size
            if images.shape != (len(part), side, side, 3) or images.dtype != np.uint8:
                raise StylizerError(
                    f"Expected {len(part)} toons uint8 [{side}, {side}, 3] from the engine "
                    f"{self.engine.name}, found {images.dtype} {list(images.shape)}."
                )
            for i, image in enumerate(images):  # copies: the engine draws into the same memory
                toon = as_uint8(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
                head = None if masks is None else masks[i].copy()
                drawings.append(_Drawing(toon, head, None if plans is None else plans[i].copy()))
        return drawings

    def _finish(
        self,
        face: TrackedFace,
        crop: Image,
        drawing: _Drawing,
        time: float,
    ) -> tuple[Image, FloatMask]:
        """The toon in the scene's colours, and where it goes."""
        settings, toon, head = self.settings, drawing.toon, drawing.head
        points = transform_points(face.landmarks, invert(face.transform(1)))
        known = as_grid(head) if head is not None else head_guess(points)
        mask = toon_mask(settings.mode, points, known)
        oval = oval_mask(points, 0.0, 0.03)
        if settings.mode == "face":
            keep = oval_mask(points, -0.06, 0.08)
        elif settings.mode == "crop":
            keep = np.maximum(known, border_fade(GRID, 0.35))
        else:  # a guessed head holds some wall, which must take the scene's colours
            keep = oval_mask(points, 0.02, 0.08) if head is None else known
        photo, small = Small.of(crop), Small.of(toon)
        field = self._light_field(face.identity, photo, small, oval, time)
        field = field + seam_field(photo, small.bgr + field, keep, oval)
        return add_field(toon, field), mask

    def _light_field(
        self, identity: int, photo: Small, toon: Small, oval: FloatMask, time: float
    ) -> Field:
        scene, drawn = colour_stats(photo, oval), colour_stats(toon, oval)
        light = self._lights.get(identity)
        if light is None:
            light = self._lights[identity] = _Light(scene, drawn, time)
        else:
            light.follow(scene, drawn, time, self.settings.memory)
        return match_field(toon, light.toon, light.scene, self.settings.colour)
