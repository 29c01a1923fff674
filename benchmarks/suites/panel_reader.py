"""Reads panel and overlay as a browser does, in a process of its own.

The panel's address comes on standard input, because its token is a secret.
"""

from __future__ import annotations

import json
import sys
import threading
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

WIDTH = 960  # pixels that the panel's picture has on a screen


def enter(url: str) -> str:
    """The cookie for which a page's address is exchanged."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}")
    cookie = connection.getresponse().headers["set-cookie"].partition(";")[0]
    connection.close()
    return cookie


def listen(url: str, path: str, cookie: str) -> ClientConnection:
    """One of the pages' WebSockets."""
    from websockets.sync.client import connect

    place = urlsplit(url).netloc
    headers = {"Cookie": cookie, "Origin": f"http://{place}"}
    # Without pings: on a busy machine a late answer is no reason to hang up.
    return connect(
        f"ws://{place}{path}", additional_headers=headers, max_size=None, ping_interval=None
    )


def read(socket: ClientConnection) -> None:
    """Acknowledge every picture until the server goes away."""
    for message in socket:
        if isinstance(message, bytes):
            length = int.from_bytes(message[:4], "big")
            number = json.loads(message[4 : 4 + length])["number"]
            socket.send(json.dumps({"ack": number}))


def main() -> None:
    """Open both, say so, and read."""
    url = sys.stdin.readline().strip()
    cookie = enter(url)
    with ExitStack() as stack:
        live, overlay = (
            stack.enter_context(listen(url, path, cookie))
            for path in ("/panel/live", "/panel/overlay")
        )
        live.send(json.dumps({"view": {"width": WIDTH, "before": False}}))
        print("open", flush=True)
        threads = [threading.Thread(target=read, args=(socket,)) for socket in (live, overlay)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
