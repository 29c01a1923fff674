"""Screenshots of the pages, to be looked at, and those of the guide.

python -m tests.realtime.web.screenshots FOLDER    # FOLDER/*.jpg belong into docs/
"""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from playwright.sync_api import Browser, Page, sync_playwright

from engines.faces.people import people
from engines.say import say
from realtime.commands.web import photo_page
from realtime.settings import flags_of, load_settings
from realtime.web.server import WebServer
from tests.realtime.web.conftest import find_browser, launch

SIZES = {"wide": (1280, 760), "phone": (390, 844)}
PERSON = 3  # of `people()`
GAP = 24  # px between the two pictures of the guide


def open_tab(browser: Browser, size: str, scheme: str) -> Page:
    """A new tab of a size, light or dark, in which nothing moves."""
    width, height = SIZES[size]
    return browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        device_scale_factor=1 if size == "wide" else 2,
        has_touch=size == "phone",
        is_mobile=size == "phone",
    )


def shoot(browser: Browser, server: WebServer, folder: Path) -> None:
    """The page to try, empty and with a toon, in every size and scheme."""
    for size in SIZES:
        for scheme in ("light", "dark"):
            tab = open_tab(browser, size, scheme)
            tab.goto(server.url())
            tab.wait_for_selector("[data-ready]")
            tab.screenshot(path=folder / f"photo-empty-{size}-{scheme}.png", full_page=True)
            tab.set_input_files("#file", people()[PERSON])
            tab.wait_for_selector("[data-state=toon]")
            tab.evaluate("document.activeElement.blur()")
            tab.screenshot(path=folder / f"photo-toon-{size}-{scheme}.png")
            tab.close()


def shoot_panel(browser: Browser, folder: Path) -> None:
    """The panel of a run of the demo, wide and light, on a phone in the dark; the overlay."""
    words = ["run", "--source", "demo", "--size", "1280x720", "--sink", "none", "--panel", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "realtime", *words], stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr
        found = next(filter(None, (re.match(r"Panel: (\S+)", line) for line in run.stderr)))
        overlay = next(
            filter(None, (re.match(r"Overlay.*?(http\S+)", line) for line in run.stderr))
        )
        for size, scheme in (("wide", "light"), ("phone", "dark")):
            tab = open_tab(browser, size, scheme)
            tab.goto(found[1])
            tab.wait_for_timeout(8000)  # until times and pictures have settled
            tab.screenshot(path=folder / f"panel-{size}-{scheme}.png", full_page=size == "wide")
        shoot_overlay(browser, overlay[1], folder)
        run.send_signal(signal.SIGINT)


def shoot_overlay(browser: Browser, address: str, folder: Path) -> None:
    """The overlay over a loud scene, where a rim of its own room would show."""
    tab = browser.new_page(viewport={"width": 1280, "height": 720})
    tab.goto(address)
    tab.wait_for_selector("#toons[data-number]")
    tab.wait_for_timeout(2000)  # until the toon has come
    toon = PillowImage.open(io.BytesIO(tab.screenshot(omit_background=True))).convert("RGBA")
    tab.close()
    rows, columns = np.mgrid[: toon.height, : toon.width]
    colours = np.array([(255, 64, 160), (255, 214, 10), (0, 190, 220)], np.uint8)
    scene = PillowImage.fromarray(colours[(columns + rows) // 80 % 3]).convert("RGBA")
    picture = PillowImage.alpha_composite(scene, toon).convert("RGB").resize((960, 540))
    picture.save(folder / "overlay.jpg", quality=82, optimize=True)


def for_the_guide(folder: Path, wide_name: str, phone_name: str, name: str) -> None:
    """Wide and light beside narrow and dark, as one small JPEG."""
    wide = PillowImage.open(folder / wide_name).convert("RGB")
    phone = PillowImage.open(folder / phone_name).convert("RGB")
    phone = phone.resize((round(phone.width * wide.height / phone.height), wide.height))
    sheet = PillowImage.new("RGB", (wide.width + GAP + phone.width, wide.height), (255, 255, 255))
    sheet.paste(wide, (0, 0))
    sheet.paste(phone, (wide.width + GAP, 0))
    sheet.save(folder / name, quality=85, optimize=True)


def main(folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = load_settings(flags=flags_of({"guard": "pass", "faces": 16}))
    with ExitStack() as stack:
        routes = photo_page(settings, say, stack).routes
        server = stack.enter_context(WebServer(routes, say=say))
        path = find_browser()
        assert path, "there is no Chromium here: sudo apt install chromium"
        playwright = stack.enter_context(sync_playwright())
        browser = launch(playwright, path)
        shoot(browser, server, folder)
        shoot_panel(browser, folder)
        browser.close()
    for_the_guide(folder, "photo-toon-wide-light.png", "photo-toon-phone-dark.png", "web.jpg")
    for_the_guide(folder, "panel-wide-light.png", "panel-phone-dark.png", "panel.jpg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
