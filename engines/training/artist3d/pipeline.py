"""The whole drawing: photo + landmarks + person mask -> film character + head mask + map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, Reals, blur, mix, smoothstep, to_lab, to_rgb
from engines.training.artist import masks
from engines.training.artist.imaging import luminance
from engines.training.artist3d.colour import to_srgb
from engines.training.artist3d.head.rig import Rig, default_rig
from engines.training.artist3d.looks import FILM, Look
from engines.training.artist3d.observe.region import Region, find_region
from engines.training.artist3d.observe.scene import Scene, observe
from engines.training.artist3d.observe.tone import Tone, find_tone
from engines.training.artist3d.observe.traits import About
from engines.training.artist3d.paint import hair as hair_art
from engines.training.artist3d.paint.brows import draw_brows
from engines.training.artist3d.paint.eyes import draw_eyes
from engines.training.artist3d.paint.ink import comic
from engines.training.artist3d.paint.light import (
    Lamp,
    cast_shadow,
    find_lamp,
    irradiance,
    occlusion,
)
from engines.training.artist3d.paint.mouth import draw_mouth
from engines.training.artist3d.paint.relief import own_structure
from engines.training.artist3d.paint.skin import (
    mean_light,
    paint_lips,
    relative_shade,
    roll_off,
    shine,
    skin_albedo,
)
from engines.training.artist3d.paint.spectacles import draw_spectacles
from engines.training.drawing import ToonResult, check_portrait


def toonify(
    rgb: NDArray[np.uint8],
    landmarks: Reals,
    *,
    person: Floats,
    about: About | None = None,
    blendshapes: dict[str, float] | None = None,
    look: Look = FILM,
    rig: Rig | None = None,
) -> ToonResult:
    """Draw an aligned portrait as a character of an animated film.

    A pure function: the same input gives the same picture.

    Args:
        rgb: uint8 [S, S, 3], a face cropped as FFHQ crops it; drawn for S = 512.
        landmarks: [478, 3] MediaPipe landmarks in pixels, z on the same scale.
        person: float32 [S, S] probability of person, 0..1 (`engines.faces.person`).
        about: what kind of person; by default `glance` judges it.
        blendshapes: MediaPipe's scores by name, a help for the fit.
        look: art direction.
        rig: the head model; by default the one of the environment.

    Raises:
        ArtistError: shapes or types that do not fit together.
        RigError: there is no head model.
    """
    check_portrait(rgb, landmarks, person)
    strength = float(np.clip(look.strength, 0, 1))
    scene = observe(
        rig or default_rig(), rgb, landmarks, person, blendshapes or {},
        about, strength,
    )  # fmt: skip
    head = masks.head_region(scene.head, scene.points, scene.person)
    head8 = (np.clip(head, 0, 1) * 255 + 0.5).astype(np.uint8)
    if strength == 0:
        return ToonResult(rgb.copy(), head8, scene.warp)
    image = draw(scene, look)
    image = mix(scene.rgb, image, scene.person * np.float32(strength))
    return ToonResult((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), head8, scene.warp)


def draw(scene: Scene, look: Look) -> Floats:
    """A measured face in a look, sRGB [S, S, 3]."""
    region = find_region(scene)
    tone = find_tone(scene, region)
    strands = hair_art.paint_strands(scene, region)
    surface = scene.surface
    measured = scene.skin * scene.marks.oval * (1 - scene.marks.all) * surface.cover
    lamp = find_lamp(surface.filled, scene.lab[..., 0], measured)
    light = _light(scene, region, lamp)
    reference = mean_light(light, scene.marks.oval * surface.cover)
    skin, lips = _skin(scene, region, tone, lamp, light, reference)
    image = hair_art.light_hair(scene, region, strands, lamp)
    skin = hair_art.hair_shadow(scene, region, lamp, skin)
    image = mix(image, skin, _soft_hairline(scene, region))
    shade = relative_shade(light, reference)
    image = hair_art.lay_beard(scene, region, strands, shade, lips, image)
    bare = image
    image = draw_mouth(scene, tone, image)
    if scene.sunglasses < 0.9:
        image = draw_eyes(scene, tone, lamp, strands.light, image)
        image = draw_brows(scene, tone, region.skin, strands.light, image)
    if scene.traits.glasses > 0 and scene.sunglasses < 0.5:
        image = draw_spectacles(scene, region, lamp, image)
    image = mix(image, bare, region.thing)
    image = grade(image, scene.unit, tone.colour)
    return comic(scene, region, image) if look.name == "comic" else image


def _soft_hairline(scene: Scene, region: Region) -> Floats:
    """Share of the skin [S, S]: hair grows out of a forehead softly, a hat ends sharply."""
    skin, unit = region.skin * (1 - region.lens), scene.unit
    growing = smoothstep(0.25 * unit, 0.5 * unit, scene.above)
    growing = growing * (1 - blur(np.clip(scene.parts.headwear * 2, 0, 1), 2.0))
    soft = smoothstep(0.12, 0.88, blur(skin, 0.040 * unit)) * scene.person
    return mix(blur(skin, 1.1), soft, growing)


def _light(scene: Scene, region: Region, lamp: Lamp) -> Floats:
    """Light on the whole surface."""
    surface = scene.surface
    centimetres = scene.unit / scene.fit.camera.scale
    opened = occlusion(surface, centimetres, scene.unit)
    shadow = cast_shadow(scene.rig, scene.fit.camera, scene.vertices, lamp, surface)
    where = np.maximum(region.skin, surface.cover * scene.marks.oval)
    return irradiance(surface, lamp, shadow, opened, where, scene.unit)


def _skin(
    scene: Scene, region: Region, tone: Tone, lamp: Lamp, light: Floats, reference: Floats
) -> tuple[Floats, Floats]:
    """Painted and lit skin, sRGB [S, S, 3], and the mask of the lips."""
    albedo = skin_albedo(scene, region, tone, reference)
    structure = own_structure(scene, region, light)
    albedo = albedo * structure[..., None] ** np.array([0.85, 1.0, 1.05], np.float32)
    lips = paint_lips(scene, region, tone, reference)
    albedo = mix(albedo, lips.colour, lips.mask)
    open_ = np.clip(luminance(light) / (luminance(reference[None, None])[0, 0] + 1e-6), 0, 1)
    lit = albedo * light + shine(scene, tone, lamp, open_, open_, lips, albedo)
    return to_srgb(roll_off(lit)), lips.mask


def grade(image: Floats, unit: float, colour: float) -> Floats:
    """The film's print: a breath of bloom, a soft S curve, a little more colour."""
    bloom = blur(np.clip(image - 0.72, 0, 1), 0.08 * unit)
    image = np.clip(image + 0.22 * bloom, 0, 1)
    image = image + 0.10 * (image * image * (3 - 2 * image) - image)
    lab = to_lab(image)
    lab[..., 1:] *= 1 + 0.07 * colour
    return to_rgb(lab)
