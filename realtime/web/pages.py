"""What pages are made of: a document, a folder of assets, a refusal."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

SHARED = Path(__file__).parent / "assets"
"""What all pages share."""


def page(file: Path) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that shows an HTML file."""

    async def show(_: Request) -> Response:
        return FileResponse(file, media_type="text/html; charset=utf-8")

    return show


def assets(path: str, folder: Path) -> Mount:
    """The files of a folder below an address such as "/assets"."""
    # Windows takes the types from its registry, where scripts are often text/plain.
    mimetypes.add_type("text/javascript", ".js")
    mimetypes.add_type("text/css", ".css")
    mimetypes.add_type("image/svg+xml", ".svg")
    return Mount(path, StaticFiles(directory=folder))


def refuse(status: int, sentence: str) -> JSONResponse:
    """An answer that says in one sentence why there is no other: `{"error": sentence}`."""
    return JSONResponse({"error": sentence}, status)
