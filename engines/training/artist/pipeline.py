"""The whole drawing: photo + landmarks + person mask -> toon + head mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.faces.build import lash_strength
from engines.faces.eyes.iris import iris_sample
from engines.faces.eyes.paint import EyePaint, scene_light
from engines.faces.eyes.painted import paint_eye
from engines.faces.eyes.shape import EyeShape
from engines.faces.features import BROW, look_together
from engines.faces.pixels import (
    Floats,
    Reals,
    blur,
    mix,
    polygon,
    smoothstep,
    to_lab,
    to_rgb,
)
from engines.training.artist import masks
from engines.training.artist.brows import draw_brows
from engines.training.artist.comic import comic
from engines.training.artist.imaging import luminance, union
from engines.training.artist.looks import FILM, Look
from engines.training.artist.mouth import fresh_lips, tidy_teeth
from engines.training.artist.relight import Lit, add_rim, grade, relight
from engines.training.artist.scene import Scene, observe
from engines.training.artist.skin import Painting, paint
from engines.training.drawing import ToonResult, check_portrait


def toonify(
    rgb: NDArray[np.uint8], landmarks: Reals, *, person: Floats, look: Look = FILM
) -> ToonResult:
    """Draw an aligned portrait as a film cartoon.

    A pure function: the same input gives the same picture.  About 0.8 s at 512 px on one core.

    Args:
        rgb: uint8 [S, S, 3], a face cropped as FFHQ crops it; drawn for S = 512.
        landmarks: [478, 3] MediaPipe landmarks in pixels, z on the same scale.
        person: float32 [S, S] probability of person, 0..1 (`engines.faces.person`).
        look: art direction.

    Raises:
        ArtistError: shapes or types that do not fit together.
    """
    check_portrait(rgb, landmarks, person)
    scene = observe(rgb, landmarks, person, look)
    edge = smoothstep(0.12, 0.80, scene.person)
    head = (masks.head_region(scene.head, scene.points, edge) * 255 + 0.5).astype(np.uint8)
    if scene.strength == 0:
        return ToonResult(rgb.copy(), head, scene.warp)
    painting = paint(scene, look)
    lit = relight(scene, look, painting)
    image = _draw_features(scene, lit)
    image = _draw_eyes(scene, look, painting, lit, image)
    image = grade(scene, add_rim(scene, look, image, lit.side), head / np.float32(255), lit.target)
    if look.name == "comic":
        image = comic(image)
    # Around the person the toon is the photo, because it has to fit into the scene.
    image = mix(scene.rgb, image, scene.strength * edge)
    return ToonResult((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), head, scene.warp)


def _draw_features(scene: Scene, lit: Lit) -> Floats:
    """Lips, teeth, brows, and the photo's own spectacle frame."""
    image = fresh_lips(lit.rgb, scene.marks.lips, scene.points, scene.unit, scene.colour)
    image = tidy_teeth(image, scene.points, scene.unit, lit.skin_light)
    free = (1 - 0.9 * blur(scene.frame, 1.5)) * (1 - scene.sunglasses)
    image = mix(image, draw_brows(image, scene.brows, lit.target * 100), free)
    if scene.glasses > 0.02:
        crisp = to_lab(scene.rgb)
        crisp[..., 0] = np.clip(crisp[..., 0] * 0.95, 0, 100)
        image = mix(image, to_rgb(crisp), np.clip(scene.frame * 1.1, 0, 1) * 0.85)
    return image


def _draw_eyes(scene: Scene, look: Look, painting: Painting, lit: Lit, image: Floats) -> Floats:
    """Both eyes in one iris colour; nothing under sunglasses, frames stay in front."""
    if scene.sunglasses >= 0.98:
        return image
    skin_light = float(scene.skin_colour[0])
    samples, areas = zip(
        *(
            iris_sample(scene.photo_lab, scene.head.landmarks, eye, scene.skin_colour)
            for eye in range(2)
        ),
        strict=True,
    )
    shares = np.array([a * o + 1e-3 for a, o in zip(areas, scene.openness, strict=True)])
    iris = (np.stack(samples) * shares[:, None]).sum(0) / shares.sum()
    on_brow = union(polygon(scene.size, scene.points[ids]) for ids in BROW) > 0.5
    brow_light = 0.15
    if on_brow.sum() > 20:
        brow_light = float(np.percentile(luminance(scene.rgb)[on_brow], 8))
    shared = EyePaint.mixed(
        iris,
        light=lit.target,
        skin=painting.skin_ab,
        photo_skin=skin_light,
        photo_brow=brow_light,
        contrast=brow_light / (lit.skin_light + 0.05),
        scene=scene_light(scene.photo_lab[..., 0]),
        lashes=lash_strength(scene.head),
        iris_scale=look.iris,
        light_side=lit.side,
        colour=scene.colour,
        unit=scene.unit,
    )
    points = scene.points.copy()
    look_together(points, scene.openness)
    in_front = np.clip(blur(scene.frame, 0.8) * 1.2, 0, 1) * 0.6
    for eye, open_ in enumerate(scene.openness):
        drawn = paint_eye(image, EyeShape.of(points, eye, open_), shared)
        image = mix(image, drawn, (1 - scene.sunglasses) * (1 - in_front))
    return image
