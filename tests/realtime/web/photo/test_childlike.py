"""The slider for a child's proportions, in a real browser."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import Page, expect

from engines.faces.people import people
from realtime.web.photo.desk import Desk
from realtime.web.photo.maker import PhotoMaker
from realtime.web.photo.routes import PhotoPage
from tests.realtime.web.photo.conftest import decoded
from tests.realtime.web.photo.test_page import Serve, give, saved


def test_childlike_is_a_slider_where_the_style_wants_other_shapes(
    serve: Serve, shaped: PhotoMaker, tab: Page
) -> None:
    desk = Desk(seconds=120)
    tab.goto(serve(PhotoPage(shaped.session.bundle, shaped, "None.", desk).routes).url())
    tab.wait_for_selector("[data-ready]")
    give(tab, people()[0])
    slider = tab.get_by_label("Childlike")
    expect(slider).to_have_value("40")
    with tab.expect_response(re.compile(r"childlike=1(&|$)")):
        slider.press("End")
    expect(tab.locator("#childlike-value")).to_have_text("100 %")
    expect(tab.locator("#busy")).to_be_hidden()
    data = people()[0].read_bytes()
    assert np.array_equal(
        decoded(saved(tab)[1]), decoded(shaped.toon(data, "film", childlike=1.0).data)
    )
    tab.get_by_role("radio", name="comic").check()
    expect(slider).to_be_hidden()
    desk.close()
