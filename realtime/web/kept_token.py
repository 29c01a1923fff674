"""The token of pages that keep their address, so that OBS has to be told it only once.

It lies in the user's data folder, in one file for each port, which only the user can read. Whoever
knows it gets in until the file is deleted, so a file that others could have read is refused, not
mended.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from platformdirs import user_data_path

from engines.errors import reason
from engines.files import WriteError, write_atomically
from engines.say import Say
from realtime.web.server import WebError

BYTES = 32  # of chance; as many as a token of one run has
FORM = re.compile(rb"[A-Za-z0-9_-]{43}")  # these bytes as URL-safe Base64
ADVICE = "delete it, and the next run makes another one."
# A link could lead to a file that others chose, and a pipe would be waited for.
_DIRECT = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def token_path(port: int) -> Path:
    """Where the token of a port lies."""
    return user_data_path("toonify", appauthor=False) / "addresses" / f"{port}.token"


def kept_token(port: int, say: Say) -> str:
    """The token that an earlier run with this port kept, else a new one, which is kept.

    Args:
        port: 1 to 65535.
        say: told where a new one lies.

    Returns:
        43 characters, URL-safe.

    Raises:
        WebError: it cannot be written or read, others can read it, or it is damaged.
    """
    path = token_path(port)
    if os.path.lexists(path):
        return _read(path)
    _write(path, secrets.token_urlsafe(BYTES))
    token = _read(path)  # a disk without owners, such as exFAT, would show it to everybody
    say(f"The address of port {port} stays the same from now on; delete {path} for another one.")
    return token


def _write(path: Path, token: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, token.encode(), durable=True, mode=0o600)
    except (OSError, WriteError) as error:
        why = error.reason if isinstance(error, WriteError) else reason(error)
        raise WebError(
            f"The address cannot be kept in {path}: {why}; make this folder writable, or leave "
            "--keep-address out."
        ) from error


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | _DIRECT)
        try:
            status = os.fstat(descriptor)
            content = os.read(descriptor, 100)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise WebError(
            f"The kept address in {path} cannot be read: {reason(error)}; {ADVICE}"
        ) from error
    if os.name == "posix":  # elsewhere the folder itself is the user's alone
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            raise WebError(
                f"{path} can be read by others (mode {mode:04o}), so the address in it is no "
                f"secret; {ADVICE}"
            )
        if status.st_uid != os.geteuid():
            raise WebError(
                f"{path} belongs to another user, so the address in it is no secret; {ADVICE}"
            )
    if not FORM.fullmatch(content):
        raise WebError(f"{path} is damaged: it does not hold a kept address; {ADVICE}")
    return content.decode()
