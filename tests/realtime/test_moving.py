"""Toons that move with their faces while the engine cannot keep up with the camera."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
import pytest

from engines.backends import EngineOutput
from engines.faces.alignment import ffhq_quad
from engines.faces.landmarker import Landmarker
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.settings import CompositingSettings
from realtime.sources.sitters import portrait
from realtime.stylizer import Stylizer
from tests.realtime.fakes import (
    BOX,
    FakeSource,
    MarkerStrangers,
    MarkerStylizer,
    MarkerTracker,
    marked,
    raw_pixels,
)
from tests.realtime.runs import Run

RATE = 30.0


def place(number: int) -> tuple[int, ...]:
    """Where the face is in a frame: it wanders."""
    x, y = round(60 * np.sin(number / 5)), round(25 * np.cos(number / 4))
    left, top, right, bottom = BOX
    return left + x, top + y, right + x, bottom + y


def wandering(total: int) -> FakeSource:
    return FakeSource(total, RATE, lambda number: marked(boxes=[place(number)]))


def slow(seconds: float) -> MarkerStylizer:
    return MarkerStylizer(lambda frame: time.sleep(seconds))


@pytest.mark.parametrize("shared", [True, False])
def test_every_frame_goes_out_though_the_engine_draws_half_of_them(shared: bool) -> None:
    run = Run(
        "blur",
        wandering(120),
        MarkerTracker(lambda frame: [place(frame.number)]),
        slow(1.8 / RATE),
        strangers=MarkerStrangers(lambda frame: False),
        shared=shared,
        moves=True,
    )
    run.until(lambda: False)
    run.check()
    times = [p.captured for p in run.pictures if p.kind == "toon" and p.captured]
    assert times == sorted(times)
    numbers = run.pipeline.snapshot()
    assert numbers["toons_drawn"] + numbers["toons_moved"] == run.count("toon")
    assert numbers["toons_moved"] > 20
    late = [picture for picture in run.pictures[-60:] if picture.kind == "toon"]
    assert 0 < sum(not picture.moved for picture in late) < len(late)


def test_without_moving_only_drawn_frames_go_out() -> None:
    run = Run("blur", wandering(40), stylizer=slow(2 / RATE))
    run.until(lambda: False)
    assert run.pipeline.snapshot()["toons_moved"] == 0
    assert run.count("toon") < 30


def test_an_engine_that_keeps_up_draws_every_frame() -> None:
    run = Run("blur", FakeSource(30, RATE), moves=True)
    run.until(lambda: False)
    assert run.pipeline.snapshot()["toons_moved"] == 0


def test_somebody_new_is_hidden_until_drawn() -> None:
    second = (20, 20, 80, 90)

    def boxes(number: int) -> list[tuple[int, ...]]:
        return [place(number), second] if number >= 60 else [place(number)]

    run = Run(
        "blur",
        FakeSource(100, RATE, lambda number: marked(boxes=boxes(number))),
        MarkerTracker(lambda frame: boxes(frame.number)),
        slow(2.5 / RATE),
        moves=True,
    )
    run.until(lambda: False)
    run.check()
    assert run.count("blur") > 0
    assert run.pictures[-5].kind == "toon"


def test_an_engine_that_hangs_shows_no_face_that_has_stopped() -> None:
    hung: list[float] = []

    def trouble(frame: Frame) -> None:
        time.sleep(2 / RATE)
        if frame.number > 50 and not hung:
            hung.append(time.monotonic())
            time.sleep(2.5)

    run = Run("card", wandering(130), MarkerTracker(lambda frame: [place(frame.number)]),
              MarkerStylizer(trouble), moves=True)  # fmt: skip
    run.until(lambda: False)
    run.check()
    hidden = [p for p in run.pictures if p.captured and 1.3 < p.captured - hung[0] < 2.3]
    assert hidden
    assert {picture.kind for picture in hidden} == {"card"}


def test_a_toon_switched_off_does_not_move_on() -> None:
    run = Run("card", wandering(120), MarkerTracker(lambda frame: [place(frame.number)]),
              slow(2 / RATE), moves=True)  # fmt: skip
    run.until(lambda: run.pipeline.statistics.moved > 10)
    assert run.pipeline.statistics.moved > 10
    off = Run("card", wandering(90), MarkerTracker(lambda frame: [place(frame.number)]),
              slow(2 / RATE), moves=True)  # fmt: skip

    def switch() -> bool:
        if off.pipeline.statistics.moved > 10 and off.controls.toon:
            off.controls.toggle_toon()
        return False

    off.until(switch)
    off.check()
    assert off.pictures[-2].kind == "card"


class Plain:
    """An engine whose toon is one colour, and whose head is an oval."""

    name, device, precision, build_seconds = "plain", "cpu", "fp32", 0.0
    input_size = output_size = 128
    max_batch = 4

    def run(self, crops: np.ndarray) -> EngineOutput:
        head = np.zeros((128, 128), np.uint8)
        cv2.ellipse(head, (64, 62), (34, 44), 0, 0, 360, 255, cv2.FILLED)
        toons = np.full_like(crops, (40, 40, 255))
        return EngineOutput(toons, np.stack([head] * len(crops)))

    def update(self, network: Any) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    with Landmarker(blendshapes=False) as landmarker:
        found = landmarker.detect(np.ascontiguousarray(portrait()[..., ::-1]))[0].points
    return np.asarray(found)


def raw_face(points: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, TrackedFace]:
    """A picture in which the whole outline of a face is raw (see `marked`), and that face."""
    checks = marked(size, [(0, 0, *size)])
    hull = cv2.convexHull(np.rint(points[:, :2]).astype(np.int32))
    inside = cv2.fillConvexPoly(np.zeros(size[::-1], np.uint8), hull, 1)[..., None]
    image = np.where(inside > 0, checks, np.uint8(90)).astype(np.uint8)
    face = TrackedFace(1, points.astype(np.float32), ffhq_quad(points).astype(np.float32))
    return image, face


def test_the_mask_of_a_moved_toon_covers_the_face_in_that_very_frame(
    landmarks: np.ndarray,
) -> None:
    """However the face moves, turns, grows and opens its mouth after it was drawn."""
    size = (640, 480)
    points = landmarks.copy()
    points[:, :2] = (points[:, :2] - points[:, :2].mean(0)) * 0.6 + (320, 240)
    image, face = raw_face(points, size)
    stylizer = Stylizer(Plain(), CompositingSettings())
    drawing = stylizer.draw(Frame(image, 0.0, 0), [face])
    assert raw_pixels(image) > 7000
    rng = np.random.default_rng(5)
    for number in range(1, 40):
        angle, scale = rng.uniform(-0.6, 0.6), rng.uniform(0.6, 1.3)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved = points.copy()
        moved[:, :2] = (points[:, :2] - (320, 240)) @ turn.T
        moved[:, 1] *= rng.uniform(1.0, 1.12)  # a jaw that drops
        moved[:, :2] += rng.uniform((200, 180), (440, 300))
        image, face = raw_face(moved, size)
        done = drawing.move(Frame(image, number / RATE, number), [face])
        assert raw_pixels(done.image) == 0
        assert done.covered == {1}
    stranger = TrackedFace(2, face.landmarks, face.quad)
    assert drawing.move(Frame(image, 2.0, 60), [stranger]).covered == frozenset()


def test_moving_a_toon_onto_its_own_frame_is_pasting_it(landmarks: np.ndarray) -> None:
    image = portrait()
    face = TrackedFace(1, landmarks, ffhq_quad(landmarks).astype(np.float32))
    drawing = Stylizer(Plain()).draw(Frame(image, 0.0, 0), [face])
    pasted, moved = drawing.paste(), drawing.move(Frame(image, 0.0, 0), [face])
    assert np.array_equal(pasted.image, moved.image)
    assert np.array_equal(pasted.alpha, moved.alpha)
