"""`toonify web`: from the command to the page and back."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import webbrowser
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engines.errors import ToonifyError
from engines.faces.people import people
from realtime.commands.web import photo_page, run_web
from tests.engines.factory import sampled_bundle
from tests.realtime.fakes import Messages
from tests.realtime.web.photo.conftest import settings_of


class Visitor:
    """A user's browser that opens an address of the terminal."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        assert parts.hostname == "127.0.0.1"
        assert parts.port
        self._port = parts.port
        answer, _ = self.ask(f"{parts.path}?{parts.query}", {})
        self._headers = {
            "Cookie": answer["set-cookie"].partition(";")[0],
            "Origin": f"http://127.0.0.1:{parts.port}",
        }

    def ask(
        self, path: str, headers: dict[str, str] | None = None, data: bytes | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers (in small letters) and body of an answer."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        method = "GET" if data is None else "POST"
        connection.request(method, path, data, self._headers if headers is None else headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_a_photo_becomes_a_toon_until_ctrl_c(model: Path, engine: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", "web", *engine], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"http://\S+", line):
            break
    else:
        pytest.fail("".join(said))
    visitor = Visitor(found[0])
    assert b"<title>Toonify a photo</title>" in visitor.ask("/")[1]
    headers, toon = visitor.ask("/toon", data=people()[0].read_bytes())
    assert json.loads(headers["toonify-found"])["words"].startswith("1 face")
    assert toon.startswith(b"\x89PNG")
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 0
    assert rest == ""


def test_the_browser_is_opened_when_asked_for(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    stop, messages = threading.Event(), Messages()

    def visit(address: str) -> bool:
        opened.append(address)
        stop.set()
        return True

    monkeypatch.setattr(webbrowser, "open", visit)
    run_web(settings_of(model), messages, show=messages, browse=True, stop=stop)
    assert len(opened) == 1
    assert opened[0] in messages[-1]
    with pytest.raises(ConnectionError):
        Visitor(opened[0])


@pytest.mark.parametrize(
    ("address", "words"), [({"host": "192.0.2.1"}, "192"), ({"port": -1}, "-1")]
)
def test_a_wrong_address_is_said_before_the_engine_is_made(
    address: dict[str, Any], words: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.commands.web.photo_page", lambda *_: pytest.fail("too late"))
    with pytest.raises(ToonifyError, match=words):
        run_web(settings_of(model), Messages(), **address)


def test_a_model_without_encoder_shows_its_characters(tmp_path: Path) -> None:
    sampled_bundle().save(tmp_path / "sampled.toon")
    messages = Messages()
    with ExitStack() as stack:
        shown = photo_page(settings_of(tmp_path / "sampled.toon"), messages, stack)
        assert len(shown.routes) > 3
    assert "no encoder" in messages[0]
    assert "random characters" in messages[0]


def test_a_model_that_can_do_neither_is_refused(tmp_path: Path, model: Path) -> None:
    with pytest.raises(ToonifyError, match="no style 'clay'"), ExitStack() as stack:
        photo_page(settings_of(model, style="clay"), Messages(), stack)
