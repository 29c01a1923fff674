"""The looks of toons by name, and the artist that draws each.

`film` and `comic` are drawn in two dimensions. `film-3d` and `comic-3d` are drawn on a 3D head that
is fitted to the face; they need the head model (see `engines.training.artist3d.head.rig`).
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.faces.pixels import Floats, Reals
from engines.finish import Finish
from engines.training.drawing import ToonResult

FLAT, SOLID = ("film", "comic"), ("film-3d", "comic-3d")
FINISHES = {
    "film": Finish(painted_eyes=True, relief=True, haired_brows=True, reshaped=True),
    "comic": Finish(painted_eyes=True, inked=True, haired_brows=True, reshaped=True),
}
"""What live pictures of the looks get beside what a network learns of them."""
LOOKS = (*FLAT, *SOLID)
"""Names of all looks."""


class Artist(Protocol):
    """Draws an aligned portrait; see `engines.training.artist.toonify` for the arguments."""

    def __call__(
        self, rgb: NDArray[np.uint8], landmarks: Reals, *, person: Floats
    ) -> ToonResult: ...


def find_artist(look: str) -> Artist:
    """What draws a look.

    Raises:
        ToonifyError: there is no such look, or it needs the head model, which is not there.
    """
    if look in FLAT:
        from engines.training import artist

        return partial(artist.toonify, look=artist.LOOKS[look])
    if look in SOLID:
        from engines.training import artist3d
        from engines.training.artist3d.head.rig import default_rig

        default_rig()
        return partial(artist3d.toonify, look=artist3d.LOOKS[look.removesuffix("-3d")])
    raise ToonifyError(f"The artist has no look {look!r}; choose from {', '.join(LOOKS)}.")
