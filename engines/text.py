"""Text from outside, a file or a device, as it may be shown: on one line, nothing acting."""

from __future__ import annotations

LONGEST = 480
"""Most characters of a message that quotes something; it stays one short line."""


def plain(text: object, most: int = LONGEST) -> str:
    """Text as one line that no terminal acts on.

    Args:
        text: whatever a file, a device or a user named.
        most: characters kept, 8 at least; the middle of a longer text is left out.

    Returns:
        The text with control characters made visible (an escape becomes `\\x1b`), and so are line
        breaks and marks that turn the direction of writing.
    """
    line = str(text)
    if len(line) > 4 * most:  # what is cut away need not be looked at
        line = line[: 2 * most] + line[-2 * most :]
    line = "".join(_visible(character) for character in line)
    if len(line) <= most:
        return line
    head = 2 * most // 3
    return f"{line[:head]}…{line[len(line) - (most - head - 1) :]}"


def plain_lines(text: str) -> str:
    """`plain` for a text of several lines: they stay, whole."""
    return "\n".join(plain(line, max(len(line) * 10, 8)) for line in text.splitlines())


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace() and character > "\x9f":  # a wide or unbreakable space
        return " "
    return character.encode("unicode_escape").decode("ascii")
