"""The skin's own colour: what the person is, not what the lamp makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, blur
from engines.training.artist import masks
from engines.training.artist3d.colour import lab_to_linear, rise
from engines.training.artist3d.observe.region import Region
from engines.training.artist3d.observe.scene import Scene

# Skin in even daylight by lightness: L*, chroma, hue (radians); own measurements of portraits.
TYPICAL = np.array(
    [
        (28.0, 18.0, 0.88), (36.0, 24.0, 0.93), (46.0, 28.5, 0.97), (56.0, 29.0, 0.99),
        (66.0, 26.5, 0.96), (72.0, 23.5, 0.90), (78.0, 20.5, 0.86),
    ]
)  # fmt: skip
# Weight of the photo's lit skin against the estimated tone, and L* by which it may move the tone:
DIM, BRIGHT = (0.14, 5.0), (0.26, 9.0)  # dim light says less of a skin than bright light
FRESH = 2.5  # L* by which a film's light flatters every skin


@dataclass(frozen=True)
class Tone:
    """The painted skin.

    Attributes:
        seen: (L*, a, b) of the photo's lit skin.
        lab: (L*, a, b) of the character.
        linear: the same, linear RGB [3].
        dark: 0 light .. 1 dark skin.
        colour: 0 for grey photos.
    """

    seen: NDArray[np.float64]
    lab: NDArray[np.float64]
    linear: Floats
    dark: float
    colour: float


def find_tone(scene: Scene, region: Region) -> Tone:
    """Mix the estimated tone with the photo's lit skin; hue and chroma stay near the person's."""
    seen = _lit_skin(scene, region)
    expected = scene.traits.tone
    lighter = float(np.clip(seen[0], 22, 82)) - expected
    weight, reach = DIM if lighter < 0 else BRIGHT
    level = expected + float(np.clip(weight * lighter, -reach, reach))
    typical_chroma, typical_hue = (np.interp(level, TYPICAL[:, 0], TYPICAL[:, k]) for k in (1, 2))
    chroma, hue = float(np.hypot(*seen[1:])), float(np.arctan2(seen[2], seen[1]))
    grown = chroma * (level / max(seen[0], 12)) ** 0.6  # chroma falls with the light
    trust = 0.55 * float(rise(5, 14, chroma))  # too grey, or lit in a colour that skin is not
    trust *= float(rise(0.75, 0.35, abs(hue - typical_hue)))
    hue = typical_hue + trust * float(np.clip(hue - typical_hue, -0.30, 0.30))
    # Light of a low sun is part of the picture: some of its warmth and depth stays.
    sunset = float(rise(1.5, 2.2, grown / typical_chroma))
    level -= 5.0 * sunset
    grown = float(np.clip(grown, 0.80 * typical_chroma, (1.30 + 0.45 * sunset) * typical_chroma))
    rich = 1.08 + 0.10 * float(rise(56, 42, level))  # dark skin greys where light fails it
    chroma = rich * (typical_chroma + 0.55 * (grown - typical_chroma))
    colour = max(masks.colourfulness(scene.skin_colour), masks.colourfulness(seen))
    colour = 0.35 * float(rise(2, 5, chroma)) + 0.65 * colour if colour < 1 else 1.0
    chroma *= colour
    level += FRESH
    lab = np.array([level, chroma * np.cos(hue), chroma * np.sin(hue)])
    return Tone(seen, lab, lab_to_linear(*lab), float(rise(54, 38, level)), colour)


def _lit_skin(scene: Scene, region: Region) -> NDArray[np.float64]:
    """Median (L*, a, b) of the brighter half of the bare face."""
    bare = region.inner * (1 - scene.marks.all) * (1 - blur(scene.frame, 2)) * (1 - region.beard)
    use = bare * scene.surface.cover * (1 - region.lens) * region.skin > 0.6
    use &= scene.lab[..., 0] > 6
    if use.sum() < 200:
        return np.asarray(masks.cheek_colour(scene.lab, scene.points), np.float64)
    values = scene.lab[use]
    low, high = np.percentile(values[:, 0], [45, 92])
    lit = values[(values[:, 0] >= low) & (values[:, 0] <= high)]
    return np.array([np.percentile(values[:, 0], 62), *np.median(lit[:, 1:], 0)], np.float64)
