"""The page to try, with the small model."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from engines.faces.people import people
from realtime.settings import Settings, flags_of, load_settings
from realtime.web.photo.desk import Desk
from realtime.web.photo.maker import PhotoMaker
from realtime.web.photo.routes import PhotoPage
from realtime.web.server import WebServer
from tests.engines.factory import tiny_bundle
from tests.realtime.fakes import Messages


def settings_of(model: Path, **others: Any) -> Settings:
    """The settings of `toonify web --model MODEL`, on the CPU."""
    flags = {"model": str(model), "engine": "torch:cpu", "guard": "pass", "faces": 16, **others}
    return load_settings(flags=flags_of(flags))


@pytest.fixture(scope="package")
def maker(model: Path) -> Iterator[PhotoMaker]:
    made = PhotoMaker(settings_of(model), Messages())
    yield made
    made.close()


@pytest.fixture(scope="package")
def shaped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhotoMaker]:
    """A maker whose first style wants a film's shapes, and its second does not."""
    bundle = tiny_bundle(styles=2)
    name, style = next(iter(bundle.card.styles.items()))
    finish = replace(style.finish, reshaped=True)
    styles = {**bundle.card.styles, name: replace(style, finish=finish)}
    path = tmp_path_factory.mktemp("models") / "shaped.toon"
    replace(bundle, card=replace(bundle.card, styles=styles)).save(path)
    made = PhotoMaker(settings_of(path, childlike=0.4), Messages())
    yield made
    made.close()


@pytest.fixture(scope="package")
def photos(maker: PhotoMaker) -> Iterator[WebServer]:
    """A running server of the page."""
    desk = Desk(seconds=120)  # shared machines are slow
    why = "This model draws from photos only."
    with WebServer(
        PhotoPage(maker.session.bundle, maker, why, desk).routes, say=Messages()
    ) as made:
        yield made
    desk.close()


@pytest.fixture(scope="session")
def portrait() -> bytes:
    """A JPEG of 512 x 512 pixels with one face."""
    return encoded(PillowImage.open(people()[0]), "JPEG", quality=95)


def encoded(picture: PillowImage.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a file, RGB or RGBA."""
    return np.asarray(PillowImage.open(io.BytesIO(data)))
