from __future__ import annotations

import numpy as np
import pytest

from engines.backends import EngineOutput, create_engine
from engines.faces.alignment import ffhq_quad
from engines.pictures import FloatMask
from realtime import stylizer as stylizer_module
from realtime.compositing import head_share
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.room import painted
from realtime.settings import CompositingSettings, Mode
from realtime.stylizer import Manner, Stylizer
from realtime.toons.engine_call import StylizerError
from tests.engines.factory import tiny_network
from tests.realtime.drawers import Inverter

RAW = CompositingSettings(colour=0)


@pytest.mark.parametrize("mode", ["head", "face", "crop"])
@pytest.mark.parametrize("masks", [True, False])
def test_every_face_is_covered_and_nothing_else_is_touched(
    scene: tuple[Frame, list[TrackedFace]], mode: Mode, masks: bool
) -> None:
    frame, faces = scene
    before = frame.image.copy()
    done = Stylizer(Inverter(masks=masks), CompositingSettings(mode=mode)).apply(frame, faces)
    assert done.covered == {3, 8}
    assert np.array_equal(frame.image, before)
    assert np.array_equal(done.image[done.alpha == 0], before[done.alpha == 0])
    for face in faces:
        x, y = np.floor(face.landmarks[4, :2]).astype(int)  # the tip of the nose
        assert abs(int(done.image[y, x, 2]) - int(before[y, x, 2])) > 25
    outside = done.alpha[:, 512:600]
    assert (outside == 0).mean() > 0.5


