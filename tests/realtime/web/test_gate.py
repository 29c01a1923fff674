from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus

from realtime.web.gate import HEADERS, Gate, is_loopback
from realtime.web.server import WebServer
from tests.realtime.fakes import Messages
from tests.realtime.web.client import address, ask, enter, listen, origin, words

Serve = Callable[..., WebServer]


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"hello {request.url.query}".strip())


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


async def fail(_: Request) -> PlainTextResponse:
    raise ValueError("no such luck")


async def fail_too(socket: WebSocket) -> None:
    await socket.accept()
    raise ValueError("no such luck either")


ROUTES = [
    Route("/", hello, methods=["GET", "POST"]),
    Route("/fail", fail),
    WebSocketRoute("/echo", echo),
    WebSocketRoute("/fail-too", fail_too),
]


@pytest.fixture
def server(serve: Serve) -> WebServer:
    return serve(ROUTES)


def test_the_token_is_exchanged_for_a_cookie_and_leaves_the_address(server: WebServer) -> None:
    answer = ask(server, address(server) + "&a=b%20c")
    assert answer.status == 303
    assert answer.headers["location"] == f"{origin(server)}/?a=b+c"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    token = server.url().partition("token=")[2]
    assert len(token) >= 40
    assert token not in str(answer.headers)
    assert words(ask(server, "/?a=b", enter(server))) == "hello a=b"


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=guess", "/assets/base.css", "/none"])
def test_nothing_is_shown_without_the_token(server: WebServer, path: str) -> None:
    answer = ask(server, path)
    assert answer.status == 403
    assert words(answer).endswith("with ?token= in it.")


def test_a_wrong_token_beside_the_right_one_is_refused(server: WebServer) -> None:
    assert ask(server, address(server) + "&token=guess").status == 403


def test_the_token_is_of_one_run(serve: Serve) -> None:
    first, second = serve(ROUTES), serve(ROUTES)
    assert ask(second, address(first)).status == 403
    cookie = enter(first)["cookie"].replace(str(first.port), str(second.port))
    assert ask(second, "/", {"cookie": cookie}).status == 403


def test_secrets_are_compared_in_constant_time(server: WebServer, compared: list[bytes]) -> None:
    ask(server, "/?token=%C3%BCguess")
    ask(server, "/", {"cookie": f"toonify-{server.port}=guess"})
    assert compared == ["üguess".encode(), b"guess"]


@pytest.mark.parametrize(
    "cookie", ["{name}", "{name}=", "=;{name}=x", "{name}=\xff", "a b=c; {name}=1"]
)
def test_a_wrong_cookie_is_refused(server: WebServer, cookie: str) -> None:
    cookie = cookie.format(name=f"toonify-{server.port}")
    assert ask(server, "/", {"cookie": cookie}).status == 403


def test_odd_cookies_of_other_programs_do_not_shut_out(server: WebServer) -> None:
    own = enter(server)
    odd = '{"a": [1]}; b={"c d": "e"}; =; f'
    assert ask(server, "/", {"cookie": f"{odd}; {own['cookie']}; g=\xff"}).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:{port}", "evil.example", "127.0.0.1", "127.0.0.1:1", "192.0.2.7:{port}",
     "127.0.0.1.evil.example:{port}", "127.0.0.1:{port}@evil.example", "", "::1:{port}x"],
)  # fmt: skip
def test_a_name_that_was_pointed_here_is_refused(server: WebServer, host: str) -> None:
    own = enter(server)
    host = host.format(port=server.port)
    for path in (address(server), "/"):
        answer = ask(server, path, {**own, "host": host})
        assert answer.status in (400, 403)
        assert "set-cookie" not in answer.headers


def test_this_machine_has_more_than_one_name(server: WebServer) -> None:
    assert ask(server, address(server), {"host": f"LOCALHOST:{server.port}"}).status == 303
    assert ask(server, address(server), {"host": f"[::1]:{server.port}"}).status == 303


@pytest.mark.parametrize(
    "where",
    ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1",
     "http://localhost:{port}", ""],
)  # fmt: skip
def test_a_page_of_another_origin_is_refused(server: WebServer, where: str) -> None:
    own = {**enter(server), "origin": where.format(port=server.port)}
    assert ask(server, "/", own).status == 403
    assert ask(server, "/", own, method="POST").status == 403
    with pytest.raises(InvalidStatus) as refused:
        listen(server, "/echo", own)
    assert refused.value.response.status_code == 403


def test_what_acts_must_say_where_it_comes_from(server: WebServer) -> None:
    own = enter(server)
    assert words(ask(server, "/", {"cookie": own["cookie"]})).startswith("hello")
    assert ask(server, "/", {"cookie": own["cookie"]}, method="POST").status == 403
    assert words(ask(server, "/", own, method="POST")).startswith("hello")
    assert ask(server, address(server), {"origin": own["origin"]}, method="POST").status == 403


