"""Random characters for the page: the generators of the styles asked for, and their pictures."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image as PillowImage

from engines.bundle import Bundle
from engines.catalogue.sampling import Characters, check_characters


class Portraits:
    """Draws random characters of a model's styles.

    Args:
        bundle: the model.

    Raises:
        NoCharactersError: it has none.
    """

    def __init__(self, bundle: Bundle) -> None:
        check_characters(bundle)
        # Generators share the model's weights only where nothing is blended, so few are kept.
        self._of = lru_cache(maxsize=2)(lambda style: Characters(bundle, style))

    def portrait(
        self, style: str | None, seed: int, truncation: float, other: int | None, mix: int
    ) -> bytes:
        """A PNG; the arguments are those of `Characters.draw`."""
        picture = self._of(style).draw(seed, truncation, other=other, mix=mix)
        file = io.BytesIO()
        PillowImage.fromarray(picture).save(file, "PNG", compress_level=1)
        return file.getvalue()
