from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from realtime.web.pages import SHARED, assets, page, refuse
from realtime.web.server import WebServer
from tests.realtime.web.client import ask, enter, words


async def no(_: Request) -> Response:
    return refuse(413, "Too large; give a smaller one.")


def test_a_page_its_files_and_a_refusal(
    serve: Callable[..., WebServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("<p>hello", encoding="utf-8")
    (tmp_path / "a.js").write_text("1", encoding="utf-8")
    routes = [Route("/", page(tmp_path / "index.html")), assets("/own", tmp_path), Route("/no", no)]
    server = serve(routes)
    own = enter(server)
    shown = ask(server, "/", own)
    assert (shown.headers["content-type"], words(shown)) == ("text/html; charset=utf-8", "<p>hello")
    script = ask(server, "/own/a.js", own)
    assert script.headers["content-type"].startswith("text/javascript")
    refused = ask(server, "/no", own)
    assert refused.status == 413
    assert json.loads(words(refused)) == {"error": "Too large; give a smaller one."}


def test_what_is_shared_comes_with_the_package(serve: Callable[..., WebServer]) -> None:
    server = serve([])
    own = enter(server)
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    for file in SHARED.iterdir():
        answer = ask(server, f"/assets/{file.name}", own)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith(kinds[file.suffix])
        assert "http://" not in words(answer).replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in words(answer)
