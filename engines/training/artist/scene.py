"""Everything the artist measures before drawing: the face in toon space, its masks, its colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.build import heaviness
from engines.faces.features import BROW_BOTTOM, EYE, LOWER_LID, UPPER_LID, openness
from engines.faces.head import FACE_OVAL, MOUTH_CORNERS, NOSE_BALL, UNDER_EYE, Head
from engines.faces.pixels import Floats, Reals, blur, disc, polygon, smoothstep, step, to_lab
from engines.training.artist import masks, skin_mask
from engines.training.artist.brows import Brows, find_brows
from engines.training.artist.geometry import Warp, plan, warp
from engines.training.artist.imaging import union
from engines.training.artist.looks import Look
from engines.training.artist.spectacles import find_frame
from engines.training.artist.surface import Surface, surface

BETWEEN_EYES = [55, 107, 336, 285, 464, 453, 419, 5, 196, 233, 244]


@dataclass(frozen=True)
class EyeBand:
    """The skin around eyes and brows, which is painted again."""

    repaint: Floats  # [S, S] 0..1
    reference: Floats  # [S, S] untouched skin whose light and colour it takes


@dataclass(frozen=True)
class Scene:
    """One face, measured.  Pictures and masks are [S, S] in toon space unless they say photo."""

    strength: float
    size: int
    head: Head  # photo
    warp: Warp
    photo_lab: Floats  # photo
    rgb: Floats
    lab: Floats
    shape: Surface
    marks: masks.Features
    person: Floats
    skin: Floats
    skin_colour: NDArray[np.float64]  # mean Lab [3]
    frame: Floats  # spectacle frame
    glasses: float
    sunglasses: float
    openness: tuple[float, float]
    brows: Brows
    band: EyeBand

    @property
    def points(self) -> Floats:
        """Toon landmarks [478, 3]."""
        return self.warp.landmarks

    @property
    def unit(self) -> float:
        """Eye distance in pixels."""
        return self.head.unit

    @cached_property
    def heavy(self) -> float:
        """How heavily the face is built, 0..1."""
        return heaviness(self.head)

    @cached_property
    def plain_skin(self) -> Floats:
        """Skin without eyes and lips."""
        return np.clip(self.skin * (1 - self.marks.eyes) * (1 - self.marks.lips * 0.85), 0, 1)

    @cached_property
    def all_skin(self) -> Floats:
        """Plain skin and what is repainted as skin."""
        return np.maximum(self.plain_skin, self.band.repaint)

    @cached_property
    def own_nose(self) -> Floats:
        """The nose below the eyes [S, S], with tip and wings: by these friends know it."""
        return polygon(self.size, self.points[NOSE_BALL], 0.13 * self.unit, 0.03 * self.unit)

    @cached_property
    def below_jaw(self) -> Floats:
        """1 on the neck and all that lies under the jaw's edge [S, S], 0 on the face."""
        face = polygon(self.size, self.points[FACE_OVAL], 0.025 * self.unit)
        mouth = float(self.head.flat(self.points[list(MOUTH_CORNERS)])[:, 1].mean())
        _, y = self.head.grid(self.size)
        return (1 - face) * smoothstep(mouth - 0.35, mouth + 0.10, y)

    @property
    def colour(self) -> float:
        """0 for grey photos, 1 for coloured ones."""
        return masks.colourfulness(self.skin_colour)

    @property
    def gloss(self) -> float:
        """How much the skin's look depends on its sheen: dark skin 1, light skin 0."""
        return step(50, 30, float(self.skin_colour[0])) * self.rich

    @property
    def rich(self) -> float:
        """How surely dark skin is dark by itself, 0..1: chroma falls with the light, so skin that
        only stands in shade has less of it than dark skin has."""
        return step(0.38, 0.52, float(np.hypot(*self.skin_colour[1:]) / self.skin_colour[0]))


def observe(rgb: NDArray[np.uint8], landmarks: Reals, person: Floats, look: Look) -> Scene:
    """Warp the photo into the toon's shape and find skin, brows, glasses and person in it."""
    size = rgb.shape[0]
    photo = rgb.astype(np.float32) / 255
    head = Head(landmarks.astype(np.float32))
    unit = head.unit
    photo_lab = to_lab(photo)
    opened = openness(head.landmarks)
    sunglasses = masks.sunglasses_level(photo_lab, head.landmarks)
    spectacles = find_frame(photo_lab, head)
    glasses = step(0.5, 0.7, spectacles.certainty) * (1 - sunglasses)  # less may be wrinkles
    field = warp(head, plan(head, look, opened, glasses=glasses, sunglasses=sunglasses), size)
    points = field.landmarks
    warped = np.clip(field.apply(photo), 0, 1)
    lab = to_lab(warped)
    marks = masks.features(points, unit, size)
    skin, skin_colour = skin_mask.skin(lab, points, unit, marks)
    inside = np.clip(field.apply(person, cv2.INTER_LINEAR), 0, 1)
    inside = np.maximum(masks.person_edge(warped, inside), blur(marks.oval, 2))
    skin = skin * inside
    frame: Floats = np.zeros((size, size), np.float32)
    if glasses > 0.02:
        frame = np.clip(field.apply(spectacles.mask), 0, 1) * glasses
        skin = skin * (1 - frame)
    brows = find_brows(lab, skin, head, points)
    cover = brows.cover * (1 - 0.85 * glasses * blur(frame, 2))
    free = (1 - frame) * (1 - sunglasses) * (1 - masks.foreign(lab, skin_colour, points, unit))
    band = _eye_band(points, unit, skin, marks, cover, free)
    return Scene(
        float(np.clip(look.strength, 0, 1)), size, head, field, photo_lab, warped, lab,
        surface(points, head, size), marks, inside, skin, skin_colour, frame, glasses, sunglasses,
        opened, brows, band,
    )  # fmt: skip


def _eye_band(
    points: Floats, unit: float, skin: Floats, marks: masks.Features, cover: Floats, free: Floats
) -> EyeBand:
    """Lashes, liner, bags, dark sockets, brows and the bridge between them; `free` of frames
    and cloth."""
    size = skin.shape[0]
    ring = union(polygon(size, points[ids], 0.10 * unit, 0.22 * unit) for ids in EYE)
    bags, sockets = [], []
    for eye in range(2):
        bag = points[UNDER_EYE[eye] + LOWER_LID[eye][::-1]]
        socket = points[UPPER_LID[eye] + BROW_BOTTOM[eye][::-1]]
        bags.append(polygon(size, bag, 0.10 * unit, 0.20 * unit))
        sockets.append(polygon(size, socket, 0.05 * unit, 0.02 * unit))
    between = polygon(size, points[BETWEEN_EYES], 0.06 * unit, 0.06 * unit)
    feet = masks.crows_feet(points, unit, size)
    zone: Floats = union([ring, feet, *bags, *sockets, between, cover]).astype(np.float32)
    zone = cv2.morphologyEx(zone, cv2.MORPH_CLOSE, disc(0.16 * unit))
    zone = np.clip(blur(zone, 0.03 * unit) * 1.1, 0, 1)
    zone = zone * polygon(size, points[FACE_OVAL], 0.06 * unit, 0.08 * unit)
    near_skin = blur(np.clip(skin - marks.all, 0, 1), 0.25 * unit)  # a fringe is left alone
    repaint = zone * smoothstep(0.04, 0.20, near_skin) * free
    drawn = union([marks.eyes, cover, ring * 0.9, feet, *bags, *sockets, between * 0.5, marks.lips])
    return EyeBand(repaint, np.clip(skin - drawn * 1.3, 0, 1) * marks.oval)
