"""The colours that a face's eyes are painted with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engines.faces.eyes.iris import IrisTones, doubt_of_light_eyes, iris_tones
from engines.faces.film_print import printed
from engines.faces.pixels import Floats, Reals, lab_colour, step


@dataclass(frozen=True)
class EyePaint:
    """Everything both eyes share."""

    tones: IrisTones
    exposure: float  # light of its white, 0.45..1
    lash: Floats  # RGB [3]
    skin_shadow: Floats  # RGB [3], the colour of the lid crease
    lashes: float
    iris_scale: float
    light_side: float  # -1 left .. 1 right
    colour: float  # 0 for grey photos
    unit: float  # eye distance in pixels
    crease: float = 1.0  # share of the lid's crease and fold that is drawn
    haze: float = 0.0  # light of black, 0..1: a milky picture has none that is darker
    socket: float = 0.0  # share of the shade on the skin about the eye that is drawn
    filled: float = 1.0  # how much of an opening its iris fills, in shares of the artist's
    shade: float = 1.0  # of the white's corners and where the lower lid touches it
    pupil: float = 0.41  # radius of the pupil, in the iris's
    lined: float = 1.0  # how bold the line of the lower lid is, in shares of the artist's
    tucked: float = 0.0  # share of the way that a free iris goes to lie a little below its lid

    @classmethod
    def mixed(
        cls,
        iris: Reals,
        *,
        light: float,
        skin: Reals,
        photo_skin: float,
        photo_brow: float,
        contrast: float,
        scene: float,
        vivid: float = 1.0,
        **rest: float,
    ) -> EyePaint:
        """The paint that fits a face.

        Args:
            iris: sample of `engines.faces.eyes.iris.iris_sample`.
            light: of the toon's skin, 0..1.
            skin: a, b of the colour of the toon's skin.
            photo_skin: L* of the photo's.
            photo_brow: light of the darkest of its brows, 0..1.
            contrast: that over the light of lit skin: dark brows ask for stronger evidence of
                light eyes.
            scene: light of the picture's lightest parts, 0..1 (see `scene_light`): nothing shines
                in a dim room.
            vivid: share of their chroma that light irises get.
            rest: other fields.
        """
        exposure = float(np.clip(0.62 + 0.62 * light, 0.74, 1.0))
        exposure *= 0.72 + 0.28 * step(0.45, 0.82, scene)
        doubt = max(doubt_of_light_eyes(photo_skin), 0.8 * step(0.30, 0.16, contrast))
        colour = rest["colour"]
        return cls(
            tones=iris_tones(iris, exposure, colour, doubt, vivid),
            exposure=exposure,
            lash=lab_colour(float(np.clip(photo_brow * 70, 9, 28)), 9 * colour, 10 * colour),
            skin_shadow=lab_colour(
                light * 66, float(skin[0]) + 5 * colour, float(skin[1]) + 2 * colour
            ),
            **rest,
        )

    def printed(self, middle: float) -> EyePaint:
        """Iris and lashes as in a film print (`engines.faces.film_print`) of skin whose light is
        `middle`, 0..1; the white and the lights stay."""

        def colour(rgb: Floats) -> Floats:
            return printed(rgb[None, None], middle)[0, 0]

        tones = IrisTones(*map(colour, (self.tones.dark, self.tones.middle, self.tones.light)))
        return replace(self, tones=tones, lash=colour(self.lash))


def scene_light(lightness: Reals) -> float:
    """Light of a picture's lightest parts, 0..1, from the L* of its pixels."""
    return float(np.percentile(lightness, 95)) / 100
