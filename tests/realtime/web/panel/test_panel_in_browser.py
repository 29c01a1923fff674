"""The panel as a user has it: a real browser, a real server, a run that goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from realtime.session import Session
from realtime.web.server import WebServer
from tests.realtime.fakes import BOX, TOON, Messages, raw_pixels
from tests.realtime.web.conftest import PATIENCE
from tests.realtime.web.panel.conftest import OTHER_ROOM, OTHER_TOON, PanelRun, opened

MIDDLE = ((BOX[1] + BOX[3]) // 2, (BOX[0] + BOX[2]) // 2)
expect.set_options(timeout=PATIENCE)


def test_panic_by_space_and_button_and_every_panel_agrees(
    run: PanelRun, tab: Page, browser: Browser
) -> None:
    opened(tab, run)
    other = opened(browser.new_context().new_page(), run)
    tab.focus("#snapshot")  # a button that must not take the space bar
    tab.keyboard.press(" ")
    run.until(lambda: run.last.kind == "card")
    for page in (tab, other):
        expect(page.locator("#panic")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#out-words")).to_have_text("Hidden: card")
    other.click("#panic")
    run.until(lambda: run.last.kind == "toon")
    expect(tab.locator("#panic")).to_have_attribute("aria-pressed", "false")
    run.controls.toggle_panic()  # a key of the preview, or a signal
    for page in (tab, other):
        expect(page.locator("#panic")).to_have_attribute("aria-pressed", "true")
    assert not list(run.desk._folder.glob("snapshot*"))
    other.context.close()


def test_strength_acts_at_once_and_is_refused_where_it_would_show_a_face(
    run: PanelRun, tab: Page
) -> None:
    opened(tab, run)
    tab.focus("#strength")
    tab.keyboard.press("PageDown")
    expect(tab.locator("#said")).to_contain_text("set the guard from blur to pass first")
    expect(tab.locator("#strength-out")).to_have_text("100 %")
    assert run.controls.strength == 1
    tab.click("#guards label:has-text('pass')")
    expect(tab.locator("#strength-help")).to_be_hidden()
    tab.focus("#strength")
    for _ in range(3):
        tab.keyboard.press("PageDown")
    run.until(lambda: run.last.alpha[MIDDLE] in range(1, 250))
    expect(tab.locator("#strength-out")).to_have_text("70 %")
    tab.click("#guards label:has-text('blur')")
    expect(tab.locator("#strength-out")).to_have_text("100 %")
    run.until(lambda: run.last.kind == "toon" and run.last.alpha[MIDDLE] == 255)


LATE = """
    const property = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
    Object.defineProperty(WebSocket.prototype, "onmessage", {
      set(act) { property.set.call(this, (event) => setTimeout(() => act(event), 300)); },
    });
