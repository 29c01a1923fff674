from __future__ import annotations

import socket
import sys
import threading
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed

from engines.errors import UsageError
from realtime.web.server import WebError, WebServer
from tests.realtime.fakes import Messages
from tests.realtime.servers import wait_for
from tests.realtime.web.client import address, ask, enter, listen, words


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def wait(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive_text()


ROUTES = [Route("/", hello), WebSocketRoute("/wait", wait)]


def test_it_serves_this_machine_only_and_ends() -> None:
    messages = Messages()
    with WebServer(ROUTES, say=messages) as server:
        assert urlsplit(server.url("/overlay")).path == "/overlay"
        assert urlsplit(server.url()).hostname == "127.0.0.1"
        assert server._socket.getsockname()[0] == "127.0.0.1"
        assert words(ask(server, "/", enter(server))) == "hello"
    with pytest.raises(ConnectionError):
        ask(server, "/")
    assert not [thread for thread in threading.enumerate() if thread.name == "web"]
    assert messages == []


def test_it_ends_though_a_browser_listens() -> None:
    server = WebServer(ROUTES, say=Messages())
    server.start()
    with listen(server, "/wait", enter(server)) as listening:
        server.stop()
        with pytest.raises(ConnectionClosed):
            listening.recv(timeout=30)
    assert not [thread for thread in threading.enumerate() if thread.name == "web"]


def test_no_browser_waits_that_came_while_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    server = WebServer(ROUTES, say=Messages())
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as late:
        connections = server._server.server_state.connections
        wait_for(lambda: connections, "the connection to be accepted")
        [missed] = connections
        monkeypatch.setattr(missed, "shutdown", lambda: None)  # as if it came after that
        server.stop()
        assert missed in connections
        assert late.recv(1) == b""


def test_a_port_can_be_chosen_and_used_again() -> None:
    with WebServer(ROUTES, say=Messages()) as first:
        port = first.port
        ask(first, address(first))
    with WebServer(ROUTES, port=port, say=Messages()) as second:
        assert second.port == port
        assert words(ask(second, "/", enter(second))) == "hello"


def test_a_browser_may_come_before_the_server_is_ready() -> None:
    server = WebServer(ROUTES, say=Messages())
    server._socket.listen(1)
    early = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    early.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    with server:
        assert early.recv(100).startswith(b"HTTP/1.1 403")
    early.close()


def test_a_taken_port_is_one_sentence() -> None:
    with (
        WebServer(ROUTES, say=Messages()) as server,
        pytest.raises(WebError, match=rf"^Port {server.port} is taken .* 0 for a free one\.$"),
    ):
        WebServer(ROUTES, port=server.port, say=Messages())


@pytest.mark.skipif(sys.platform != "linux", reason="only there may two have a port for a moment")
def test_a_port_that_is_taken_at_the_last_moment_is_one_sentence() -> None:
    first = WebServer(ROUTES, say=Messages())
    second = WebServer(ROUTES, port=first.port, say=Messages())
    with first, pytest.raises(WebError, match=rf"^Port {first.port} is taken"):
        second.start()
    second.stop()


def test_a_page_that_is_closed_is_no_news() -> None:
    messages = Messages()
    with WebServer(ROUTES, say=messages) as server:
        with listen(server, "/wait", enter(server)):
            pass
        wait_for(lambda: not server._server.server_state.connections, "the page to be gone")
    assert messages == []


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none(port: int) -> None:
    with pytest.raises(UsageError, match="1 to 65535"):
        WebServer(ROUTES, port=port, say=Messages())


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1", "a" * 300])
def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(WebError, match="give"):
        WebServer(ROUTES, host=host, say=Messages())


def test_the_network_is_warned_of_and_needs_the_token() -> None:
    messages = Messages()
    with WebServer(ROUTES, host="0.0.0.0", say=messages) as server:
        assert len(messages) == 1
        assert "--host 0.0.0.0" in messages[0]
        assert "not encrypted" in messages[0]
        assert urlsplit(server.url()).hostname not in ("0.0.0.0", None)
        assert ask(server, "/").status == 403
        assert ask(server, address(server), {"host": f"evil.example:{server.port}"}).status == 403
        assert words(ask(server, "/", enter(server))) == "hello"
