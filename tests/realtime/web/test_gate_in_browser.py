from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from realtime.web.server import WebServer
from tests.realtime.web.client import origin


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def echo(socket: WebSocket) -> None:
    await socket.accept()


Serve = Callable[..., WebServer]
ROUTES = [Route("/", hello), WebSocketRoute("/echo", echo)]


def test_a_browser_enters_and_its_address_is_clean(serve: Serve, tab: Page) -> None:
    server = serve(ROUTES)
    tab.goto(server.url())
    assert tab.url == f"{origin(server)}/"
    assert tab.inner_text("body") == "hello"
    assert tab.evaluate("document.cookie") == ""
    tab.reload()
    assert tab.inner_text("body") == "hello"


class Stranger(BaseHTTPRequestHandler):
    """A page of another program on this machine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of another server on this machine, whose pages may do anything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}/"
        other.shutdown()
        thread.join()


def test_a_page_of_another_port_cannot_reach_in(
    serve: Serve, elsewhere: str, browser: Browser
) -> None:
    """It is the same site for the browser, so that the cookie alone would not stop it."""
    acted: list[str] = []

    async def act(request: Request) -> PlainTextResponse:
        acted.append(request.method)
        return PlainTextResponse("done")

    server = serve([*ROUTES, Route("/act", act, methods=["GET", "POST"])])
    tab = browser.new_page()
    tab.goto(server.url())
    assert tab.evaluate("fetch('/act', {method: 'POST'}).then((got) => got.status)") == 200
    tab.goto(elsewhere)
    tried = tab.evaluate(
        """async (there) => {
            const end = (done) => (event) => done(event.type);
            const options = {credentials: "include"};
            return Promise.all([
                fetch(there + "act", options).then((got) => got.text()).catch(() => "error"),
                fetch(there + "act", {...options, mode: "no-cors"})
                    .then(() => "opaque", () => "error"),
                fetch(there + "act", {...options, mode: "no-cors", method: "POST"})
                    .then(() => "opaque", () => "error"),
                new Promise((done) => {
                    const image = new Image();
                    image.onload = image.onerror = end(done);
                    image.src = there + "assets/mark.svg";
                }),
                new Promise((done) => {
                    const socket = new WebSocket(there.replace("http", "ws") + "echo");
                    socket.onopen = socket.onerror = end(done);
                }),
            ]);
        }""",
        f"{origin(server)}/",
    )
    assert tried == ["error"] * 5
    assert acted == ["POST"]
    tab.context.close()
