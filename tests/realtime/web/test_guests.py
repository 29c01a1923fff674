"""A guest's address: what it opens, what it does not, and that it tells nothing of the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import InvalidStatus

from realtime.web.server import WebServer
from tests.realtime.fakes import Messages
from tests.realtime.web.client import ask, body, enter, listen, origin, words
from tests.realtime.web.test_gate import ROUTES, echo, hello

Serve = Callable[..., WebServer]
GUESTS = ("/seen", "/heard")
ALL = [*ROUTES, Route("/seen", hello, methods=["GET", "POST"]), WebSocketRoute("/heard", echo)]
ONLY = (
    "This address opens the overlay only; for all else, open the panel's, which the terminal shows."
)


@pytest.fixture
def server(serve: Serve) -> WebServer:
    return serve(ALL, guests=GUESTS)


def guest_token(server: WebServer) -> str:
    return server.guest_url("/seen").partition("token=")[2]


def visit(server: WebServer) -> dict[str, str]:
    """The headers of a page that was opened with a guest's address."""
    answer = ask(server, f"/seen?token={guest_token(server)}&mode=green")
    assert answer.status == 303
    assert answer.headers["location"] == f"{origin(server)}/seen?mode=green"
    assert guest_token(server) not in str(answer.headers)
    cookie = str(answer.headers["set-cookie"])
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    return {"cookie": cookie.partition(";")[0], "origin": origin(server)}


def test_a_guest_sees_and_hears_what_guests_may(server: WebServer) -> None:
    guest = visit(server)
    assert body(ask(server, "/seen", guest)) == b"hello"
    with listen(server, "/heard", guest) as socket:
        socket.send("hello")
        assert socket.recv(timeout=30) == "hello"


@pytest.mark.parametrize(
    "path",
    ["/", "/none", "/assets/base.css", "/seen/", "//seen", "/seen/../", "/Seen", "/%73een/x"],
)
def test_all_else_is_refused_in_a_sentence(server: WebServer, path: str) -> None:
    token, guest = guest_token(server), visit(server)
    for answer in (ask(server, path, guest), ask(server, f"{path}?token={token}")):
        assert answer.status == 403
        assert words(answer) == ONLY
        assert "set-cookie" not in answer.headers


def test_other_sockets_and_acts_are_refused(server: WebServer) -> None:
    token, guest = guest_token(server), visit(server)
    for path, headers in (("/echo", guest), (f"/echo?token={token}", guest),
                          (f"/heard?token={token}", {"origin": guest["origin"]})):  # fmt: skip
        with pytest.raises(InvalidStatus) as refused:
            listen(server, path, headers)
        assert refused.value.response.status_code == 403
    assert ask(server, "/", guest, method="POST").status == 403
    outside = {"origin": guest["origin"]}
    assert ask(server, f"/seen?token={token}", outside, method="POST").status == 403


def test_neither_secret_is_the_other_or_opens_the_other_s_door(server: WebServer) -> None:
    own, guest = enter(server), visit(server)
    token = server.url().partition("token=")[2]
    values = [headers["cookie"].partition("=")[2] for headers in (own, guest)]
    assert len({token, guest_token(server), *values}) == 4
    name = own["cookie"].partition("=")[0]
    assert ask(server, "/", {"cookie": f"{name}={values[1]}"}).status == 403
    assert ask(server, f"/?token={values[1]}").status == 403
    mixed = f"/seen?token={token}&token={guest_token(server)}"
    assert words(ask(server, mixed)).endswith("with ?token= in it.")


def test_the_user_s_own_address_opens_both_and_both_stay_open(server: WebServer) -> None:
    own, guest = enter(server), visit(server)
    assert ask(server, "/seen", own).status == 200
    both = {**own, "cookie": f"{own['cookie']}; {guest['cookie']}"}
    assert ask(server, "/", both).status == 200
    assert own["cookie"].partition("=")[0] != guest["cookie"].partition("=")[0]


def test_without_guests_there_is_no_second_door(serve: Serve) -> None:
    server = serve(ALL)
    answer = ask(server, f"/seen?token={guest_token(server)}")
    assert (answer.status, words(answer)[-19:]) == (403, "with ?token= in it.")


def test_a_kept_address_keeps_the_guest_s(serve: Serve) -> None:
    first = serve(ALL, guests=GUESTS, token="k" * 43)
    shown, guest = first.guest_url("/seen"), visit(first)
    first.stop()
    second = serve(ALL, guests=GUESTS, token="k" * 43, port=first.port)
    assert second.guest_url("/seen") == shown
    assert ask(second, "/seen", guest).status == 200
    second.stop()
    third = serve(ALL, guests=GUESTS, port=first.port)  # not kept: another run, another address
    assert third.guest_url("/seen") != shown
    assert ask(third, "/seen", guest).status == 403


def test_a_guest_s_secrets_are_compared_in_constant_time_and_never_logged(
    serve: Serve, compared: list[bytes]
) -> None:
    messages = Messages()
    server = serve(ALL, guests=GUESTS, say=messages)
    ask(server, "/seen?token=guess", {"cookie": f"toonify-{server.port}-guest=other"})
    assert compared.count(b"guess") == 2  # with either token
    assert b"other" in compared
    visit(server)
    assert guest_token(server) not in "".join(messages)
