from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from engines.networks.generator_config import GeneratorConfig
from realtime.settings import EYE_SIZES
from realtime.web.photo import routes as module
from realtime.web.photo.desk import Desk
from realtime.web.photo.maker import PhotoMaker
from realtime.web.photo.routes import PhotoPage
from realtime.web.server import WebServer
from tests.realtime.web.client import ask, body, enter, words
from tests.realtime.web.photo.conftest import decoded

Serve = Callable[..., WebServer]


@pytest.fixture
def server(serve: Serve, maker: PhotoMaker) -> WebServer:
    desk = Desk(seconds=120)  # shared machines are slow
    return serve(PhotoPage(maker.session.bundle, maker, "It draws no characters.", desk).routes)


def post(server: WebServer, path: str, data: bytes) -> tuple[int, Any]:
    """Status, and the sentence of a refusal."""
    answer = ask(server, path, enter(server), method="POST", body=data)
    kind = answer.headers["content-type"]
    return answer.status, json.loads(words(answer))["error"] if "json" in kind else kind


def test_the_page_is_told_what_there_is(server: WebServer, maker: PhotoMaker) -> None:
    about = json.loads(words(ask(server, "/about", enter(server))))
    assert list(about["styles"]) == ["film", "comic"]
    assert (about["style"], about["swap"], about["swaps"]) == ("film", None, maker.swaps)
    assert about["engine"].startswith("torch, ")
    assert (about["mostBytes"], about["mostPixels"]) == (25_000_000, 50_000_000)
    assert about["noPhotos"] is None
    assert about["noCharacters"] == "It draws no characters."
    assert ask(server, about["people"][7], enter(server)).status == 200


def test_eyes_have_no_size_where_the_model_does_not_say_where_they_are(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = json.loads(words(ask(server, "/about", enter(server))))
    assert (about["eyes"], about["eyeSizes"]) == (1.0, list(EYE_SIZES))
    monkeypatch.setattr(GeneratorConfig, "gives_plan", False)
    assert json.loads(words(ask(server, "/about", enter(server))))["eyes"] is None


def test_a_photo_in_a_toon_out(server: WebServer, maker: PhotoMaker, portrait: bytes) -> None:
    answer = ask(
        server, "/toon?style=comic&swap=8&strength=0.5", enter(server), method="POST", body=portrait
    )
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    found = json.loads(answer.headers["toonify-found"])
    assert found["words"].startswith("1 face, 51")
    assert set(found["faces"][0]) == {"box", "size", "tips"}
    expected = maker.toon(portrait, "comic", 8, 0.5)
    assert decoded(body(answer)).shape == (512, 512, 3)
    assert body(answer) == expected.data


@pytest.mark.parametrize(
    ("path", "data", "sentence"),
    [
        ("/toon", b"junk", "cannot be read as a photo"),
        ("/toon", b"", "The file is empty"),
        ("/toon?style=clay", None, "no style 'clay'"),
        ("/toon?swap=7", None, "power of two"),
        ("/toon?swap=x", None, "swap must be a number"),
        ("/toon?strength=2", None, "between 0 and 1"),
        ("/toon?strength=nan", None, "between 0 and 1"),
        ("/toon?eyes=2", None, "0.8 to 1.4 times"),
        ("/toon?eyes=x", None, "eyes must be a number"),
        ("/toon?childlike=2", None, "childlike must lie between 0 and 1"),
        ("/toon?childlike=x", None, "childlike must be a number"),
        ("/toon?strength=x", None, "strength must be a number"),
    ],
)
def test_a_refusal_is_one_sentence(
    server: WebServer, portrait: bytes, path: str, data: bytes | None, sentence: str
) -> None:
    status, said = post(server, path, portrait if data is None else data)
    assert status == 422
    assert sentence in said
    assert said.endswith(".")


def test_too_many_bytes_are_refused(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.MOST_BYTES == 25_000_000
    monkeypatch.setattr(module, "MOST_BYTES", 1_000_000)
    status, said = post(server, "/toon", b"\xff" * 1_000_001)
    assert status == 413
    assert "more than 1 MB" in said
    assert post(server, "/toon", b"\xff" * 1_000_000)[0] == 422


def test_a_slow_picture_is_refused(serve: Serve, maker: PhotoMaker, portrait: bytes) -> None:
    desk = Desk(seconds=0.0)
    server = serve(PhotoPage(maker.session.bundle, maker, "None.", desk).routes)
    status, said = post(server, "/toon", portrait)
    desk.close()  # which waits until the maker is free again
    assert (status, "more than 0 s" in said) == (504, True)


def test_what_is_not_there_says_why(serve: Serve, maker: PhotoMaker, portrait: bytes) -> None:
    server = serve(PhotoPage(maker.session.bundle, "It has no encoder.", "None.", Desk()).routes)
    assert post(server, "/toon", portrait) == (409, "It has no encoder.")
    answer = ask(server, "/character?seed=1", enter(server))
    assert (answer.status, json.loads(words(answer))) == (409, {"error": "None."})
    about = json.loads(words(ask(server, "/about", enter(server))))
    assert about["noPhotos"] == "It has no encoder."


def test_a_photo_is_sent_not_asked_for(server: WebServer) -> None:
    assert ask(server, "/toon", enter(server)).status == 405
