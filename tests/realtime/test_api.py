from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.bundle import Bundle
from engines.errors import ToonifyError
from realtime import Toonifier
from realtime.settings import load_settings
from realtime.sources.demo import DemoSource
from tests.realtime.fakes import Messages
from tests.realtime.media import number_of, write_movie


@pytest.fixture(scope="module")
def toonify(model: Path) -> Iterator[Toonifier]:
    bundle = Bundle.load(model)
    with Toonifier(bundle, say=Messages(), engine="torch:cpu", mode="crop") as made:
        yield made


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return DemoSource((640, 360), 30, live=False).render(0)


def test_a_picture_goes_in_and_a_toon_comes_out(toonify: Toonifier, picture: np.ndarray) -> None:
    before = picture.copy()
    toon = toonify(picture)
    assert (picture == before).all()
    assert toon.shape == picture.shape
    assert toon.dtype == np.uint8
    change = np.abs(toon.astype(int) - picture).max(axis=2)
    assert change[60:220, 230:350].mean() > 20
    assert change[:, 450:].max() == 0
    again = toonify.image(picture)
    assert again.faces == 1
    assert (again.image == toon).all()
    assert again.alpha[140, 290] == 255


def test_a_picture_without_a_face_comes_back_as_it_is(toonify: Toonifier) -> None:
    empty = np.full((240, 320, 3), 90, np.uint8)
    toon = toonify.image(empty)
    assert toon.faces == 0
    assert (toon.image == empty).all()


@pytest.mark.parametrize("shape", [(1, 1), (33, 47), (500, 11)])
def test_any_size_works(toonify: Toonifier, shape: tuple[int, int]) -> None:
    assert toonify(np.zeros((*shape, 3), np.uint8)).shape == (*shape, 3)


def test_garbage_is_refused_in_a_sentence(toonify: Toonifier) -> None:
    with pytest.raises(ToonifyError, match=r"uint8 array \[H, W, 3\] in BGR, not float64 \[4, 4\]"):
        toonify(np.zeros((4, 4)))


def test_a_stream_gives_every_frame(toonify: Toonifier, tmp_path: Path) -> None:
    film = write_movie(tmp_path / "a.mp4", 12)
    assert [number_of(image) for image in toonify.stream(str(film))] == list(range(12))


def test_a_stream_is_opened_as_the_settings_say(toonify: Toonifier, tmp_path: Path) -> None:
    film = write_movie(tmp_path / "a.mp4", 2)
    plain = next(toonify.stream(str(film)))
    chosen = toonify.settings
    toonify.settings = replace(chosen, source=replace(chosen.source, mirror=True))
    mirrored = next(toonify.stream(str(film)))
    toonify.settings = chosen
    assert np.array_equal(mirrored, plain[:, ::-1])
    assert not np.array_equal(mirrored, plain)


def test_under_a_guard_no_raw_picture_comes_back(
    model: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.load(model)
    with Toonifier(bundle, say=Messages(), engine="torch:cpu", guard="card") as toonify:
        empty = np.full((240, 320, 3), 90, np.uint8)
        assert np.abs(toonify(empty).astype(int) - empty).max() > 20
        monkeypatch.setattr(toonify._session.tracker, "still", lambda image: [])
        hidden = toonify(picture).astype(int)
        assert np.abs(hidden - picture).mean() > 20


def test_a_face_that_only_the_watch_sees_hides_a_picture(
    model: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, room = Bundle.load(model), picture.shape
    both = np.concatenate([picture, picture], axis=1)
    with Toonifier(
        bundle, say=Messages(), engine="torch:cpu", guard="card", mode="crop"
    ) as toonify:
        assert toonify.image(both).alpha.max() == 255  # both faces are found and covered
        find = toonify._session.tracker.still
        monkeypatch.setattr(
            toonify._session.tracker,
            "still",
            lambda image: [face for face in find(image) if face.box[0] < room[1]],
        )
        result = toonify.image(both)
        assert result.faces == 1
        assert result.alpha.max() == 0


def test_options_are_checked() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        Toonifier(colour="red")  # type: ignore[call-arg]
    with pytest.raises(ToonifyError, match="settings and guard beside them"):
        Toonifier(settings=load_settings(), guard="card")
    with pytest.raises(ToonifyError, match="There is no model 'nope'"):
        Toonifier(settings=load_settings(flags={"engine": {"bundle": "nope"}}))


def test_importing_is_light() -> None:
    code = (
        "import sys, realtime, realtime.cli.app\n"
        "heavy = {'torch', 'mediapipe', 'openvino', 'cv2', 'av', 'pyvirtualcam'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
