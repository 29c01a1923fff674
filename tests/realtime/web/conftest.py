"""A real browser, and a server that is stopped with the test.

Debian's Chromium is driven by Playwright; `.ci/browser` installs it where it can.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright
from starlette.routing import BaseRoute

from realtime.web.server import WebServer
from tests.realtime.fakes import Messages

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
PATIENCE = 30_000  # ms for which the browser is waited for; shared machines are slow
expect.set_options(timeout=PATIENCE)
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def find_browser() -> str | None:
    """The program of Chromium or Chrome, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright, path: str) -> Browser:
    """Start it without a window, with a camera that shows a test picture."""
    # As root, which containers are, Chromium starts only without its sandbox.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = [*CAMERA, "--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])]
    return playwright.chromium.launch(executable_path=path, args=options)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser; skips where there is none."""
    path = find_browser()
    if path is None:
        pytest.skip("needs Chromium: sudo apt install chromium (Debian), or Google Chrome")
    with sync_playwright() as playwright:
        try:
            opened = launch(playwright, path)
        except Error as error:
            pytest.skip(f"{path} does not start: {str(error).splitlines()[0]}")
        yield opened
        opened.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A new tab without cookies; the test fails if its page writes an error to the console."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    # What the server refused, that it was not there, and which header counts for nothing on a page
    # that is not encrypted, is listed by the browser itself.
    known = ("Failed to load resource", "WebSocket connection to", "Cross-Origin-Opener-Policy")
    page.on(
        "console",
        lambda line: (
            faults.append(line.text)
            if line.type == "error" and not any(words in line.text for words in known)
            else None
        ),
    )
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def serve() -> Iterator[Callable[..., WebServer]]:
    """Starts servers of routes; `serve(routes)` returns one that runs until the test ends."""
    started: list[WebServer] = []

    def start(routes: list[BaseRoute], **options: Any) -> WebServer:
        options.setdefault("say", Messages())
        server = WebServer(routes, **options)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was compared with a secret in constant time."""
    given_ones: list[bytes] = []
    real = secrets.compare_digest

    def compare(given: bytes, secret: bytes) -> bool:
        given_ones.append(given)
        return real(given, secret)

    monkeypatch.setattr(secrets, "compare_digest", compare)
    return given_ones
