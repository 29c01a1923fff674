"""Random characters of a model with a mapping network, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from realtime.web.photo.desk import Desk
from realtime.web.photo.portraits import Portraits
from realtime.web.photo.routes import PhotoPage
from realtime.web.server import WebServer
from tests.engines.factory import sampled_bundle

Serve = Callable[..., WebServer]


def test_random_characters_and_their_mixes(serve: Serve, tab: Page) -> None:
    bundle = sampled_bundle()
    why = "It has generators but no encoder."
    tab.goto(serve(PhotoPage(bundle, why, Portraits(bundle), Desk(seconds=120)).routes).url())
    tab.wait_for_selector("[data-ready]")
    expect(tab.get_by_role("alert").first).to_contain_text("has generators but no encoder")
    row = tab.locator("#row li")
    expect(row).to_have_count(6)
    expect(row.last).to_have_text("Seed 5")
    for image in row.locator("img").all():
        expect(image).to_have_js_property("naturalWidth", 64)
    tab.get_by_role("button", name="Next six").click()
    expect(row.first).to_have_text("Seed 6")
    tab.get_by_label("Mix with seed").check()
    expect(row).to_have_count(6)  # 4, 8, 16, 32 and 64 px, and the first seed itself
    expect(row.nth(1)).to_have_text("From 8 px")
    expect(row.last.locator("img")).to_have_js_property("naturalWidth", 64)
    tab.get_by_label("Seed", exact=True).fill("-4")
    tab.get_by_label("Seed", exact=True).press("Enter")
    expect(tab.get_by_role("alert").first).to_contain_text("A seed must be 0")
