"""The panel without a mouse, and as it is read out."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.realtime.web.conftest import PATIENCE
from tests.realtime.web.panel.conftest import PanelRun, opened

expect.set_options(timeout=PATIENCE)


def test_switches_are_flipped_by_enter_because_space_is_panic(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    tab.focus("#mirror")
    tab.keyboard.press("Enter")
    run.until(lambda: run.controls.mirror)
    expect(tab.locator("#mirror")).to_be_checked()
    tab.keyboard.press("Enter")
    run.until(lambda: not run.controls.mirror)
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("Control+ ")  # changes the input method, or speaks to a screen reader
    tab.focus("#mirror")
    tab.keyboard.press("Enter")
    run.until(lambda: run.controls.mirror)
    assert not run.guard.panic
    tab.keyboard.press(" ")
    run.until(lambda: run.guard.panic)
    expect(tab.locator("#mirror")).to_be_checked()


def test_a_space_bar_that_is_held_down_is_one_panic_and_scrolls_nothing(
    run: PanelRun, tab: Page
) -> None:
    tab.set_viewport_size({"width": 360, "height": 500})
    opened(tab, run)
    for _ in range(5):  # the second one and those that follow are repeats
        tab.keyboard.down(" ")
    tab.keyboard.up(" ")
    run.until(lambda: run.guard.panic)
    tab.wait_for_timeout(300)
    assert run.guard.panic
    assert tab.evaluate("scrollY") == 0


def test_the_keyboard_comes_back_to_the_person_whose_sheet_was_closed(
    run: PanelRun, tab: Page
) -> None:
    opened(tab, run)
    person = tab.get_by_role("button", name="Person 1")
    person.focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("#person-style")).to_be_focused()
    tab.get_by_role("button", name="Close").press("Enter")
    expect(tab.locator("#person")).to_be_hidden()
    expect(person).to_be_focused()


def test_what_goes_out_is_read_out_and_controls_have_plain_names(run: PanelRun, tab: Page) -> None:
    opened(tab, run)
    heard = tab.locator("#out-heard[role=status]")
    expect(heard).to_have_text("Toon")
    tab.get_by_role("button", name="Panic: hide the picture", exact=True).press("Enter")
    expect(heard).to_have_text("Hidden: card")
    tab.check("#show-before")
    expect(tab.get_by_role("img", name="Before: your camera's own picture")).to_be_visible()
    record = tab.get_by_role("button", name="Record", exact=True)
    assert record.get_attribute("aria-pressed") is None  # its words say what it does next
