"""The overlay as OBS shows it: toons with their alpha, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Error, Page

from realtime.web.panel.routes import OVERLAY
from realtime.web.server import WebServer
from tests.realtime.fakes import BOX, SIZE, TOON
from tests.realtime.web.panel.conftest import PanelRun

PIXELS = """() => {
    const canvas = document.getElementById("toons");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return [...data];
}"""


def seen(tab: Page) -> np.ndarray:
    """uint8 [H, W, 4] RGBA."""
    return np.array(tab.evaluate(PIXELS), np.uint8).reshape(SIZE[1], SIZE[0], 4)


def test_toons_are_opaque_and_all_else_is_clear(run: PanelRun, tab: Page) -> None:
    tab.goto(run.server.guest_url("/overlay"))
    tab.wait_for_selector("#toons[data-number]")
    picture = seen(tab)
    left, top, right, bottom = BOX
    inside = picture[top:bottom, left:right]
    assert (inside[..., 3] == 255).all()
    assert np.abs(inside[..., :3].astype(int) - np.array(TOON[::-1])).max() < 20
    picture[top:bottom, left:right] = 0
    assert not picture.any()
    run.controls.set_panic(True)
    run.until(lambda: not seen(tab).any())


def test_the_modes_whole_and_green(run: PanelRun, tab: Page) -> None:
    tab.goto(run.server.guest_url("/overlay") + "&mode=whole")
    tab.wait_for_selector("#toons[data-number]")
    assert (seen(tab)[..., 3] == 255).all()
    tab.goto(run.server.guest_url("/overlay") + "&mode=green")
    tab.wait_for_selector("#toons[data-number]")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(ground) == "rgb(0, 255, 0)"
    assert (seen(tab)[0, 0] == 0).all()


def test_its_address_opens_no_panel_and_the_panel_s_opens_both(run: PanelRun, tab: Page) -> None:
    tab.goto(run.server.guest_url("/overlay"))
    tab.wait_for_selector("#toons[data-number]")
    answer = tab.goto(tab.url.replace("/overlay", "/"))
    assert answer
    assert answer.status == 403
    assert "opens the overlay only" in tab.inner_text("body")
    tab.goto(run.server.url())
    tab.wait_for_selector("#after[data-number]")
    tab.goto(tab.url + "overlay")
    tab.wait_for_selector("#toons[data-number]")


def test_without_the_program_nothing_stays(run: PanelRun, tab: Page) -> None:
    tab.goto(run.server.guest_url("/overlay"))
    tab.wait_for_selector("#toons[data-number]")
    run.server.stop()
    run.until(lambda: not seen(tab).any())


def test_an_overlay_with_a_kept_address_comes_back_by_itself(
    run: PanelRun, tab: Page, serve: Callable[..., WebServer]
) -> None:
    token = "k" * 43
    first = serve(run.routes, guests=OVERLAY, token=token)
    first.stop()
    with pytest.raises(Error):
        tab.goto(first.guest_url("/overlay"))  # as OBS does if it is started first
    tab.wait_for_url("chrome-error://**")  # shown a moment after the navigation has failed
    first = serve(run.routes, guests=OVERLAY, token=token, port=first.port)
    tab.reload()
    tab.wait_for_selector("#toons[data-number]")
    assert token not in tab.url
    first.stop()
    run.until(lambda: not seen(tab).any())
    second = serve(run.routes, guests=OVERLAY, token=token, port=first.port)
    run.until(lambda: bool(seen(tab).any()))
    assert second.guest_url("/overlay") == first.guest_url("/overlay")
    tab.reload()  # as OBS does with "Refresh cache of current page"
    tab.wait_for_selector("#toons[data-number]")
