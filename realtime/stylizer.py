"""Frame + faces -> stylised frame, through one batched engine call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from engines.backends import Engine
from engines.faces.alignment import extract_crop
from engines.pictures import Image, Mask
from realtime.compositing import GRID, head_share, oval_mask, toon_mask
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.room import painted
from realtime.settings import CompositingSettings
from realtime.toons.detail import Detail, brushed, room_about
from realtime.toons.engine_call import EngineToon, run_engine
from realtime.toons.finisher import Finished, Finisher, head_of, in_crop
from realtime.toons.heads import Heads
from realtime.toons.pasting import coverage, paste

COVERED = 0.995  # share of a face's landmarks that must lie under its toon


@dataclass(frozen=True, eq=False)
class StylizedFrame:
    """A frame with toons in it.

    Attributes:
        image: uint8 [H, W, 3] BGR with the toons in it; the frame's own array if there are none.
        alpha: uint8 [H, W], 255 where a pixel is all toon, 0 where it is the frame's.
        covered: identities of the faces that lie wholly under toons, at full strength.
        toons: by identity, the toon as the engine drew it, uint8 [R, R, 3] BGR.
        crops: by identity, what the engine was given, uint8 [S, S, 3] BGR.
        heads: see `realtime.guard.Output`.
    """

    image: Image
    alpha: Mask
    covered: frozenset[int]
    toons: dict[int, Image]
    crops: dict[int, Image]
    heads: Callable[[], Mask] | None = None


@dataclass(eq=False)
class _Toon:
    """What the engine drew for one face.

    Attributes:
        face: as it was in the frame that was drawn.
        strength: share of the toon, 0..1.
        crop: what the engine was given, uint8 [S, S, 3] BGR.
        drawn: the toon.
        finished: ready to be pasted; None before it is first pasted.
    """

    face: TrackedFace
    strength: float
    crop: Image
    drawn: EngineToon
    finished: Finished | None = None


@dataclass(eq=False)
class Drawing:
    """The toons of one frame, for this frame and those until the next drawing; see
    `realtime.stages.Drawing`."""

    frame: Frame
    faces: Sequence[TrackedFace]
    settings: CompositingSettings
    stylizer: Stylizer
    toons: dict[int, _Toon] = field(default_factory=dict)

    def finish(self) -> None:
        """Make the toons ready to be pasted, see `realtime.toons.finisher`, unless they are."""
        self.stylizer.finish(self)

    def paste(self) -> StylizedFrame:
        """The frame that they were drawn for, with the toons in it."""
        return self.move(self.frame, self.faces)

    def move(self, frame: Frame, faces: Sequence[TrackedFace]) -> StylizedFrame:
        """A later frame with the toons in it.

        Args:
            frame: that frame.
            faces: where the faces are in it. Those that were not drawn stay as they are, and do not
                count as covered.
        """
        return self.stylizer.place(self, frame, faces)


@dataclass(frozen=True)
class Manner:
    """How one person is drawn.

    Attributes:
        engine: draws them; None for everybody's.
        strength: 0..1; None for everybody's.
        bare: left as they are.
    """

    engine: Engine | None = None
    strength: float | None = None
    bare: bool = False


class Stylizer:
    """Turns the faces of frames into toons.

    `engine`, `settings`, `strength` (0..1, at first the settings'), `max_faces` and `manners` (by
    identity, replaced and never changed) may be set at any time and count from the next drawing on.
    `apply` belongs to one thread at a time. With `max_faces`, the faces known longest are drawn and
    the others stay as they are.
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
        self._finisher = Finisher()

    def apply(self, frame: Frame, faces: Sequence[TrackedFace]) -> StylizedFrame:
        """Draw the toon of every face into a copy of the frame, the nearest face last.

        Raises:
            StylizerError: the engine returned something other than one toon per crop.
        """
        return self.draw(frame, faces).paste()

    def draw(self, frame: Frame, faces: Sequence[TrackedFace]) -> Drawing:
        """`apply` in steps: here the engine draws; the drawing finishes and pastes itself.

        Each step belongs to one thread, which may be another one.
        """
        drawing = Drawing(frame, faces, self.settings, self)
        everybody = self.engine, self.strength
        chosen: dict[Engine, list[tuple[TrackedFace, float]]] = {}
        for face in sorted(faces, key=lambda face: face.identity)[: self.max_faces]:
            manner = self.manners.get(face.identity, Manner())
            engine = manner.engine or everybody[0]
            strength = everybody[1] if manner.strength is None else manner.strength
            if strength > 0 and not manner.bare:
                chosen.setdefault(engine, []).append((face, strength))
        for engine, group in chosen.items():
            size = engine.input_size
            crops = [extract_crop(frame.image, face.transform(size), size) for face, _ in group]
            drawn = run_engine(engine, crops)
            for (face, strength), crop, one in zip(group, crops, drawn, strict=True):
                drawing.toons[face.identity] = _Toon(face, strength, crop, one)
        return drawing

    def finish(self, drawing: Drawing) -> None:
        """Make the toons of a drawing ready to be pasted, unless they are."""
        for toon in drawing.toons.values():
            if toon.finished is None:
                toon.finished = self._finisher.finish(
                    toon.face, drawing.frame.timestamp, toon.crop, toon.drawn, drawing.settings
                )
        self._finisher.forget(but=drawing.toons)

    def place(self, drawing: Drawing, frame: Frame, faces: Sequence[TrackedFace]) -> StylizedFrame:
        """A frame with drawn toons in it, each where its face is in this very frame: its mask is
        made from the landmarks that the face has now."""
        toons = drawing.toons
        if any(toon.finished is None for toon in toons.values()):
            self.finish(drawing)
        drawn = sorted((f for f in faces if f.identity in toons), key=lambda face: face.side)
        alpha = np.zeros(frame.image.shape[:2], np.uint8)
        heads = Heads(frame.image.shape[:2])
        room = painted(frame.image) if drawn and drawing.settings.paint_room else frame.image
        image = room.copy() if drawn else room
        for face in drawn:
            toon = toons[face.identity]
            finished = toon.finished
            assert finished
            points = in_crop(face)
            mode, head = drawing.settings.mode, head_of(toon.drawn.head, points)
            mask = toon_mask(mode, points, head) * np.float32(toon.strength)
            transform = face.transform(GRID)
            detail = None
            if finished.plan is not None:
                beside = None
                if mode == "head":
                    beside = room_about(head, finished.plan, oval_mask(points, 0.0, 0.02))
                plan = brushed(finished.plan, head, finished.locks, finished.brows)
                detail = Detail(plan, room, toon.crop.shape[0], beside)
            landed = paste(image, alpha, finished.image, mask, transform, detail, finished.eyes)
            heads.add(landed, transform, partial(head_share, mode, head))
        return StylizedFrame(
            image,
            alpha,
            frozenset(f.identity for f in drawn if coverage(alpha, f.landmarks) >= COVERED),
            {identity: toon.drawn.image for identity, toon in toons.items()},
            {identity: toon.crop for identity, toon in toons.items()},
            heads.picture,
        )

    def reset(self) -> None:
        """Forget light, eyes, brows and hair; the next frame belongs to another stream."""
        self._finisher.forget()
