"""The page to try in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Page, expect

from engines.faces.people import people
from realtime.web.photo.desk import Desk
from realtime.web.photo.maker import PhotoMaker
from realtime.web.photo.routes import PhotoPage
from realtime.web.server import WebServer
from tests.realtime.web.photo.conftest import decoded

Serve = Callable[..., WebServer]


@pytest.fixture
def opened(photos: WebServer, tab: Page) -> Page:
    """The page, ready, in a new tab."""
    tab.goto(photos.url())
    tab.wait_for_selector("[data-ready]")
    return tab


def give(tab: Page, picture: Path) -> None:
    """Choose a photo and wait for its toon."""
    with tab.expect_file_chooser() as chooser:
        tab.get_by_role("button", name="Choose a photo").click()
    chooser.value.set_files(picture)
    tab.wait_for_selector("[data-state=toon]")


def give_again(tab: Page, picture: Path) -> None:
    """Give a photo in place of the one that is shown, and wait until its faces are counted."""
    tab.set_input_files("#file", picture)
    tab.wait_for_selector("[data-state=toon]:not([data-faces='0'])")


def saved(tab: Page) -> tuple[str, bytes]:
    """Name and bytes of what "Save the toon" saves."""
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save the toon").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def cut(tab: Page) -> float:
    """Where the toon begins, in percent from the left."""
    return float(tab.evaluate("getComputedStyle(compare).getPropertyValue('--cut')").rstrip("%"))


def test_a_portrait_becomes_a_toon_and_is_saved(opened: Page, maker: PhotoMaker) -> None:
    give(opened, people()[0])
    expect(opened.get_by_role("status").first).to_have_text("1 face, 513 pixels.")
    expect(opened.get_by_role("alert")).to_be_empty()
    name, data = saved(opened)
    assert name == f"{people()[0].stem}-toon.png"
    assert np.array_equal(decoded(data), decoded(maker.toon(people()[0].read_bytes()).data))


def test_the_slider_shows_photo_and_toon(opened: Page) -> None:
    give(opened, people()[0])
    side = int(opened.locator("#compare").bounding_box()["width"])  # type: ignore[index]
    expected = np.asarray(PillowImage.open(people()[0]).convert("RGB").resize((side, side)), float)

    def differs(where: slice) -> float:
        shot = opened.locator("#compare").screenshot()
        seen = np.asarray(
            PillowImage.open(io.BytesIO(shot)).convert("RGB").resize((side, side)), float
        )
        band = slice(side // 4, side // 2 - 30)  # without the knob and the tags
        return float(np.abs(seen - expected)[band, where].mean())

    left, right = slice(side // 4, side // 2 - 10), slice(side // 2 + 10, 3 * side // 4)
    slider = opened.get_by_label("How much of the photo is shown")
    assert cut(opened) == 50
    assert differs(left) < 3 < 10 < differs(right)
    slider.focus()
    opened.keyboard.press("End")
    assert cut(opened) == 100
    assert differs(right) < 3
    opened.keyboard.press("Home")
    assert differs(left) > 10
    box = opened.locator("#compare").bounding_box()
    assert box
    opened.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=4)
    opened.mouse.up()
    assert cut(opened) == pytest.approx(80, abs=1.5)


def test_style_strength_swap_and_eyes(opened: Page, maker: PhotoMaker) -> None:
    give(opened, people()[0])
    data = people()[0].read_bytes()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    with opened.expect_response(re.compile(r"/toon\?")):
        opened.get_by_role("radio", name="comic").check()
    with opened.expect_response(re.compile(r"swap=8")):
        opened.get_by_label("Layer swap").press("End")
    expect(opened.locator("#swap-value")).to_have_text("at 8 px")
    opened.get_by_label("Strength", exact=True).fill("40")
    expect(opened.locator("#strength-value")).to_have_text("40 %")
    assert opened.evaluate("getComputedStyle(after).opacity") == "0.4"
    expect(opened.locator("#busy")).to_be_hidden()
    made = decoded(saved(opened)[1])
    assert np.array_equal(made, decoded(maker.toon(data, "comic", 8, 0.4).data))
    with opened.expect_response(re.compile(r"eyes=1.25")):
        opened.get_by_label("Eyes", exact=True).fill("125")
        opened.get_by_label("Eyes", exact=True).dispatch_event("change")
    expect(opened.locator("#eyes-value")).to_have_text("125 %")
    expect(opened.locator("#busy")).to_be_hidden()
    made = decoded(saved(opened)[1])
    assert np.array_equal(made, decoded(maker.toon(data, "comic", 8, 0.4, 1.25).data))
    opened.get_by_label("Eyes", exact=True).fill("100")
    opened.get_by_label("Eyes", exact=True).dispatch_event("change")
    before = len(asked)
    opened.get_by_label("Layer swap").press("Home")  # the first of this style is kept
    opened.get_by_role("radio", name="film").check()
    opened.get_by_label("Strength", exact=True).fill("100")
    assert np.array_equal(decoded(saved(opened)[1]), decoded(maker.toon(data).data))
    assert [url for url in asked[before:] if "/toon" in url] == []


def test_a_broken_file_is_one_sentence_and_the_next_photo_works(
    opened: Page, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    opened.set_input_files("#file", broken)
    expect(opened.get_by_role("alert")).to_contain_text("This file cannot be read as a photo")
    expect(opened.get_by_role("button", name="Choose a photo")).to_be_visible()
    give(opened, people()[1])
    expect(opened.get_by_role("alert")).to_be_empty()
    opened.get_by_role("button", name="Another photo").click()
    expect(opened.get_by_role("button", name="Choose a photo")).to_be_focused()


def test_on_a_phone_what_is_wrong_is_brought_into_view(opened: Page, tmp_path: Path) -> None:
    opened.set_viewport_size({"width": 375, "height": 667})
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    opened.set_input_files("#file", tmp_path / "broken.jpg")
    expect(opened.locator(".note.bad")).to_be_in_viewport(ratio=1)
    PillowImage.new("RGB", (300, 500), (80, 120, 90)).save(tmp_path / "nobody.png")
    opened.set_input_files("#file", tmp_path / "nobody.png")
    expect(opened.locator(".note.tip")).to_be_in_viewport(ratio=1)
    give_again(opened, people()[0])
    expect(opened.locator("#compare")).to_be_in_viewport(ratio=1)


def test_after_a_refusal_the_keyboard_is_where_the_next_photo_is_chosen(
    opened: Page, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    opened.set_input_files("#file", tmp_path / "broken.jpg")
    expect(opened.locator(".note.bad")).to_be_visible()
    expect(opened.get_by_role("button", name="Choose a photo")).to_be_focused()


def test_a_file_that_is_too_large_is_not_even_sent(opened: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff" * 25_000_001)
    opened.set_input_files("#file", large)
    expect(opened.get_by_role("alert")).to_contain_text("26 MB, more than the 25 MB")


def test_tips_are_of_the_very_photo(opened: Page, tmp_path: Path) -> None:
    sheet = PillowImage.new("RGB", (900, 600), (120, 120, 120))
    sheet.paste(PillowImage.open(people()[0]).resize((420, 420)), (40, 90))
    sheet.paste(PillowImage.open(people()[3]).resize((100, 100)), (650, 200))
    sheet.save(tmp_path / "two.png")
    give(opened, tmp_path / "two.png")
    expect(opened.get_by_role("status").first).to_contain_text("2 faces")
    expect(opened.get_by_role("alert")).to_contain_text("Face 2: with")
    assert opened.locator(".badge").all_inner_texts() == ["1", "2"]
    PillowImage.new("RGB", (300, 300), (80, 120, 90)).save(tmp_path / "nobody.png")
    opened.set_input_files("#file", tmp_path / "nobody.png")
    expect(opened.get_by_role("alert")).to_contain_text("No face was found")
    expect(opened.locator(".badge")).to_have_count(0)
    expect(opened.get_by_role("button", name="Another photo")).to_be_focused()
    for what in (opened.locator("#slider"), opened.locator(".tag.right"), opened.locator("#save")):
        expect(what).to_be_hidden()  # there is no toon
    give_again(opened, people()[0])
    expect(opened.locator(".tag.right")).to_be_visible()
    expect(opened.locator("#save")).to_be_visible()


def test_a_file_is_dropped(opened: Page) -> None:
    """As a browser tells it: over the page, then let go."""
    opened.evaluate(
        """async (path) => {
            const blob = await (await fetch(path)).blob();
            const data = new DataTransfer();
            data.items.add(new File([blob], "dropped.webp", {type: "image/webp"}));
            document.body.dispatchEvent(
                new DragEvent("dragenter", {dataTransfer: data, bubbles: true, cancelable: true}));
            window.seen = !document.getElementById("veil").hidden;
            document.body.dispatchEvent(
                new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        f"/people/{people()[2].name}",
    )
    opened.wait_for_selector("[data-state=toon]")
    assert opened.evaluate("window.seen")
    expect(opened.locator("#veil")).to_be_hidden()


def test_one_of_the_people_is_chosen_with_the_keyboard(opened: Page) -> None:
    opened.get_by_role("button", name="Person 4").focus()
    opened.keyboard.press("Enter")
    opened.wait_for_selector("[data-state=toon]")
    expect(opened.get_by_label("How much of the photo is shown")).to_be_focused()


def test_the_camera_takes_a_photo(opened: Page) -> None:
    """The browser's stand-in camera shows a test picture without a face."""
    opened.get_by_role("button", name="Use the camera").click()
    expect(opened.get_by_role("button", name="Take the photo")).to_be_focused()
    opened.wait_for_selector("#video")
    opened.evaluate("new Promise((seen) => video.requestVideoFrameCallback(() => seen()))")
    opened.get_by_role("button", name="Take the photo").click()
    expect(opened.get_by_role("alert")).to_contain_text("No face was found")
    assert opened.evaluate("document.getElementById('video').srcObject") is None
    assert opened.evaluate("before.naturalWidth") > 300


def test_a_server_that_ended_or_came_back_is_one_sentence(
    serve: Serve, maker: PhotoMaker, tab: Page
) -> None:
    server = serve(PhotoPage(maker.session.bundle, maker, "None.", Desk()).routes)
    tab.goto(server.url())
    tab.wait_for_selector("[data-ready]")
    server.stop()
    tab.set_input_files("#file", people()[0])
    expect(tab.get_by_role("alert")).to_contain_text("The program does not answer")
    tab.evaluate("document.getElementById('notes').replaceChildren()")
    tab.get_by_role("button", name="Person 4").click()
    expect(tab.get_by_role("alert")).to_contain_text("The program does not answer")
    again = serve([], port=server.port)
    tab.set_input_files("#file", people()[0])
    expect(tab.get_by_role("alert")).to_contain_text("The program was started again")
    tab.evaluate("document.getElementById('notes').replaceChildren()")
    tab.get_by_role("button", name="Person 4").click()
    expect(tab.get_by_role("alert")).to_contain_text("The program was started again")
    assert again.port == server.port


def test_the_promise_is_another_one_over_the_network(
    serve: Serve, opened: Page, maker: PhotoMaker
) -> None:
    expect(opened.locator("#promise")).to_contain_text("stays on this machine")
    routes = PhotoPage(maker.session.bundle, maker, "None.", Desk()).routes
    server = serve(routes, host="0.0.0.0")
    path = server.url().split("/", 3)[3]
    opened.goto(f"http://0.0.0.0:{server.port}/{path}")  # no loopback address as far as it says
    opened.wait_for_selector("[data-ready]")
    expect(opened.locator("#promise")).to_contain_text("not encrypted")


def test_everything_has_a_name_and_fits_a_phone(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 700})
    give(opened, people()[0])
    assert opened.evaluate("document.documentElement.scrollWidth") == 360
    nameless = opened.evaluate(
        """[...document.querySelectorAll("button, input:not([hidden]), img")].filter((one) =>
            one.offsetParent && !(one.ariaLabel || one.textContent.trim() || one.alt
                || one.labels?.[0]?.textContent.trim() || one.querySelector?.("img[alt]"))
                && !(one.tagName === "IMG" && one.alt === "" && one.hasAttribute("alt"))
        ).map((one) => one.outerHTML)"""
    )
    assert nameless == []
    small = opened.evaluate(
        """[...document.querySelectorAll("button, .choices label")]
            .filter((one) => one.offsetParent && one.offsetHeight < 44).length"""
    )
    assert small == 0


def test_a_model_without_random_characters_says_so(opened: Page) -> None:
    expect(opened.locator("#no-characters")).to_contain_text("draws from photos only")
    expect(opened.locator("#characters")).to_be_hidden()