def test_without_colour_matching_the_toon_is_the_engines(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    frame, faces = scene
    done = Stylizer(Inverter(), RAW).apply(frame, faces[:1])
    left, top, right, bottom = faces[0].box.astype(int)
    middle = np.s_[top + 60 : bottom - 60, left + 40 : right - 40]
    expected = frame.image[middle].copy()
    expected[..., 2] = 255 - expected[..., 2]
    assert np.abs(done.image[middle].astype(int) - expected).mean() < 9  # resampled to 128 pixels
    assert done.toons[3].shape == (128, 128, 3)
    assert done.crops[3].shape == (128, 128, 3)


def test_the_room_is_painted_beside_toons_if_that_is_wanted(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    frame, faces = scene
    before = frame.image.copy()
    stylizer = Stylizer(Inverter(), CompositingSettings(colour=0, paint_room=True))
    done = stylizer.apply(frame, faces[:1])
    plain = Stylizer(Inverter(), RAW).apply(frame, faces[:1])
    room = done.alpha == 0
    assert np.array_equal(done.alpha, plain.alpha)
    assert np.array_equal(done.image[room], painted(frame.image)[room])
    assert not np.array_equal(done.image[room], before[room])
    toon = done.alpha == 255
    assert np.array_equal(done.image[toon], plain.image[toon])
    assert np.array_equal(frame.image, before)
    assert stylizer.apply(frame, []).image is frame.image  # nothing is a toon there


def test_all_faces_share_one_call_and_large_groups_are_split(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    frame, faces = scene
    engine = Inverter(max_batch=2)
    Stylizer(engine).apply(frame, faces)
    many = [TrackedFace(k, faces[0].landmarks, faces[0].quad) for k in range(5)]
    Stylizer(engine).apply(frame, many)
    assert engine.batches == [2, 2, 2, 1]


def test_strength_fades_and_partly_shown_faces_are_not_covered(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    frame, faces = scene
    stylizer = Stylizer(Inverter(), RAW)
    full = stylizer.apply(frame, faces[:1])
    stylizer.strength = 0.5
    half = stylizer.apply(frame, faces[:1])
    stylizer.strength = 0.0
    none = stylizer.apply(frame, faces[:1])
    middle = (frame.image.astype(float) + full.image) / 2
    assert np.abs(half.image - middle).max() < 3
    assert np.array_equal(none.image, frame.image)
    assert (full.covered, half.covered, none.covered) == ({3}, set(), set())
    assert not none.alpha.any()


def test_no_faces_no_work(scene: tuple[Frame, list[TrackedFace]]) -> None:
    engine = Inverter()
    done = Stylizer(engine).apply(scene[0], [])
    assert engine.batches == []
    assert done.covered == frozenset()
    assert np.array_equal(done.image, scene[0].image)


def test_the_nearer_face_is_painted_last(scene: tuple[Frame, list[TrackedFace]]) -> None:
    frame, (near, _) = scene
    small = near.landmarks.copy()
    small[:, :2] = (small[:, :2] - small[:, :2].mean(0)) * 0.4 + small[:, :2].mean(0)
    far = TrackedFace(1, small, ffhq_quad(small).astype(np.float32))
    stylizer = Stylizer(Inverter(), RAW)
    alone = stylizer.apply(frame, [near])
    x, y = np.floor(near.landmarks[4, :2]).astype(int)
    for order in ([near, far], [far, near]):
        both = stylizer.apply(frame, order)
        assert np.array_equal(both.image[y - 9 : y + 9, x - 9 : x + 9],
                              alone.image[y - 9 : y + 9, x - 9 : x + 9])  # fmt: skip


def test_only_the_longest_known_faces_are_drawn(scene: tuple[Frame, list[TrackedFace]]) -> None:
    frame, faces = scene
    done = Stylizer(Inverter(), max_faces=1).apply(frame, faces[::-1])
    assert done.covered == {3}
    assert set(done.toons) == {3}


def test_each_person_keeps_their_manner_until_the_next_drawing(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    frame, faces = scene
    usual, own = Inverter(), Inverter()
    stylizer = Stylizer(usual, RAW)
    whole = stylizer.apply(frame, faces[:1])
    stylizer.manners = {3: Manner(own, 0.5), 8: Manner(bare=True)}
    drawing = stylizer.draw(frame, faces)
    assert (usual.batches, own.batches) == ([1], [1])
    stylizer.manners, stylizer.strength = {}, 0.0
    stylizer.engine, stylizer.settings = own, CompositingSettings(mode="crop")
    for done in (drawing.paste(), drawing.move(frame, faces)):
        assert set(done.toons) == {3}
        assert done.covered == set()  # one shows through, the other is left as they are
        middle = (frame.image.astype(float) + whole.image) / 2
        assert np.abs(done.image - middle).max() < 3
    assert set(stylizer.draw(frame, faces).paste().toons) == set()


def test_an_engine_that_breaks_its_word_is_found_out(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    frame, faces = scene
    engine = Inverter()
    engine.run = lambda crops: EngineOutput(crops[:1, ::2], None)  # type: ignore[method-assign]
    with pytest.raises(StylizerError, match=r"Expected 2 toons uint8 \[128, 128, 3\]"):
        Stylizer(engine).apply(frame, faces)


def test_a_real_engine_draws_into_the_frame(scene: tuple[Frame, list[TrackedFace]]) -> None:
    frame, faces = scene
    engine = create_engine(tiny_network(64), "torch", max_batch=2, say=lambda line: None)
    try:
        done = Stylizer(engine).apply(frame, faces)
    finally:
        engine.close()
    assert done.covered == {3, 8}
    assert done.toons[3].shape == (128, 128, 3)
    assert np.abs(done.image.astype(int) - frame.image)[done.alpha > 250].mean() > 5


def test_where_the_heads_are_is_worked_out_when_somebody_asks_and_once(
    scene: tuple[Frame, list[TrackedFace]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Mode] = []

    def counted(mode: Mode, head: FloatMask) -> FloatMask:
        asked.append(mode)
        return head_share(mode, head)

    monkeypatch.setattr(stylizer_module, "head_share", counted)
    done = Stylizer(Inverter()).apply(*scene)
    assert done.heads
    assert asked == []
    assert (heads := done.heads()).any()
    assert done.heads() is heads
    assert len(asked) == 2
