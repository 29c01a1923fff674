"""How a part of the program tells the user something."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from engines.redaction import redacted

Say = Callable[[str], None]
"""Takes one line for the user, without a line break at its end."""


def say(line: str) -> None:
    """Print one line on standard error, so that results on standard output can be piped.

    Addresses in it lose their secrets (see `engines.redaction`).
    Of several training processes, one per GPU, only the first one speaks.
    """
    if os.environ.get("LOCAL_RANK", "0") == "0":
        print(redacted(line), file=sys.stderr, flush=True)
