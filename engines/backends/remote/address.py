"""Where a remote engine is: `HOST:PORT`, `HOST:PORT/MODEL`, or either after `tls://`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engines.backends.protocol import BackendNameError

NAME = "remote"
FORM = f"{NAME}:HOST:PORT or {NAME}:HOST:PORT/MODEL"

LEAVES = (
    "Crops of faces leave this machine for every frame: the server draws the toons, and whoever "
    "runs it can see the faces."
)
"""What the user must know before the first crop is sent; README and privacy page say the same."""

_ADDRESS = re.compile(
    r"(?P<tls>tls://)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+):(?P<port>\d{1,5})"
    r"(?:/(?P<model>[\w.-]+))?"
)


@dataclass(frozen=True)
class Address:
    """One model on one server.

    Attributes:
        server: HOST:PORT of its gRPC port; an IPv6 address stands in brackets.
        model: the name it is served under; empty for the network's own label.
        tls: whether the connection is encrypted and the server's certificate checked.
    """

    server: str
    model: str = ""
    tls: bool = False

    @property
    def notice(self) -> str:
        """What leaves the machine, for whom, and how, in one line."""
        how = "encrypted" if self.tls else f"not encrypted, use {NAME}:tls://{self.server} for that"
        return f"{LEAVES} Server: {self.server} ({how})."


def parse(text: str) -> Address:
    """The address in what follows `remote:`.

    Raises:
        BackendNameError: it is none.
    """
    match = _ADDRESS.fullmatch(text)
    if not match or not 0 < int(match["port"]) < 65536:
        raise BackendNameError(
            f"A remote engine is named {FORM}, with tls:// before HOST for an encrypted "
            f"connection, not {f'{NAME}:{text}'!r}."
        )
    return Address(f"{match['host']}:{match['port']}", match["model"] or "", bool(match["tls"]))
