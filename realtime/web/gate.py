"""Who may use the pages: only the browser that was given the token of this run.

Three checks stand before every request and WebSocket:

- The Host header must name this server by an address, or by the name it was bound to. A page of
  another site whose name was made to point at this machine (DNS rebinding) names itself there.
- An Origin header must be this server's own. What changes something, and every WebSocket, must
  have one. A page of another site, or of another port of this machine, sends its own.
- The token. The address that the terminal shows has it as `?token=`; the first load exchanges it
  for a cookie and leads to the same address without it, so that it stays out of the browser's
  history and of screenshots. The cookie holds a second secret, because browsers send it to every
  other port of this machine too. It is made of the token, one way: who sees it does not know the
  address, and with a token that is kept, an open page finds back to the next run.

A guest's token opens a few paths only, with a cookie of its own. It is made of the other one in the
same way, so it can be given away: a scene file of OBS holds it.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from engines.say import Say

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer, refusals too. There is no CORS header: other origins read nothing."""

SAFE = ("GET", "HEAD")
COOKIE = b"toonify cookie"  # what the second secret is made for
GUEST = b"toonify guest"  # what a guest's token is made for
STRANGER = "This address belongs to another site or program; open the one that the terminal shows."
NO_TOKEN = (
    "This page needs the token of this run; open the whole address that the terminal shows, "
    "with ?token= in it."
)

GUESTS_ONLY = (
    "This address opens the overlay only; for all else, open the panel's, which the terminal shows."
)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Gate:
    """ASGI middleware that lets through what belongs to the user's own browser.

    Args:
        app: what stands behind it.
        host: what the server is bound to.
        port: its port.
        say: told of faults, without addresses.
        token: the secret of the address; one for this run only if not given.
        guests: the paths that a guest's token opens; if there are none, there is no such token.

    Attributes:
        token: the secret of the address.
        guest_token: the secret of a guest's address.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        say: Say,
        token: str | None = None,
        guests: Collection[str] = (),
    ) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self.guest_token = _derived(self.token, GUEST)
        self._guests = frozenset(guests)
        self._app, self._host, self._port, self._say = app, host.lower(), port, say
        self._cookie = f"toonify-{port}"  # two runs at once are told apart
        self._session = _derived(self.token, COOKIE)
        self._guest_cookie = f"{self._cookie}-guest"  # beside the other: neither ends the other
        self._guest_session = _derived(self.guest_token, COOKIE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        closed = False

        async def guarded(message: Message) -> None:
            nonlocal closed
            closed = closed or message["type"] == "websocket.close"
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            answer = self._answer(scope)
            if answer is None:
                await self._app(scope, receive, guarded)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})  # seen as a 403
            else:
                await answer(scope, receive, guarded)
        except (
            ClientDisconnect,
            WebSocketDisconnect,
        ):  # a browser that went away; nobody hears an answer
            return
        except Exception as error:
            self._say(f"A page's request failed: {type(error).__name__}: {error}")
            if scope["type"] == "websocket" and not closed:
                await send({"type": "websocket.close", "code": 1011})

    def _answer(self, scope: Scope) -> Response | None:
        """The gate's own answer; None to let through."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return PlainTextResponse(STRANGER, 403)
        foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if foreign and headers.get("sec-fetch-mode") != "navigate":
            return PlainTextResponse(STRANGER, 403)
        acts = scope["type"] == "websocket" or scope["method"] not in SAFE
        if (acts or origins) and origins != [f"http://{hosts[0]}"]:
            return PlainTextResponse(STRANGER, 403)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in query if name == "token"]
        if tokens and not acts and all(_same(token, self.token) for token in tokens):
            return self._exchange(scope, hosts[0], query, self._cookie, self._session)
        cookies = headers.getlist("cookie")
        if _holds(cookies, self._cookie, self._session):
            return None
        return self._answer_guest(scope, hosts[0], query, tokens, cookies, acts)

    def _answer_guest(
        self,
        scope: Scope,
        host: str,
        query: Sequence[tuple[str, str]],
        tokens: Sequence[str],
        cookies: Sequence[str],
        acts: bool,
    ) -> Response | None:
        """The answer for those who lack the token of this run."""
        if not self._guests:
            return PlainTextResponse(NO_TOKEN, 403)
        invited = bool(tokens) and all(_same(token, self.guest_token) for token in tokens)
        known = _holds(cookies, self._guest_cookie, self._guest_session)
        if not (known or (invited and not acts)):
            return PlainTextResponse(NO_TOKEN, 403)
        if scope["path"] not in self._guests:
            return PlainTextResponse(GUESTS_ONLY, 403)
        if invited and not acts:
            return self._exchange(scope, host, query, self._guest_cookie, self._guest_session)
        return None

    def _is_own(self, host: str) -> bool:
        """Whether a Host header names this server."""
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not name:  # without a port
            name, port = port, ""
        if (port or "80") != str(self._port):
            return False
        name = name.lower().removeprefix("[").removesuffix("]")
        if is_loopback(name) or name == self._host:
            return True
        if is_loopback(self._host):
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True  # bound to the network; a name could be rebound, an address cannot

    def _exchange(
        self, scope: Scope, host: str, query: Iterable[tuple[str, str]], name: str, value: str
    ) -> RedirectResponse:
        """The cookie, and the same address without the token."""
        rest = urlencode([pair for pair in query if pair[0] != "token"])
        # With its host: a path that begins with // would lead to another site.
        there = f"http://{host}{quote(scope['path'])}{'?' if rest else ''}{rest}"
        answer = RedirectResponse(there, 303)
        answer.set_cookie(name, value, httponly=True, samesite="strict")
        return answer


def _holds(cookies: Iterable[str], name: str, secret: str) -> bool:
    """Whether a secret is among a browser's cookies."""
    # Not by http.cookies, which gives up at the odd cookies of other programs on this machine.
    found = (cookie_parser(header).get(name, "") for header in cookies)
    return any(_same(value, secret) for value in found)


def _derived(secret: str, use: bytes) -> str:
    """Another secret, from which this one cannot be found."""
    return hmac.digest(secret.encode(), use, "sha256").hex()


def _same(given: str, secret: str) -> bool:
    """Compare in a time that tells nothing of the secret."""
    return secrets.compare_digest(given.encode(), secret.encode())
