from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.bundle import Bundle
from engines.errors import ToonifyError
from realtime import Toonifier
from realtime.api import Toon
from realtime.frame import Frame
from realtime.settings import Settings, flags_of, load_settings
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


def test_a_loop_of_one_s_own_is_tracked(toonify: Toonifier) -> None:
    demo = DemoSource((640, 360), 30, live=False)
    frames = [demo.render(step) for step in range(4)]
    toons = [toonify.frame(frame, 5.0 + step / 30) for step, frame in enumerate(frames)]
    assert [(toon.kind, toon.faces) for toon in toons] == [("toon", 1)] * 4
    assert all(toon.alpha[140, 290] == 255 for toon in toons)
    (face,) = toonify._session.tracker.update(Frame(frames[3], 5.2, 4))
    again = toonify._session.tracker.update(Frame(frames[3], 5.3, 5))
    assert [other.identity for other in again] == [face.identity]


def test_frames_are_those_of_a_stream(
    toonify: Toonifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = DemoSource((320, 180), 25, live=False, total=6)
    monkeypatch.setattr("realtime.api.open_source", lambda *_, **__: demo)
    streamed = list(toonify.stream("demo"))
    own = [toonify.frame(demo.render(step), step / 25).image for step in range(6)]
    assert len(streamed) == 6
    assert all(np.array_equal(one, other) for one, other in zip(streamed, own, strict=True))


@pytest.mark.parametrize("wrong", [1.0, 0.5, float("nan"), float("inf"), "2", None, True, 10**400])
def test_timestamps_must_rise(toonify: Toonifier, picture: np.ndarray, wrong: object) -> None:
    toonify._loop = None
    toonify.frame(picture, 1.0)
    with pytest.raises(ToonifyError, match=r"of seconds above the last one, 1, not .*; give"):
        toonify.frame(picture, wrong)  # type: ignore[arg-type]
    toonify.frame(picture, 1.5)


def test_another_size_begins_a_new_loop(toonify: Toonifier, picture: np.ndarray) -> None:
    toonify._loop = None
    for step, size in enumerate([(640, 360), (320, 180), (320, 180)]):
        toon = toonify.frame(DemoSource(size, 30, live=False).render(step), step / 30)
        assert toon.image.shape == (size[1], size[0], 3)
        assert toon.kind == "toon"


def test_under_a_guard_a_loop_gets_what_the_guard_shows(
    model: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Toonifier(str(model), say=Messages(), engine="torch:cpu", guard="blur") as toonify:
        empty = np.full_like(picture, 90)
        assert toonify.frame(empty, 0.0).kind == "blur"
        monkeypatch.setattr(toonify._session.tracker, "update", lambda frame: [])
        hidden = toonify.frame(picture, 0.1)
        assert (hidden.kind, hidden.faces, hidden.alpha.max()) == ("blur", 0, 0)
        assert np.abs(hidden.image.astype(int) - picture).mean() > 2


@pytest.mark.parametrize("call", ["image", "frame"])
def test_a_detector_that_fails_hides_the_picture_and_is_told_of(
    call: str, model: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise RuntimeError("no detector")

    messages = Messages()
    with Toonifier(model, say=messages, engine="torch:cpu", guard="card", mode="crop") as toonify:

        def show() -> Toon:
            return toonify.image(picture) if call == "image" else toonify.frame(picture, 1.0)

        monkeypatch.setattr(toonify._session.strangers, "sees_stranger", fail)
        monkeypatch.setattr(toonify._session.strangers, "alarmed", fail)
        assert show().kind == "card"
        told = [line for line in messages if "no detector" in line]
        assert told == ["The stranger detector failed (no detector); going on."]
    with Toonifier(model, say=messages, engine="torch:cpu", mode="crop") as toonify:
        monkeypatch.setattr(toonify._session.strangers, "sees_stranger", fail)
        monkeypatch.setattr(toonify._session.strangers, "alarmed", fail)
        assert show().kind == "toon"  # under `pass` nobody is asked


def test_a_picture_that_came_out_may_be_written_into(model: Path, picture: np.ndarray) -> None:
    with Toonifier(model, say=Messages(), engine="torch:cpu", guard="card") as toonify:
        empty = np.full_like(picture, 90)
        first = toonify.frame(empty, 0.0)
        before = first.image.copy()
        first.image[:], first.alpha[:] = 0, 255
        second = toonify.frame(empty, 0.1)
        assert np.array_equal(second.image, before)
        assert not second.alpha.any()


def test_a_model_is_a_name_a_path_or_a_bundle(model: Path, toonify: Toonifier) -> None:
    second = Bundle.load(model).styles[1]
    for given in (str(model), model):
        with Toonifier(given, say=Messages(), engine="torch:cpu", style=second) as made:
            assert made._session.about["style"] == second
    assert list(inspect.signature(Toonifier).parameters) == [
        "model", "style", "swap", "strength", "eyes", "childlike", "mode", "paint_room", "engine",
        "precision", "faces", "guard", "settings", "every_face", "say",
    ]  # fmt: skip


def test_settings_and_a_loaded_bundle_go_together(model: Path) -> None:
    settings = load_settings(flags=flags_of({"engine": "torch:cpu", "guard": "pass"}))
    with Toonifier(Bundle.load(model), settings=settings, say=Messages()) as made:
        assert made.settings is settings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": 3}, "model must be an installed model's name, the path of one or a loaded"),
        ({"model": "nope"}, "There is no model 'nope'"),
        ({"style": 3}, "style must be a text, not 3"),
        ({"swap": 12}, "swap must be a power of two from 4 to 1024, not 12"),
        ({"swap": "16"}, "swap must be a whole number, not '16'"),
        ({"strength": 2.0}, "strength must lie between 0 and 1, not 2.0"),
        ({"eyes": 3.0}, "eyes must be 0.8 to 1.4 times the style's, not 3.0"),
        ({"childlike": 1.5}, "childlike must lie between 0 and 1, not 1.5"),
        ({"strength": True}, "strength must be a number, not True"),
        ({"strength": 0.5, "guard": "blur"}, "strength 0.5 shows some of the real face"),
        ({"mode": "nose"}, "mode must be one of crop, head, face, not 'nose'"),
        ({"mode": np.zeros(2)}, "mode must be one of"),
        ({"engine": "abacus"}, "abacus"),
        ({"model": "  "}, "There is no model '  '"),
        ({"precision": "fp8"}, "precision must be one of fp32, fp16, bf16, int8"),
        ({"faces": 17}, "faces must be 1 to 16, not 17"),
        ({"faces": 1.5}, "faces must be a whole number, not 1.5"),
        ({"guard": "open"}, "guard must be one of auto, pass, hold, blur, card, not 'open'"),
        ({"settings": {}}, "settings must be realtime.settings.Settings, not dict"),
        ({"say": "loudly"}, "say must be a function that takes a line of text, not 'loudly'"),
        ({"settings": Settings(), "guard": "card"}, "settings and guard beside them"),
        ({"settings": Settings(), "model": "film"}, "settings and model beside them"),
    ],
)
def test_wrong_options_are_told_in_a_sentence(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ToonifyError, match=re.escape(message)) as told:
        Toonifier(**wrong)
    assert "\n" not in str(told.value)


def test_options_are_checked() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        Toonifier(colour="red")  # type: ignore[call-arg]
    with pytest.raises(ToonifyError, match="There is no model 'nope'"):
        Toonifier(settings=load_settings(flags={"engine": {"model": "nope"}}))


def test_importing_is_light() -> None:
    code = (
        "import sys, realtime, realtime.cli.app\n"
        "heavy = {'torch', 'mediapipe', 'openvino', 'cv2', 'av', 'pyvirtualcam'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
