from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.backends import EngineOutput, create_engine
from engines.faces.alignment import ffhq_quad, transform_points
from engines.faces.features import EYE
from engines.faces.landmarker import Landmarker
from engines.finish import Finish
from engines.networks.toon import ToonNetwork
from engines.pictures import FloatMask
from realtime import stylizer as stylizer_module
from realtime.compositing import head_share
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.settings import CompositingSettings, Mode
from realtime.sources.sitters import portrait
from realtime.stylizer import Manner, Stylizer, StylizerError
from realtime.toons import detail
from tests.engines.factory import tiny_network

RAW = CompositingSettings(colour=0)


class Inverter:
    """An engine whose toon is the crop with its red inverted, and whose head is known."""

    name, device, precision, build_seconds = "inverter", "cpu", "fp32", 0.0
    input_size = output_size = 128

    def __init__(self, max_batch: int = 4, masks: bool = True) -> None:
        self.max_batch = max_batch
        self.batches: list[int] = []
        self._masks = masks
        self._head = np.zeros((128, 128), np.uint8)
        cv2.ellipse(self._head, (64, 60), (40, 52), 0, 0, 360, 255, cv2.FILLED)

    def run(self, crops: np.ndarray) -> EngineOutput:
        assert crops.dtype == np.uint8
        assert crops.flags.c_contiguous
        self.batches.append(len(crops))
        toons = crops.copy()
        toons[..., 0] = 255 - toons[..., 0]
        return EngineOutput(toons, np.stack([self._head] * len(crops)) if self._masks else None)

    def update(self, network: ToonNetwork) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def scene() -> tuple[Frame, list[TrackedFace]]:
    """Two portraits side by side, the right one at half the size."""
    picture = portrait()
    with Landmarker(blendshapes=False) as landmarker:
        points = landmarker.detect(np.ascontiguousarray(picture[..., ::-1]))[0].points
    image = np.full((600, 1000, 3), 128, np.uint8)
    image[:, :512] = picture
    image[200:500, 600:856] = cv2.resize(picture, (256, 300), interpolation=cv2.INTER_AREA)
    half = transform_points(points, np.array([[0.5, 0, 600], [0, 0.5, 200]]))
    faces = [
        TrackedFace(identity, face, ffhq_quad(face).astype(np.float32))
        for identity, face in ((3, points), (8, half))
    ]
    return Frame(image, 1.0, 0), faces


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


@pytest.mark.parametrize("wanted", [True, False])
def test_eyes_are_painted_where_the_style_and_the_user_want_it(
    scene: tuple[Frame, list[TrackedFace]], wanted: bool
) -> None:
    class Artist(Inverter):
        def run(self, crops: np.ndarray) -> EngineOutput:
            still = np.zeros((len(crops), 3, 16, 16), np.float32)
            return EngineOutput(crops.copy(), None, still, Finish(painted_eyes=wanted))

    frame, faces = scene
    eyes = np.zeros(frame.image.shape[:2], np.uint8)
    for ids in EYE:
        cv2.fillPoly(eyes, [np.round(faces[0].landmarks[ids, :2]).astype(np.int32)], 255)
    inside = cv2.dilate(eyes, np.ones((9, 9), np.uint8)) > 0

    def drawn(paint_eyes: bool = True) -> np.ndarray:
        stylizer = Stylizer(Artist(), CompositingSettings(colour=0, paint_eyes=paint_eyes))
        return stylizer.apply(frame, faces[:1]).image.astype(int)

    changed = np.abs(drawn() - drawn(paint_eyes=False)).max(-1) > 3
    assert changed[inside].any() == wanted
    assert not changed[~cv2.dilate(eyes, np.ones((25, 25), np.uint8)).astype(bool)].any()


class Planner(Inverter):
    def run(self, crops: np.ndarray) -> EngineOutput:
        images, masks, *_ = super().run(crops)
        plan = np.zeros((len(crops), 3, 16, 16), np.float32)
        plan[:, 2] = 1
        return EngineOutput(images, masks, plan)


def test_a_head_takes_less_of_the_frames_detail(
    scene: tuple[Frame, list[TrackedFace]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (frame, faces), drawn = scene, []
    x, y = np.floor(faces[0].landmarks[4, :2]).astype(int)
    for brushed in (0.0, detail.BRUSHED, 1.0):
        monkeypatch.setattr(detail, "BRUSHED", brushed)
        toon = Stylizer(Planner(), RAW).apply(frame, faces[:1]).image
        drawn.append(toon[y - 40 : y + 40, x - 40 : x + 40].astype(int))
    assert 0.3 < np.abs(drawn[1] - drawn[2]).sum() / np.abs(drawn[0] - drawn[2]).sum() < 0.5


def test_a_toon_takes_detail_for_the_crop_of_the_engine_that_drew_it(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    class Larger(Inverter):
        input_size = output_size = 512

    frame, faces = scene
    stylizer = Stylizer(Planner(), RAW)
    drawing = stylizer.draw(frame, faces[:1])
    stylizer.engine = Larger()  # in whose crop there is nothing finer to find
    moved = drawing.move(frame, faces[:1])
    assert np.array_equal(moved.image, Stylizer(Planner(), RAW).apply(frame, faces[:1]).image)
    assert not np.array_equal(moved.image, Stylizer(Inverter(), RAW).apply(frame, faces[:1]).image)


def test_light_is_followed_slowly_and_without_flicker(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    frame, faces = scene
    stylizer = Stylizer(Inverter(), CompositingSettings(colour=1.0, memory=1.0))
    x, y = np.floor(faces[0].landmarks[4, :2]).astype(int)
    spot = np.s_[y - 40 : y + 40, x - 40 : x + 40]

    def red(k: int, gain: float) -> float:
        """Red of the toon relative to the scene's, after a frame whose light flickers by `gain`."""
        lit = cv2.convertScaleAbs(frame.image, alpha=gain).astype(np.uint8, copy=False)
        done = stylizer.apply(Frame(lit, k / 30, k), faces[:1])
        return float(done.image[spot][..., 2].mean())

    assert np.ptp([red(k, 1.0) for k in range(8)]) < 0.2
    first = red(8, 0.6)
    later = [red(k, 0.6) for k in range(9, 200, 10)]
    assert np.abs(np.diff([first, *later])).max() < 0.5 * abs(later[-1] - first)
    stylizer.reset()
    assert abs(red(200, 0.6) - later[-1]) < 1
    assert abs(red(201, 0.6) - first) > 10


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
