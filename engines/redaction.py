"""Addresses without what is secret in them: passwords, stream keys, tokens.

Whoever has a stream's key can stream in its owner's name. So addresses lose their secrets wherever
text leaves the program: in errors, in lines for the user, in reports.
"""

from __future__ import annotations

import re

HIDDEN = "***"
SHOWN = ("file", "http", "https", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp")
"""Schemes whose paths hold no key; of others (RTMP, or a misspelling) only the start is shown."""
_ADDRESS = re.compile(r"(?P<begin>(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]+):/{1,2})(?P<rest>\S+)")
_END_OF_SENTENCE = ".,:;!?'\"`)]}"


def redacted(text: str) -> str:
    """`text` with every address in it reduced to what may be shown.

    Left out are: name and password before the host; everything behind `?` and `#`; in RTMP all
    behind the application, since the key stands there; parts of a path that set a value
    (`user=...`), as some cameras take passwords.

    Args:
        text: an address, or a text with addresses.
    """
    return _ADDRESS.sub(_reduced, text) if ":/" in text else text


def _reduced(match: re.Match[str]) -> str:
    whole = match["rest"].rstrip(_END_OF_SENTENCE)
    end = match["rest"][len(whole) :]
    address, *secret = re.split(r"(?=[?#])", whole, maxsplit=1)
    _, at, place = address.rpartition("@")
    host, *path = place.split("/")
    if match["scheme"].lower() not in SHOWN:
        path = [*path[:1], *([HIDDEN] if path[1:] else [])]
    shown = "/".join([host, *(HIDDEN if "=" in part else part for part in path)])
    account = HIDDEN + at if at else ""
    query = secret[0][0] + HIDDEN if secret else ""
    return f"{match['begin']}{account}{shown}{query}{end}"
