"""Screenshots of the pages, made again with one command:

python -m tests.realtime.web.screenshots FOLDER
"""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from engines.faces.people import people
from engines.say import say
from realtime.commands.web import photo_page
from realtime.settings import flags_of, load_settings
from realtime.web.server import WebServer
from tests.realtime.web.conftest import NAMES

SIZES = {"wide": (1280, 800), "phone": (390, 844)}


def show_toon(tab: Page, picture: Path) -> None:
    """Give the page a photo and wait until its toon is there."""
    tab.set_input_files("#file", picture)
    tab.wait_for_selector("[data-state=toon]", timeout=60_000)
    tab.evaluate("document.activeElement.blur()")


def main(folder: Path) -> None:
    """Every state of the page, wide and on a phone, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = load_settings(flags=flags_of({"guard": "pass", "faces": 16}))
    with ExitStack() as stack:
        routes = photo_page(settings, say, stack).routes
        server = stack.enter_context(WebServer(routes, say=say))
        path = next(filter(None, map(shutil.which, NAMES)))
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )
        for name, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                tab = browser.new_page(
                    viewport={"width": width, "height": height},
                    reduced_motion="reduce",
                    color_scheme="dark" if scheme == "dark" else "light",
                    device_scale_factor=1 if name == "wide" else 2,
                )
                tab.goto(server.url())
                tab.wait_for_selector("[data-ready]")
                tab.screenshot(path=folder / f"photo-empty-{name}-{scheme}.png", full_page=True)
                show_toon(tab, people()[0])
                tab.screenshot(path=folder / f"photo-toon-{name}-{scheme}.png", full_page=True)
                tab.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
