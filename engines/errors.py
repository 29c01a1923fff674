"""The root of every error a user may see."""

from __future__ import annotations

import sys
from pathlib import Path

from engines.redaction import redacted
from engines.text import plain


class ToonifyError(Exception):
    """One sentence that says what was expected, what was found and what to do next.

    As text it is one line without control characters, whatever the file said that it quotes, and
    addresses in it lose their secrets (see `engines.redaction`).

    Attributes:
        exit_code: exit code of a command that ends with it; 1: the task failed.
    """

    exit_code = 1

    def __init__(self, *args: object) -> None:
        super().__init__(*(redacted(arg) if isinstance(arg, str) else arg for arg in args))

    def __str__(self) -> str:
        return plain(super().__str__())


class UsageError(ToonifyError):
    """Wrong use: a value that is never valid; the sentence says which are."""

    exit_code = 2


def reason(error: Exception) -> str:
    """Why something failed, for the middle of a sentence: the system's words if it gave some."""
    return str(getattr(error, "strerror", None) or error).rstrip(".")


def install(extra: str) -> str:
    """The command that adds one of the optional groups of packages, for messages: that of the
    environment this program runs in, which need not be the one that `pip` means."""
    python = Path(sys.executable)
    if python.is_relative_to(here := Path.cwd()):
        python = python.relative_to(here)
    return f"{python} -m pip install -c constraints.txt -e '.[{extra}]' (in Toonify's folder)"
