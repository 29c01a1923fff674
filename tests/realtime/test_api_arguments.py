"""What `Toonifier` takes, how many faces it draws, and that it says when it is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.bundle import Bundle
from engines.errors import UsageError
from realtime import Toonifier
from realtime.settings import flags_of, load_settings
from realtime.sources import SourceError
from realtime.sources.demo import DemoSource
from tests.realtime.fakes import Messages
from tests.realtime.media import write_movie


@pytest.fixture(scope="module")
def toonify(model: Path) -> Iterator[Toonifier]:
    bundle = Bundle.load(model)
    with Toonifier(bundle, say=Messages(), engine="torch:cpu", mode="crop") as made:
        yield made


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return DemoSource((640, 360), 30, live=False).render(0)


@pytest.mark.parametrize("wrong", ["", "  ", None, 3.5, b"", b"0", 0])
def test_a_source_must_be_named(toonify: Toonifier, wrong: object) -> None:
    with pytest.raises(UsageError, match=r"source must be a camera's index, .*, not "):
        toonify.stream(wrong)  # type: ignore[arg-type]


def test_a_stream_does_not_wait_for_a_camera_that_is_not_there(toonify: Toonifier) -> None:
    with pytest.raises(SourceError, match="No camera fits 'nothere'"):
        next(toonify.stream("nothere"))


def test_a_stream_takes_a_path(toonify: Toonifier, tmp_path: Path) -> None:
    film = write_movie(tmp_path / "a.mp4", 3)
    assert len(list(toonify.stream(film))) == 3


def test_a_picture_without_pixels_is_said_to_have_none(toonify: Toonifier) -> None:
    with pytest.raises(UsageError, match=r"\[0, 0, 3\] has no pixels"):
        toonify.image(np.zeros((0, 0, 3), np.uint8))


def test_grey_and_transparent_pictures_work(toonify: Toonifier, picture: np.ndarray) -> None:
    alpha = np.full((*picture.shape[:2], 1), 7, np.uint8)
    assert np.array_equal(toonify(np.concatenate([picture, alpha], axis=2)), toonify(picture))
    assert toonify(picture[:, :, 1]).shape == picture.shape


@pytest.mark.parametrize("number", [np.float32(0.2), np.float64(0.2), np.int64(1), Fraction(1, 5)])
def test_a_timestamp_is_any_real_number(
    toonify: Toonifier, picture: np.ndarray, number: Any
) -> None:
    toonify._loop = None
    toonify.frame(picture, 0.0)
    assert toonify.frame(picture, number).kind == "toon"


def test_a_new_stream_has_a_new_clock(toonify: Toonifier, picture: np.ndarray) -> None:
    toonify._loop = None
    toonify.frame(picture, 100.0)
    small = np.ascontiguousarray(picture[::2, ::2])
    assert toonify.frame(small, 1.0).image.shape == small.shape
    with pytest.raises(UsageError, match="above the last one, 1"):
        toonify.frame(small, 0.5)


def test_faces_is_the_most_that_are_drawn(model: Path, picture: np.ndarray) -> None:
    people = np.concatenate([picture] * 3, axis=0)
    options: dict[str, Any] = {"say": Messages(), "engine": "torch:cpu", "mode": "face"}
    with Toonifier(model, **options) as toonify:
        assert toonify.settings.faces.max_faces == 4  # `frame` and `stream`
        assert toonify._session.guard((64, 48), still=True).max_faces >= 1000
        toon = toonify.image(people)
        assert toon.faces == toon.drawn == 3
        assert toonify.image(np.full_like(picture, 90)).drawn == 0
    with Toonifier(model, faces=1, **options) as toonify:
        toon = toonify.image(people)
        assert toon.faces > toon.drawn == 1
    settings = load_settings(flags=flags_of({"engine": "torch:cpu", "faces": 2}))
    with Toonifier(Bundle.load(model), settings=settings, say=Messages()) as toonify:
        assert toonify._session.guard((64, 48), still=True).max_faces == 2


def test_what_is_closed_says_so(model: Path, picture: np.ndarray, tmp_path: Path) -> None:
    film = write_movie(tmp_path / "a.mp4", 4)
    toonify = Toonifier(model, say=Messages(), engine="torch:cpu")
    frames = toonify.stream(film)
    next(frames)
    toonify.close()
    toonify.close()
    calls: list[Callable[[], object]] = [
        lambda: next(frames),
        lambda: toonify(picture),
        lambda: toonify.image(picture),
        lambda: toonify.frame(picture, 0.0),
        lambda: toonify.stream(film),
        toonify.__enter__,
    ]
    for call in calls:
        with pytest.raises(UsageError, match=r"^This Toonifier is closed; make another one\.$"):
            call()
