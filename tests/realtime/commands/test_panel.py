"""`toonify run --panel`: from the command to the page."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from tests.realtime.commands.test_web import Visitor


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
