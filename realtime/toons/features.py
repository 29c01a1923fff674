"""A film's mouth and nose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.faces.head import LIPS
from engines.faces.pixels import polygon
from engines.pictures import Image
from realtime.toons.detail import without
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.nose import film_nose
from realtime.toons.finish.surface import frontness, skin_of
from realtime.toons.mouth.film import Featured, film_mouth
from realtime.toons.mouth.lips import Lips


def film_features(
    toon: Image,
    shown: NDArray[np.float32],
    noses: bool = True,
    lips: Lips | None = None,
    soft: float = 0.0,
) -> Featured:
    """A toon with a film's mouth and nose.

    Args:
        toon: uint8 [R, R, 3] BGR.
        shown: float32 [478, 2], the face's landmarks in it, 0..1.
        noses: whether a nose gets its form, and not only other nostrils.
        lips: the person's; None for the network's.
        soft: how soft the photo is, see `realtime.toons.softness`.

    Returns:
        `toon` itself where they are too small or something hides them.
    """
    at = shown * np.float32(toon.shape[0]) - np.float32(0.5)
    skin = as_lab(skin_of(toon, at)[None, None])[0, 0]
    front = frontness(shown)
    done = film_mouth(toon, at, skin, lips, soft * len(toon), front)
    return done._replace(image=film_nose(done.image, at, skin, front, noses))


def without_mouth(
    plan: NDArray[np.float32], shown: NDArray[np.float32], amount: float
) -> NDArray[np.float32]:
    """A plan, see `realtime.toons.detail.Detail`, by which less of a photo's detail is taken where
    a toon's mouth is, none at an `amount` of 1; `shown` as for `film_features`."""
    side = plan.shape[1]
    mouth = polygon(side, shown[LIPS] * np.float32(side) - np.float32(0.5), 1.0)
    return without(plan, np.float32(amount) * mouth)
