"""What a browser, or a stranger, may send to a server on this machine."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from realtime.web.server import WebServer


def ask(
    server: WebServer,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes | None = None,
) -> HTTPResponse:
    """One request with just these headers; its answer is read."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path, body, dict(headers or {}))
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def body(answer: HTTPResponse) -> bytes:
    """The body of an answer of `ask`."""
    return bytes(answer.body)  # type: ignore[attr-defined]


def words(answer: HTTPResponse) -> str:
    """The body of an answer of `ask`, as text."""
    return body(answer).decode()


def address(server: WebServer, path: str = "/") -> str:
    """Path and query of a page's address, with the token."""
    parts = urlsplit(server.url(path))
    return f"{parts.path}?{parts.query}"


def origin(server: WebServer) -> str:
    """The origin of the server's own pages."""
    return f"http://127.0.0.1:{server.port}"


def enter(server: WebServer) -> dict[str, str]:
    """The headers that the user's own page sends: the cookie and the origin."""
    answer = ask(server, address(server))
    cookie = str(answer.headers["set-cookie"]).partition(";")[0]
    return {"cookie": cookie, "origin": origin(server)}


def listen(
    server: WebServer, path: str, headers: Mapping[str, str], host: str | None = None
) -> ClientConnection:
    """A WebSocket with just these headers; `host` is what the Host header says instead."""
    port = server.port
    return connect(
        f"ws://{host or f'127.0.0.1:{port}'}{path}",
        sock=socket.create_connection(("127.0.0.1", port), timeout=30),
        additional_headers=headers,
    )
