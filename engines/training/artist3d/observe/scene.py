"""Everything measured before drawing: the fitted head, its toon shape, the photo in that shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import CHIN, FACE_OVAL, FOREHEAD, Head
from engines.faces.pixels import Floats, Reals, blur, polygon, smoothstep, to_lab
from engines.training.artist import masks, skin_mask
from engines.training.artist.geometry import Warp
from engines.training.artist.spectacles import find_frame
from engines.training.artist3d.colour import rise, unit
from engines.training.artist3d.curves import closed_curve
from engines.training.artist3d.head.fit import Fit, fit_head
from engines.training.artist3d.head.rig import Rig
from engines.training.artist3d.head.stylise import EyeShape, stylise
from engines.training.artist3d.head.surface import Surface, draw_surface
from engines.training.artist3d.head.warp import warp_between
from engines.training.artist3d.observe.eyewear import find_eyewear
from engines.training.artist3d.observe.glance import glance
from engines.training.artist3d.observe.traits import About, Traits, traits_of
from engines.training.artist3d.segment import FaceParts, segment

BETWEEN_BROWS = 6  # landmark: root of the nose


@dataclass(frozen=True)
class Scene:
    """One face, measured. Pictures and masks are [S, S] in toon space unless they say photo."""

    size: int
    head: Head  # photo
    photo: Floats  # photo, 0..1
    photo_lab: Floats  # photo
    rig: Rig
    fit: Fit
    traits: Traits
    about: About
    vertices: NDArray[np.float64]  # toon, rig space
    eyes: tuple[EyeShape, EyeShape]
    warp: Warp
    rgb: Floats
    lab: Floats
    marks: masks.Features
    ring: Floats  # outline of the face, [N, 2]
    skin: Floats  # by colour
    skin_colour: NDArray[np.float64]  # mean Lab [3]
    person: Floats  # 0..1, its edge soft
    frame: Floats  # spectacle frame
    sunglasses: float
    parts: FaceParts
    surface: Surface
    up: Floats  # [2] unit vector up the head, y down
    above: Floats  # pixels above the eyes along the head
    across: Floats  # pixels to the right of the nose, across the head

    @property
    def points(self) -> Floats:
        """Toon landmarks [478, 3]."""
        return self.warp.landmarks

    @property
    def unit(self) -> float:
        """Distance of the eyes, pixels."""
        return self.head.unit

    @property
    def colour(self) -> float:
        """0 for grey photos, 1 for coloured ones."""
        return masks.colourfulness(self.skin_colour)


def aged_by_hair(traits: Traits, lab: Floats, parts: FaceParts) -> Traits:
    """White hair makes old whoever is not young by the rest of the face."""
    top = parts.hair > 0.6
    if top.sum() < 300:
        return traits
    light, a, b = np.median(lab[top], 0)
    white = float(rise(58, 68, light) * rise(13, 8, np.hypot(a, b)) * rise(36, 43, traits.age))
    return replace(
        traits,
        old=max(traits.old, 0.85 * white),
        age=max(traits.age, white * 66 + (1 - white) * 20),
    )


def observe(
    rig: Rig,
    rgb: NDArray[np.uint8],
    landmarks: Reals,
    person: Floats,
    blendshapes: dict[str, float],
    about: About | None,
    strength: float,
) -> Scene:
    """Fit and restyle the head, warp the photo, find person, skin and spectacles.

    Args:
        rig: the head model.
        rgb: uint8 [S, S, 3].
        landmarks: [478, 3] pixels.
        person: float32 [S, S], 0..1.
        blendshapes: MediaPipe's scores by name.
        about: what kind of person; None to `glance`.
        strength: of the shape, 0..1.
    """
    size = rgb.shape[0]
    photo = rgb.astype(np.float32) / 255
    photo_lab = to_lab(photo)
    points = np.asarray(landmarks, np.float64)
    head = Head(points.astype(np.float32))
    fit = fit_head(rig, points, blendshapes)
    about = about or glance(rgb, points, fit.identity)
    own_parts = segment(rgb, points, person)
    spectacles = find_frame(photo_lab, head)
    wears, dark = find_eyewear(photo_lab, head, own_parts, spectacles.certainty, about.glasses)
    glasses, sunglasses = float(wears), float(dark)
    traits = traits_of(about, blendshapes, max(glasses, sunglasses))
    traits = aged_by_hair(traits, photo_lab, own_parts)
    vertices, eyes = stylise(rig, fit, traits, strength)
    warp = warp_between(rig, fit.camera, fit.vertices, vertices, points, size)
    warped = np.clip(warp.apply(photo), 0, 1)
    lab = to_lab(warped)
    toon = warp.landmarks
    ring = closed_curve(toon[FACE_OVAL, :2].astype(np.float64))
    marks = replace(masks.features(toon, head.unit, size), oval=polygon(size, ring))
    skin, skin_colour = skin_mask.skin(lab, toon, head.unit, marks)
    parts = FaceParts(
        **{k: np.clip(warp.apply(v, cv2.INTER_LINEAR), 0, 1) for k, v in vars(own_parts).items()}
    )
    inside = np.clip(warp.apply(person, cv2.INTER_LINEAR), 0, 1)
    inside = np.maximum(masks.person_edge(warped, inside), blur(marks.oval, 2))
    inside = np.maximum(inside, smoothstep(0.3, 0.8, 1 - parts.other))
    edge = smoothstep(0.12, 0.80, inside)
    frame = np.zeros((size, size), np.float32)
    if glasses > 0:
        frame = np.clip(warp.apply(spectacles.mask), 0, 1)
    up = unit(toon[FOREHEAD, :2] - toon[CHIN, :2]).astype(np.float32)
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    x, y = columns - toon[BETWEEN_BROWS, 0], rows - toon[BETWEEN_BROWS, 1]
    return Scene(
        size, head, photo, photo_lab, rig, fit, traits, about, vertices, eyes, warp, warped, lab,
        marks, ring, skin, skin_colour, edge, frame, sunglasses, parts,
        draw_surface(rig, fit.camera, vertices, edge), up, x * up[0] + y * up[1],
        y * up[0] - x * up[1],
    )  # fmt: skip
