"""How a part of the program tells the user something."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from engines.redaction import redacted
from engines.text import plain_lines

Say = Callable[[str], None]
"""Takes one line for the user, without a line break at its end."""


def say(line: str) -> None:
    """Print one line on standard error, so that results on standard output can be piped.

    It may quote a file or a device: control characters are made visible, and addresses lose their
    secrets (see `engines.redaction`). Of several training processes, one per GPU, only the first
    one speaks.
    """
    say_whole(redacted(line))


def say_whole(line: str) -> None:
    """As `say`, with the secrets of addresses: for the address of the user's own page."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        print(plain_lines(line), file=sys.stderr, flush=True)


class _Details:
    wanted = False


def say_details(wanted: bool) -> None:
    """Set whether the user wants to be told details."""
    _Details.wanted = wanted


def details_wanted() -> bool:
    """Whether the user asked for details."""
    return _Details.wanted
