"""The routes of panel and overlay, and their WebSockets.

A picture is sent only after the browser has acknowledged the one before, so that a slow browser
misses pictures instead of getting them late, and never makes the filter wait.

Messages from the browser are JSON: `{"do": NAME, "value": ..., "ask": N}` (see
`realtime.web.panel.acts`; N counts the page's changes), `{"view": {"width": N, "before": BOOL}}`,
or `{"ack": NUMBER}`. To the browser go JSON texts with `switches` (and `heard`, the last change
that they know of), `numbers` or `said`, and pictures: a header's length (4 bytes, big-endian), the
header (JSON: number, kind, people, parts), and the parts, whose lengths the header has.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from engines.errors import ToonifyError
from realtime.guard import Output
from realtime.live.desk import Desk
from realtime.web.pages import assets, page, refuse
from realtime.web.panel.acts import AT_ONCE, BESIDE
from realtime.web.panel.cutting import Cut, cut
from realtime.web.panel.feed import Feed, View
from realtime.web.panel.samples import Samples
from realtime.web.panel.status import numbers, picture, switches

HERE = Path(__file__).parent / "assets"
NUMBERS = 0.5  # seconds between two reports of the numbers
BRISK = 1 / 20  # seconds between two pictures of the panel, at least
Encode = Callable[[int, Output], tuple[dict[str, Any], list[bytes]]]
"""Makes of a picture what is sent: a header and its parts."""


OVERLAY = (
    "/overlay",
    "/panel/overlay",
    *(f"/panel/{name}" for name in ("overlay.css", "overlay.js", "link.js")),
    *(f"/assets/{name}" for name in ("base.js", "mark.svg")),
)
"""All that the overlay asks for: page, WebSocket, files."""


def panel_routes(desk: Desk, feed: Feed, address: Callable[[], str]) -> list[BaseRoute]:
    """The panel at `/`, the overlay at `/overlay`.

    Args:
        address: gives the overlay's, to be copied from the panel.
    """
    samples = Samples(desk.session.bundle)
    samples.begin()  # before the first page asks, which would see empty frames meanwhile

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await _Panel(socket, desk, feed).serve()

    async def overlay(socket: WebSocket) -> None:
        await socket.accept()
        await _Overlay(socket, feed, whole=socket.query_params.get("mode") == "whole").serve()

    async def style(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in desk.session.bundle.styles:
            return refuse(404, f"This model has no style {name!r:.40}.")
        return Response(await asyncio.to_thread(samples.picture, name), media_type="image/jpeg")

    async def cameras(_: Request) -> Response:
        from realtime.sources.camera import list_cameras

        found = await asyncio.to_thread(list_cameras)
        return JSONResponse([{"source": str(c.index), "name": c.name} for c in found])

    async def overlay_address(_: Request) -> Response:
        return JSONResponse({"address": address()})

    return [
        Route("/", page(HERE / "index.html")),
        Route("/overlay", page(HERE / "overlay.html")),
        Route("/panel/styles/{name}", style),
        Route("/panel/cameras", cameras),
        Route("/panel/overlay-address", overlay_address),
        WebSocketRoute("/panel/live", live),
        WebSocketRoute("/panel/overlay", overlay),
        assets("/panel", HERE),
    ]


class _Client:
    """One browser: pictures one by one, each after the last was acknowledged."""

    def __init__(self, socket: WebSocket, feed: Feed) -> None:
        self._socket = socket
        self._feed = feed
        self._wake = asyncio.Event()
        self._free = True  # the last picture was acknowledged
        self._number = 0
        self._next = 0.0  # monotonic seconds before which no picture is sent
        self._pause = 0.0
        loop = asyncio.get_running_loop()

        def wake() -> None:
            if self._free:
                with contextlib.suppress(RuntimeError):  # the loop has just ended
                    loop.call_soon_threadsafe(self._wake.set)

        self._call = wake

    async def serve(self) -> None:
        """Until the browser goes away."""
        self._feed.join(self._call)
        writing = asyncio.create_task(self._write())
        try:
            while True:
                await self._take(await self._socket.receive_json())
                self._wake.set()
        except (WebSocketDisconnect, ValueError, KeyError, AttributeError, TypeError):
            pass  # it left, or it is no page of ours
        finally:
            self._feed.leave(self._call)
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await writing
            with contextlib.suppress(RuntimeError):
                await self._socket.close()

    async def _write(self) -> None:
        while True:
            await self._report()
            newest = self._feed.newest
            due = self._next - time.monotonic()
            if self._free and newest and newest[0] != self._number and due <= 0:
                self._free = False
                self._number = newest[0]
                self._next = time.monotonic() + self._pause
                header, parts = await asyncio.to_thread(self._encode, *newest)
                header |= {"number": newest[0], "parts": [len(part) for part in parts]}
                words = json.dumps(header).encode()
                await self._socket.send_bytes(
                    b"".join([len(words).to_bytes(4, "big"), words, *parts])
                )
            self._wake.clear()
            waiting = self._free and newest is not None and newest[0] != self._number
            limit = max(due, 0.001) if waiting else NUMBERS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), limit)

    async def _take(self, message: dict[str, Any]) -> None:
        if message.get("ack") == self._number:
            self._free = True

    async def _report(self) -> None:
        """Send what is not a picture, if there is something new."""

    def _encode(self, number: int, output: Output) -> tuple[dict[str, Any], list[bytes]]:
        raise NotImplementedError


class _Panel(_Client):
    def __init__(self, socket: WebSocket, desk: Desk, feed: Feed) -> None:
        super().__init__(socket, feed)
        self._desk = desk
        self._view = View()
        self._pause = BRISK
        self._told: dict[str, Any] = {}
        self._told_at = 0.0
        self._heard = 0
        self._beside: set[asyncio.Task[None]] = set()
        desk.controls.watch(self._call)

    async def serve(self) -> None:
        try:
            await super().serve()
        finally:
            self._desk.controls.unwatch(self._call)

    async def _report(self) -> None:
        now = {"switches": switches(self._desk), "heard": self._heard}
        if now != self._told:
            self._told = now
            await self._socket.send_json(now)
        if time.monotonic() - self._told_at >= NUMBERS:
            self._told_at = time.monotonic()
            await self._socket.send_json({"numbers": numbers(self._desk)})

    async def _take(self, message: dict[str, Any]) -> None:
        await super()._take(message)
        if "view" in message:
            view = message["view"]
            self._view = View(int(view["width"]) // 16 * 16, view["before"] is True)
        name, value = message.get("do"), message.get("value")
        if name in AT_ONCE:
            await self._act(lambda: AT_ONCE[name](self._desk, value))
        elif name in BESIDE:
            beside = asyncio.to_thread(BESIDE[name], self._desk, value)
            task = asyncio.create_task(self._act(lambda: beside))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)
        self._heard = int(message.get("ask", self._heard))

    async def _act(self, act: Callable[[], str | Awaitable[str | None] | None]) -> None:
        try:
            done = act()
            said = await done if isinstance(done, Awaitable) else done
            answer = {"said": said, "good": True}
        except (ToonifyError, OSError, ValueError, AttributeError, TypeError) as error:
            answer = {"said": str(error), "good": False}
            self._told = {}  # a control that was moved in vain goes back
        if answer["said"]:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.send_json(answer)
        self._wake.set()

    def _encode(self, number: int, output: Output) -> tuple[dict[str, Any], list[bytes]]:
        return picture(self._desk, output), self._feed.jpegs(number, output, self._view)


class _Overlay(_Client):
    def __init__(self, socket: WebSocket, feed: Feed, *, whole: bool) -> None:
        super().__init__(socket, feed)
        self._whole = whole

    def _encode(self, number: int, output: Output) -> tuple[dict[str, Any], list[bytes]]:
        height, width = output.image.shape[:2]
        if self._whole:
            parts = self._feed.jpegs(number, output, View(width))
            return {"size": [width, height], "whole": True, "boxes": []}, parts
        cuts: list[Cut] = cut(output)
        header = {"size": [width, height], "whole": False, "boxes": [one.box for one in cuts]}
        return header, [part for one in cuts for part in (one.colour, one.alpha)]
