"""The root of every error a user may see."""

from __future__ import annotations


class ToonifyError(Exception):
    """One sentence that says what was expected, what was found and what to do next.

    Attributes:
        exit_code: exit code of a command that ends with it; 1: the task failed.
    """

    exit_code = 1


class UsageError(ToonifyError):
    """Wrong use: a value that is never valid; the sentence says which are."""

    exit_code = 2


def reason(error: Exception) -> str:
    """Why something failed, for the middle of a sentence: the system's words if it gave some."""
    return str(getattr(error, "strerror", None) or error).rstrip(".")


def plain(text: str, most: int = 500) -> str:
    """What a file says, for a message: one printable line of at most `most` characters.

    `?` stands for control characters and the like, which could rewrite a terminal.
    """
    shown = "".join(c if c.isprintable() else "?" for c in text[:most])
    return shown if len(text) <= most else f"{shown}..."


def install(extra: str) -> str:
    """The command that adds one of the optional groups of packages, for messages."""
    return f"pip install -c constraints.txt -e '.[{extra}]' (in Toonify's folder)"
