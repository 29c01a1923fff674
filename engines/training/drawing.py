"""What an artist is given and what it gives back, the same for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError

if TYPE_CHECKING:
    from engines.faces.pixels import Floats, Reals
    from engines.training.artist.geometry import Warp


class ArtistError(ToonifyError):
    """The artist was given something other than a portrait with landmarks and a person mask."""


class ToonResult(NamedTuple):
    """A drawn face of side S.

    Attributes:
        image: uint8 [S, S, 3] RGB.
        head: uint8 [S, S], 255 inside head and hair, soft at the edge.
        warp: where every pixel of the toon comes from, and the toon's landmarks.
    """

    image: NDArray[np.uint8]
    head: NDArray[np.uint8]
    warp: Warp


def check_portrait(rgb: NDArray[np.uint8], landmarks: Reals, person: Floats) -> None:
    """Refuse what no artist can draw.

    Args:
        rgb: uint8 [S, S, 3], S at least 64.
        landmarks: [478, 3], finite.
        person: [S, S].

    Raises:
        ArtistError: shapes or types that do not fit together.
    """
    size = rgb.shape[0]
    if rgb.dtype != np.uint8 or rgb.shape != (size, size, 3) or size < 64:
        raise ArtistError(
            "A square uint8 RGB portrait of at least 64 px was expected, found "
            f"{rgb.dtype} {list(rgb.shape)}; align the face first."
        )
    if np.shape(landmarks) != (478, 3) or not np.isfinite(landmarks).all():
        raise ArtistError(
            f"478 finite landmarks (x, y, z) were expected, found {list(np.shape(landmarks))}; "
            "use the face landmarker on the same picture."
        )
    if person.shape != (size, size):
        raise ArtistError(
            f"A person mask of {size} x {size} was expected, found {list(person.shape)}; segment "
            "the same picture."
        )
