"""The panel's sliders for a character's shapes, in a real browser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from realtime.session import Session
from tests.realtime.web.conftest import PATIENCE
from tests.realtime.web.panel.conftest import PanelRun, opened

expect.set_options(timeout=PATIENCE)


def test_the_eyes_have_a_slider_where_the_model_says_where_they_are(
    run: PanelRun, tab: Page, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(tab, run)
    tab.focus("#eyes")
    for _ in range(2):
        tab.keyboard.press("PageUp")
    expect(tab.locator("#eyes-out")).to_have_text("112 %")
    run.until(lambda: run.stylizer.settings.eyes == pytest.approx(1.12))
    card = session.bundle.card
    plain = replace(card, generator=replace(card.generator, finish=False, fovea_channels=0))
    monkeypatch.setattr(session, "bundle", replace(session.bundle, card=plain))
    run.controls.changed()
    expect(tab.locator("#eyes-field")).to_be_hidden()


def test_a_childs_proportions_have_a_slider_where_a_style_wants_other_shapes(
    run: PanelRun, tab: Page, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = session.bundle.card

    def wanted(reshaped: bool) -> None:
        styles = {
            name: replace(style, finish=replace(style.finish, reshaped=reshaped))
            for name, style in card.styles.items()
        }
        monkeypatch.setattr(
            session, "bundle", replace(session.bundle, card=replace(card, styles=styles))
        )
        run.controls.changed()

    opened(tab, run)
    wanted(True)
    tab.focus("#childlike")
    tab.keyboard.press("Home")
    expect(tab.locator("#childlike-out")).to_have_text("0 %")
    run.until(lambda: run.stylizer.settings.childlike == 0)
    wanted(False)
    expect(tab.locator("#childlike-field")).to_be_hidden()
