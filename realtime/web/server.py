"""The server of the pages: one thread, one port, stopped with the run."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Collection, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from engines.errors import ToonifyError, UsageError, reason
from engines.say import Say
from realtime.web.gate import Gate, is_loopback
from realtime.web.pages import SHARED, assets, refuse

LOOPBACK = "127.0.0.1"
LARGEST_MESSAGE = 1 << 20  # bytes that a browser may send over a WebSocket at once
GOODBYE = 2  # seconds in which open answers may end


class WebError(ToonifyError):
    """The server cannot be started."""


class WebServer:
    """Serves pages from its own thread; a context manager that starts and stops it.

    The port is bound at once, so that its address can be shown before it serves.

    Args:
        routes: Starlette's, of all pages; `/assets/` is added.
        host: the address to bind to; any but this machine's own must be asked for by the user.
        port: 1 to 65535; 0 for a free one.
        say: told what a `host` other than loopback means, and of faults.
        token: the secret of the address; one for this run only if not given.
        guests: the paths that a guest's address opens, and nothing else; see `guest_url`.

    Attributes:
        port: the port that was bound.

    Raises:
        UsageError: there is no such port.
        WebError: it cannot be bound.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        *,
        host: str = LOOPBACK,
        port: int = 0,
        say: Say,
        token: str | None = None,
        guests: Collection[str] = (),
    ) -> None:
        check_address(host, port)
        self._host = host
        self._socket = _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        app = Starlette(
            routes=[assets("/assets", SHARED), *routes], exception_handlers={Exception: _fault}
        )
        self._gate = Gate(app, host, self.port, say, token, guests)
        config = uvicorn.Config(
            self._gate,
            loop="asyncio",  # sockets of another one cannot be shut down, see `stop`
            lifespan="off",
            log_config=None,
            log_level="critical",  # lower levels write addresses, and with them the token
            access_log=False,
            server_header=False,
            ws_max_size=LARGEST_MESSAGE,
            timeout_graceful_shutdown=GOODBYE,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="web", daemon=True
        )
        if not is_loopback(host):
            say(
                f"The pages can be reached from the network, because of --host {host}: whoever has "
                "the address with its token can use them, and the connection is not encrypted."
            )

    def url(self, path: str = "/") -> str:
        """The address of a page with its token, to be shown to the user only."""
        return self._address(path, self._gate.token)

    def guest_url(self, path: str) -> str:
        """The address of one of `guests` with a token that opens nothing but them."""
        return self._address(path, self._gate.guest_token)

    def _address(self, path: str, token: str) -> str:
        host = _reachable(self._host)
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}{path}?token={token}"

    def start(self) -> None:
        """Serve, from now on; browsers that came earlier were waiting.

        Raises:
            WebError: another program took the port meanwhile.
        """
        try:
            self._socket.listen(128)
        except OSError as error:  # on Linux two may have the port while neither listens
            raise _unusable(self._host, self.port, error) from error
        self._thread.start()

    def stop(self) -> None:
        """End open answers and WebSockets, and free the port."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(GOODBYE + 3)
        self._socket.close()
        # A connection that was accepted while the server ended is open still: nobody would answer
        # it, and a browser would wait for that.
        for connection in list(self._server.server_state.connections):
            if connection.transport:
                with contextlib.suppress(OSError):
                    connection.transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> WebServer:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()


def check_address(host: str, port: int) -> None:
    """Raises what `WebServer` would, before anything else is made ready."""
    if not 0 <= port <= 65535:
        raise UsageError(f"A port must be 1 to 65535, or 0 for a free one, not {port}.")
    _bound(host, port).close()


async def _fault(_: Request, __: Exception) -> Response:
    """What the browser is told; the gate tells the user what it was."""
    return refuse(500, "The program failed here; its terminal says why.")


def _bound(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address and a port.

    Raises:
        WebError: it cannot be.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise WebError(
            f"--host {host} is no address of this machine: {reason(error)}; give one of its "
            "addresses, or leave it out."
        ) from error
    try:
        if os.name == "posix":  # a port that was just left may be used again
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows lets others in otherwise
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise _unusable(host, port, error) from error
    return bound


def _unusable(host: str, port: int, error: OSError) -> WebError:
    """The sentence for a port that cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return WebError(
            f"Port {port} is taken by another program; give another one, or 0 for a free one."
        )
    return WebError(
        f"Port {port} of {host} cannot be used: {reason(error)}; give another one, or 0 for a free "
        "one."
    )


def _reachable(host: str) -> str:
    """An address under which a server bound to `host` can be opened."""
    if host not in ("0.0.0.0", "::"):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # chooses a way out; sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return LOOPBACK
