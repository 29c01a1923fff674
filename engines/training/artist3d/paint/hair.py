"""Hair, beard, hats and cloth: the photo painted along its own flow, lit with the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.faces.pixels import Floats, blur, mix, smoothstep, to_lab, to_rgb
from engines.training.artist.hair import flow_paint
from engines.training.artist.imaging import guided_filter, masked_blur
from engines.training.artist3d.observe.region import Region
from engines.training.artist3d.observe.scene import Scene
from engines.training.artist3d.paint.light import Lamp

STROKE_SCALE = 4.0  # pixels over which the flow is averaged


@dataclass(frozen=True)
class Strands:
    """The photo in strokes.

    Attributes:
        rgb: [S, S, 3] sRGB.
        light: median L* of the hair above the face, 50 where none is.
    """

    rgb: Floats
    light: float


def paint_strands(scene: Scene, region: Region) -> Strands:
    """Gather what is not skin into strokes."""
    smooth = guided_filter(scene.rgb, scene.rgb, 3, 0.0010)
    where = np.maximum(region.hair, np.maximum(region.beard, region.stubble > 0))
    strokes = np.clip(flow_paint(smooth, where, 0.60, STROKE_SCALE), 0, 1)
    top = (region.hair > 0.6) & (scene.above > 0.7 * scene.unit)
    light = float(np.median(scene.lab[..., 0][top])) if top.sum() > 200 else 50.0
    return Strands(strokes, light)


def light_hair(scene: Scene, region: Region, strands: Strands, lamp: Lamp) -> Floats:
    """Hair and cloth [S, S, 3]: more contrast between locks, a soft form and a band of sheen."""
    unit, hair = scene.unit, region.hair
    lab = _without_skin(scene, region, to_lab(strands.rgb))
    mean = masked_blur(lab[..., 0], hair + 0.01, 0.10 * unit)
    locks = lab[..., 0] - mean
    normals = scene.surface.filled
    facing = np.clip((normals @ lamp.key.astype(np.float32) + 0.4) / 1.4, 0, 1)
    near_head = smoothstep(2.4, 1.8, np.abs(scene.across) / unit) * smoothstep(
        -1.2, -0.4, scene.above / unit
    )
    sheen = np.exp(-(((facing - 0.86) / 0.10) ** 2)) * near_head
    lab[..., 0] = mean + locks * 1.15
    lab[..., 0] += near_head * (5.0 * (facing - 0.6)) * smoothstep(4, 20, mean)
    lab[..., 0] += sheen * (1.5 + 0.45 * np.clip(locks, -4, 12))
    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    lab[..., 1:] *= 1.06
    return to_rgb(lab)


def _without_skin(scene: Scene, region: Region, lab: Floats) -> Floats:
    """Hair [S, S, 3] CIE L*a*b* whose hairline shows no skin, nor its gloss, through thin hair."""
    unit = scene.unit
    light = lab[..., 0]
    near = smoothstep(0.01, 0.16, blur(region.skin, 0.17 * unit)) * region.hair
    near = near * smoothstep(0.1 * unit, 0.35 * unit, scene.above)
    near = near * (1 - np.clip(scene.parts.headwear * 2, 0, 1))
    near = near * smoothstep(0.35, 0.75, blur(scene.parts.hair, 0.02 * unit))
    skinlike = smoothstep(0.25, 0.75, blur(scene.skin, 0.02 * unit))
    core = region.hair**4 * scene.parts.hair * (1 - 0.97 * skinlike) * (1 - 0.9 * near) + 1e-4
    fill = masked_blur(lab, core, 0.28 * unit)
    mean = masked_blur(light, region.hair + 0.01, 0.04 * unit)
    spread = np.sqrt(masked_blur((light - mean) ** 2, region.hair + 0.01, 0.04 * unit))
    glossy = smoothstep(7, 16, mean - fill[..., 0]) * smoothstep(4.5, 2.5, spread)
    all_hair = region.hair * scene.parts.hair * (1 - near)
    # Blond and grey hair has the skin's colour everywhere: there the colour says nothing.
    alike = float((all_hair * skinlike).sum() / (all_hair.sum() + 1))
    skinlike = skinlike * smoothstep(0.45, 0.12, alike)
    typical = float(
        np.median(light[region.hair * scene.parts.hair > 0.6])
        if (region.hair * scene.parts.hair > 0.6).sum() > 200
        else 30
    )
    share = blur(np.maximum(skinlike, glossy) * near, 0.015 * unit)
    fill[..., 0] = np.maximum(fill[..., 0], np.minimum(mean - 13, typical))
    fill[..., 0] += 0.5 * (light - mean)
    return mix(lab, fill, np.clip(share * 1.3, 0, 1))


def hair_shadow(scene: Scene, region: Region, lamp: Lamp, image: Floats) -> Floats:
    """Skin [S, S, 3] under the soft shadow of the hair over it."""
    import cv2

    unit = scene.unit
    caster = region.hair * smoothstep(0.2, 0.6, region.hair)
    away = 0.05 * unit
    move = np.array([[1, 0, -lamp.key[0] * away], [0, 1, lamp.key[1] * away]], np.float32)
    cast = cv2.warpAffine(caster, move, (scene.size, scene.size))
    cast = blur(cast, 0.038 * unit) * scene.marks.oval
    cast = cast * smoothstep(-0.1 * unit, 0.2 * unit, scene.above)
    return image * (1 - (0.32 * cast)[..., None] * np.array([0.75, 1.0, 1.05], np.float32))


def lay_beard(
    scene: Scene, region: Region, strands: Strands, shade: Floats, lips: Floats, image: Floats
) -> Floats:
    """Dense facial hair over the painted skin.

    Args:
        scene, region, strands: the face.
        shade: [S, S] brightness of the light, 1 = the face's.
        lips: [S, S] mask of the lips, which stay free.
        image: sRGB [S, S, 3].
    """
    beard, unit = region.beard, scene.unit
    if beard.max() < 0.05:
        return image
    lab = to_lab(strands.rgb)
    mean = masked_blur(lab[..., 0], beard + 0.005, 0.2 * unit)
    lab[..., 0] = np.clip(mean * (0.50 + 0.50 * shade) + (lab[..., 0] - mean) * 1.0, 2, 95)
    # White hair keeps apart from pale skin: whiter, greyer, its strands drawn clearer.
    white = smoothstep(44, 60, mean) * np.float32(scene.traits.old)
    lab[..., 0] = np.clip(lab[..., 0] + white * (9 + 0.9 * (lab[..., 0] - mean)), 2, 95)
    lab[..., 1:] *= (1 - 0.65 * white)[..., None]
    share = blur(beard, 0.030 * unit) * 0.95 * (1 - np.clip(lips, 0, 1))
    return mix(image, to_rgb(lab), share)
