"""Limits of every network: a card or a file that asks for more is wrong, or malicious."""

from __future__ import annotations

from engines.errors import ToonifyError

RESOLUTIONS = tuple(2**k for k in range(2, 11))
"""Sides of a generator's blocks, pixels."""
MAX_WIDTH = 4096
"""Most channels or latent entries of one layer; published models have 512."""
MAX_LAYERS = 32
"""Most layers in a row; published models have 8."""
MAX_CLAMP = 1e6


def check_size(what: str, name: str, value: object, least: int, most: int) -> None:
    """Refuse a value that is not a whole number from `least` to `most`.

    Raises:
        ToonifyError: naming it as the `name` of `what`.
    """
    if type(value) is not int or not least <= value <= most:
        raise ToonifyError(
            f"{what}'s {name} must be a whole number from {least} to {most}, not {value!r:.40}."
        )