def test_a_web_socket_needs_the_cookie(server: WebServer) -> None:
    own = enter(server)
    token = server.url().partition("?")[2]
    evil = f"evil.example:{server.port}"
    for path, headers, host in (
        ("/echo", {"origin": own["origin"]}, None),
        ("/echo", {"cookie": own["cookie"]}, None),
        (f"/echo?{token}", {"origin": own["origin"]}, None),
        ("/echo", own, evil),
        ("/echo", {**own, "origin": f"http://{evil}"}, evil),
    ):
        with pytest.raises(InvalidStatus) as refused:
            listen(server, path, headers, host)
        assert refused.value.response.status_code == 403
    with listen(server, "/echo", own) as socket:
        socket.send("hello")
        assert socket.recv(timeout=30) == "hello"


@pytest.mark.parametrize("path", ["/", "/none", "/assets/base.css", "/fail", "?"])
def test_every_answer_has_the_headers(server: WebServer, path: str) -> None:
    own = enter(server) if path != "?" else {}
    answer = ask(server, path, own)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert [name for name in answer.headers if name.lower().startswith("access-control")] == []
    assert "server" not in answer.headers


def test_the_policy_allows_own_files_only() -> None:
    rules = dict(
        rule.partition(" ")[::2] for rule in HEADERS["Content-Security-Policy"].split("; ")
    )
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(rules)
    assert {rules[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}


def test_no_other_site_is_invited(server: WebServer) -> None:
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = ask(server, "/", headers, method="OPTIONS")
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_path_cannot_lead_elsewhere(server: WebServer) -> None:
    answer = ask(server, address(server, "//evil.example/"))
    assert answer.headers["location"] == f"{origin(server)}//evil.example/"
    answer = ask(server, address(server, "/%0d%0aSet-Cookie:%20a=b"))
    assert "a=b" not in str(answer.headers["set-cookie"])


def test_a_folder_shows_nothing_outside(server: WebServer) -> None:
    own = enter(server)
    assert ask(server, "/assets/base.css", own).status == 200
    for path in ("/assets/../gate.py", "/assets/%2e%2e/gate.py", "/assets/%2e%2e%2fgate.py",
                 "/assets/..%5cgate.py", "/assets/"):  # fmt: skip
        assert ask(server, path, own).status == 404


def test_nothing_secret_is_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    messages = Messages()
    server = serve(ROUTES, say=messages)
    own = enter(server)
    ask(server, "/fail", own)
    with pytest.raises(InvalidStatus):
        listen(server, address(server, "/echo"), {"origin": own["origin"]})
    with listen(server, "/echo", own) as socket:
        socket.send("hello")
        socket.recv(timeout=30)
    ours = [record for record in caplog.records if "client" not in record.name]
    seen = "".join(record.getMessage() for record in ours) + "".join(capfd.readouterr())
    seen += "".join(messages)
    token = server.url().partition("token=")[2]
    assert token not in seen
    assert own["cookie"].partition("=")[2] not in seen


def test_a_fault_is_one_sentence(serve: Serve) -> None:
    messages = Messages()
    server = serve(ROUTES, say=messages)
    own = enter(server)
    answer = ask(server, "/fail", own)
    assert answer.status == 500
    assert json.loads(words(answer)) == {"error": "The program failed here; its terminal says why."}
    with listen(server, "/fail-too", own) as socket, pytest.raises(Exception, match="1011"):
        socket.recv(timeout=30)
    assert messages == [
        "A page's request failed: ValueError: no such luck",
        "A page's request failed: ValueError: no such luck either",
    ]
    assert words(ask(server, "/", own)).startswith("hello")


@pytest.mark.parametrize(
    ("bound", "host", "own"),
    [
        ("0.0.0.0", "192.168.1.5:80", True),
        ("0.0.0.0", "192.168.1.5", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", "192.168.1.5:81", False),
        ("studio.local", "studio.local", True),
        ("studio.local", "STUDIO.local:80", True),
        ("studio.local", "other.local", False),
        ("::", "[fd00::1]:80", True),
        ("127.0.0.1", "192.168.1.5", False),
    ],
)
def test_on_the_network_an_address_is_needed(bound: str, host: str, own: bool) -> None:
    async def app(*_: object) -> None: ...

    gate = Gate(app, bound, 80, print)
    assert gate._is_own(host) is own


def test_loopback_is_known() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "localhost.evil.example")))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_asks_for_is_refused(server: WebServer, site: str) -> None:
    cookie = enter(server)["cookie"]
    headers = {"cookie": cookie, "sec-fetch-mode": "no-cors"}
    assert ask(server, "/", {**headers, "sec-fetch-site": site}).status == 403
    assert ask(server, "/", {**headers, "sec-fetch-site": "same-origin"}).status == 200
    followed = {"sec-fetch-site": site, "sec-fetch-mode": "navigate"}
    assert ask(server, address(server), followed).status == 303
