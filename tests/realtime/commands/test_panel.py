"""`toonify run --panel`: from the command to the page."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from realtime.commands.panel import Panel, check_panel
from realtime.settings import OutputSettings, Settings
from realtime.web import kept_token
from realtime.web.panel import routes
from realtime.web.server import WebError
from tests.realtime.commands.test_web import Visitor
from tests.realtime.fakes import Messages
from tests.realtime.servers import free_port


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_the_shown_addresses_open_panel_and_overlay(engine: list[str]) -> None:
    words = ["run", "--source", "demo", "--size", "320x180", "--sink", "none", "--panel", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", *words, *engine],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    said, addresses = [], {}
    for line in process.stderr:
        said.append(line)
        if found := re.match(r"(Panel|Overlay).*(http://\S+)", line):
            addresses[found[1]] = found[2]
        if len(addresses) == 2:
            break
    else:
        pytest.fail("".join(said))
    for name, address in addresses.items():
        visitor = Visitor(address)
        assert b"<title>" in visitor.ask("/" if name == "Panel" else "/overlay")[1]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_the_addresses_stay_if_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_token, "user_data_path", lambda *_, **__: tmp_path)
    monkeypatch.setattr(routes, "panel_routes", lambda *_: [])
    port = free_port()

    def addresses(keep: bool) -> list[str]:
        output = OutputSettings(panel=port, keep_address=keep)
        desk: Any = SimpleNamespace(settings=Settings(output=output))
        messages, shown = Messages(), Messages()
        check_panel(output, messages)
        with Panel(desk, [], messages, show=shown):
            pass
        assert not any("token=" in line for line in messages)
        return list(shown)

    first, second = addresses(True), addresses(True)
    assert len(first) == 2
    assert first == second
    other = addresses(False)
    assert not set(other) & set(first)
    assert other != addresses(False)
    assert addresses(True) == first


def test_an_address_that_cannot_be_kept_is_told_before_the_engine_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "addresses").write_text("no folder")
    monkeypatch.setattr(kept_token, "user_data_path", lambda *_, **__: tmp_path)
    output = OutputSettings(panel=free_port(), keep_address=True)
    with pytest.raises(WebError, match="cannot be kept"):
        check_panel(output, Messages())