"""
"""Everything that the program says reaches the page 0.3 s late."""


def test_a_slider_keeps_every_step_though_the_program_answers_late(
    run: PanelRun, tab: Page
) -> None:
    run.guard.mode = "pass"
    tab.add_init_script(LATE)
    opened(tab, run)
    expect(tab.locator("#strength-help")).to_be_hidden()
    tab.focus("#strength")
    for step in range(4):
        tab.keyboard.press("PageDown")
        tab.wait_for_timeout(120)  # the answers to the first steps come between the later ones
        assert tab.locator("#strength").input_value() == f"{1 - 0.1 * (step + 1):.1f}"
    expect(tab.locator("#strength-out")).to_have_text("60 %")
    assert run.controls.strength == pytest.approx(0.6)


def test_a_style_is_built_beside_the_running_one_and_kept(
    run: PanelRun, tab: Page, session: Session
) -> None:
    opened(tab, run)
    kept = session.blends.count
    tab.click("#styles label:has-text('comic')")
    run.until(lambda: tuple(run.last.image[MIDDLE]) == OTHER_TOON)
    expect(tab.locator("#building")).to_have_text("")
    assert tab.is_checked("#styles input[value=comic]")
    tab.click("#styles label:has-text('film')")
    run.until(lambda: tuple(run.last.image[MIDDLE]) == TOON)
    assert session.blends.count <= kept + 1
    expect(tab.locator("#kept")).to_contain_text("ready at once")
    run.controls.next_style()
    expect(tab.locator("#styles input[value=comic]")).to_be_checked()
    run.controls.next_style()
    run.until(lambda: tuple(run.last.image[MIDDLE]) == TOON)


def test_a_style_that_cannot_be_built_is_told_beside_the_styles(
    run: PanelRun, tab: Page, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    opened(tab, run)
    with monkeypatch.context() as patched:
        patched.setattr(session.blends, "take", refuse)
        tab.click("#styles label:has-text('comic')")
        said = "The style stays as it is: out of memory"
        expect(tab.locator("#building")).to_have_text(said)
    expect(tab.locator("#styles input[value=film]")).to_be_checked()
    tab.click("#styles label:has-text('comic')")
    run.until(lambda: tuple(run.last.image[MIDDLE]) == OTHER_TOON)
    expect(tab.locator("#building")).to_have_text("")
    tab.click("#styles label:has-text('film')")
    run.until(lambda: tuple(run.last.image[MIDDLE]) == TOON)


def test_the_swap_and_its_direction_change_the_engine(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    assert not tab.is_visible("#lows")
    tab.focus("#swap")
    tab.keyboard.press("ArrowRight")
    run.until(lambda: run.controls.blend.swap == max(s for s in run.controls.swaps if s))
    tab.click("#lows label:has-text('Your shape')")
    run.until(lambda: run.controls.blend.low == "face" and not run.controls.building)
    run.until(lambda: tuple(run.last.image[MIDDLE]) == OTHER_TOON)


def test_another_camera_is_used_without_a_raw_face_in_between(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    tab.click("#places summary")
    tab.fill("#source", "1")
    tab.click("#change")
    run.until(lambda: int(run.last.image[0, 0, 0]) == OTHER_ROOM)
    run.until(lambda: run.last.kind == "toon")
    expect(tab.locator("#said")).to_have_text("Pictures come from 1.")
    assert all(raw_pixels(output.image) == 0 for output in run.collector.outputs)


def test_a_camera_that_gives_no_pictures_is_told_of_until_it_does(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    expect(tab.locator("#hints")).to_be_hidden()
    run.pausing.set()
    expect(tab.locator("#hints")).to_have_text("No picture comes from fake; it is waited for.")
    run.pausing.clear()
    expect(tab.locator("#hints")).to_be_hidden()


def test_the_untooned_picture_is_shown_when_asked_for_and_says_so(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    assert not tab.is_visible("#before-view")
    tab.check("#show-before")
    expect(tab.locator("#before-note")).to_contain_text("your real one")
    spot = """(name) => {
        const context = document.getElementById(name).getContext("2d");
        return [...context.getImageData(126, 126, 1, 1).data];
    }"""

    def off_toon(name: str) -> int:
        return int(np.abs(np.array(tab.evaluate(spot, name)[:3]) - np.array(TOON[::-1])).max())

    run.until(lambda: tab.evaluate(spot, "before")[3] > 0)
    run.until(lambda: off_toon("after") < 30)  # when busy, the photo comes first
    assert off_toon("before") > 60


def test_a_person_is_left_as_they_are_when_it_was_asked_for_twice(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    tab.wait_for_selector("#people button")
    tab.evaluate("document.querySelector('#people button').click()")
    tab.click("#person-leave")
    expect(tab.locator("#person-sure")).to_be_visible()
    assert run.guard.bare == frozenset()
    tab.click("#person-leave")
    run.until(lambda: raw_pixels(run.last.image) > 1000)
    expect(tab.locator("#out-words")).to_have_text("A real face goes out")
    tab.click("#person-reset")
    run.until(lambda: run.last.kind == "toon" and raw_pixels(run.last.image) == 0)


def test_snapshot_recording_and_settings_are_written(
    run: PanelRun, tab: Page, tmp_path: Path
) -> None:
    opened(tab, run)
    tab.click("#snapshot")
    expect(tab.locator("#said")).to_contain_text("Snapshot in")
    tab.click("#record")
    expect(tab.locator("#record")).to_have_text("Stop recording")
    tab.click("#record")
    expect(tab.locator("#record")).to_have_text("Record")
    tab.click("#mirror")
    tab.click("#paint-room")
    run.until(lambda: run.controls.mirror and run.controls.paint_room)
    tab.click("#save")
    expect(tab.locator("#said")).to_contain_text("toonify.toml")
    saved = (tmp_path / "toonify.toml").read_text().splitlines()
    assert {"mirror = true", "paint_room = true"} <= set(saved)
    assert {path.name for path in tmp_path.iterdir()} >= {"snapshot.png", "toonify.toml"}


def test_the_overlay_s_address_is_copied_and_not_the_panel_s(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.click("#places summary")
    tab.click("#copy-overlay")
    expect(tab.locator("#said")).to_contain_text("Copied")
    assert tab.evaluate("navigator.clipboard.readText()") == run.server.guest_url("/overlay")
    run.server.stop()
    tab.click("#copy-overlay", force=True)
    expect(tab.locator("#said")).to_contain_text("The address was not copied")


def test_a_server_that_goes_away_is_told_of_and_one_that_comes_back_is_used(
    run: PanelRun, tab: Page, serve: Callable[..., WebServer]
) -> None:
    opened(tab, run)
    run.server.stop()
    expect(tab.locator("#away")).to_contain_text("does not answer")
    again = serve(run.routes, port=run.server.port, say=Messages())
    expect(tab.locator("#away")).to_contain_text("was started again")
    tab.goto(again.url())
    tab.wait_for_selector("#after[data-number]")
    expect(tab.locator("#away")).to_be_hidden()


def test_without_the_program_nothing_looks_as_if_it_went_on(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    tab.wait_for_selector("#people button")
    expect(tab.locator("#latency")).to_contain_text("ms")
    run.server.stop()
    expect(tab.locator("#away")).to_be_visible()
    expect(tab.locator("#latency")).to_have_text("–")
    expect(tab.locator("#people button")).to_have_count(0)
    tab.focus("#mirror")
    tab.keyboard.press("Enter")
    expect(tab.locator("#said")).to_contain_text("Nothing was changed")
    expect(tab.locator("#mirror")).not_to_be_checked()
    tab.keyboard.press(" ")
    expect(tab.locator("#panic")).to_have_attribute("aria-pressed", "false")


def test_a_program_that_hangs_is_told_of_until_it_goes_on(
    run: PanelRun, tab: Page, serve: Callable[..., WebServer]
) -> None:
    going = threading.Event()

    async def hang(_: Request) -> Response:
        going.wait(60)  # in the server's own loop: nothing is answered, and nothing is closed
        return Response("went on")

    server = serve([*run.routes, Route("/hang", hang)])
    tab.goto(server.url())
    tab.wait_for_selector("#after[data-number]")
    try:
        tab.evaluate("void fetch('/hang')")
        expect(tab.locator("#away")).to_contain_text("does not answer")
    finally:
        going.set()
    expect(tab.locator("#away")).to_be_hidden()


def test_a_phone_s_width_needs_no_scrolling_sideways(run: PanelRun, tab: Page) -> None:
    tab.set_viewport_size({"width": 360, "height": 740})
    opened(tab, run)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    panic, snapshot = (tab.locator(name).bounding_box() for name in ("#panic", "#snapshot"))
    assert panic
    assert snapshot
    assert panic["width"] * panic["height"] > snapshot["width"] * snapshot["height"]
