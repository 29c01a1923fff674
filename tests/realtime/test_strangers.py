"""The guard with real parts: MediaPipe's detector, the tracker, the demo's second person."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from realtime.faces.face import TrackedFace
from realtime.faces.tracker import FaceTracker
from realtime.frame import Frame
from realtime.guard import Guard, Result
from realtime.settings import GuardSettings, TrackerSettings
from realtime.sources.demo import DemoSource
from realtime.strangers import (
    CONFIDENCE,
    SURE,
    StrangerDetector,
    overlap,
    unexplained,
    watch_windows,
)

UNSURE = (CONFIDENCE + SURE) / 2
STEPS = range(100, 172, 3)  # the second person comes in from step 120 on


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    demo = DemoSource((1280, 720), 30, live=False)
    return [Frame(demo.render(step), step / 30, step) for step in STEPS]


@pytest.fixture(scope="module")
def tracked(frames: list[Frame]) -> list[list[TrackedFace]]:
    seen = []
    with FaceTracker(TrackerSettings(max_faces=2)) as tracker:
        for frame in frames:
            seen.append(tracker.update(frame))
            tracker.search()
    return seen


@pytest.fixture
def watch() -> Iterator[StrangerDetector]:
    made = StrangerDetector(5.0)
    yield made
    made.close()


def painted(frame: Frame, faces: list[TrackedFace]) -> tuple[np.ndarray, frozenset[int]]:
    """Every tracked face under a grey box."""
    image = frame.image.copy()
    for face in faces:
        left, top, right, bottom = (max(0, int(v)) for v in face.box)
        image[top - 20 : bottom + 20, left - 20 : right + 20] = 128
    return image, frozenset(face.identity for face in faces)


def test_somebody_who_comes_in_is_seen_before_the_tracker_follows(
    frames: list[Frame], tracked: list[list[TrackedFace]], watch: StrangerDetector
) -> None:
    alarms = [watch.alarmed(frame, faces) for frame, faces in zip(frames, tracked, strict=True)]
    before = [alarm for step, alarm in zip(STEPS, alarms, strict=True) if step < 112]
    assert not any(before)
    assert any(alarms)


def test_no_face_can_be_found_in_what_leaves_the_guard(
    frames: list[Frame], tracked: list[list[TrackedFace]], watch: StrangerDetector
) -> None:
    from engines.faces.landmarker import Landmarker

    door = Guard("blur", GuardSettings(grace=0.0, look_ahead=1), (1280, 720), 2)
    outputs = []
    for frame, faces in zip(frames, tracked, strict=True):
        image, covered = painted(frame, faces)
        alarm = watch.alarmed(frame, faces)
        outputs.append(door.admit(Result(frame, image, None, faces, covered, alarm)))
    kinds = [output.kind for output in outputs if output]
    assert kinds.count("toon") > 3
    assert "blur" in kinds
    with Landmarker("image", max_faces=3, blendshapes=False, pose=False) as landmarker:
        found = [
            len(landmarker.detect(np.ascontiguousarray(output.image[:, :, ::-1])))
            for output in outputs
            if output
        ]
        assert max(found) == 0
        raw = landmarker.detect(np.ascontiguousarray(frames[-1].image[:, :, ::-1]))
        assert raw  # the detector does find the raw face


def test_the_tracker_looks_where_the_watch_suspects_somebody(
    frames: list[Frame], tracked: list[list[TrackedFace]], watch: StrangerDetector
) -> None:
    counts = []
    with FaceTracker(TrackerSettings(max_faces=2)) as tracker:
        for frame in frames:
            faces = tracker.update(frame)
            tracker.search(watch.suspected)
            watch.alarmed(frame, faces)
            counts.append(len(faces))
    alone = [len(faces) for faces in tracked]
    assert counts[-1] == 2
    assert counts.index(2) < (alone.index(2) if 2 in alone else len(alone))
    assert max(counts) == 2


def test_what_the_tracker_never_confirms_is_no_face_after_a_while(frames: list[Frame]) -> None:
    watch = StrangerDetector(patience=1.0)
    image = frames[0].image
    alarms = [watch.alarmed(Frame(image, step / 10, step), []) for step in range(24)]
    watch.close()
    assert any(alarms[:8])
    assert not any(alarms[-8:])


class Scripted(StrangerDetector):
    """A watch whose detector sees one face with the given certainty, or none at 0."""

    score = 0.0

    def _detect(self, image: object, window: object) -> list[tuple[np.ndarray, float]]:
        return [(np.array([200.0, 100, 300, 200]), self.score)] if self.score else []


def test_an_unsure_sight_that_nobody_confirms_counts_for_two_passes() -> None:
    watch = Scripted(patience=5.0)
    image = np.zeros((360, 640, 3), np.uint8)
    passes = 2 * len(watch_windows(640, 360))

    def alarms(score: float, first: int, count: int) -> list[bool]:
        watch.score = score
        steps = range(first, first + count)
        return [watch.alarmed(Frame(image, step / 30, step), []) for step in steps]

    assert alarms(UNSURE, 0, 30) == [True] * passes + [False] * (30 - passes)
    assert watch.suspected == []
    assert not any(alarms(0.0, 30, 90))
    assert not any(alarms(UNSURE, 120, 30))  # it flickers
    assert all(alarms(0.9, 150, 30))  # a face, after all
    assert len(watch.suspected) == 1
    assert all(alarms(UNSURE, 180, 30))  # and surely seen once, it stays one
    watch.close()


def test_the_room_behind_a_person_is_hardly_ever_taken_for_a_face(watch: StrangerDetector) -> None:
    demo = DemoSource((1280, 720), 30, live=False)
    with FaceTracker(TrackerSettings(max_faces=1)) as tracker:
        alarms = []
        for step in range(270, 310):
            frame = Frame(demo.render(step), step / 30, step)
            faces = tracker.update(frame)
            tracker.search(watch.suspected)
            alarms.append(watch.alarmed(frame, faces))
    assert sum(alarms) <= 2 * len(watch_windows(1280, 720))


def box(x: float, y: float, size: float) -> np.ndarray:
    return np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])


def test_each_known_face_explains_one_sight() -> None:
    first, second = (box(200, 200, 100), 0.9), (box(270, 210, 100), 0.9)
    assert unexplained([first], [box(205, 200, 105)]) == []
    assert unexplained([first, second], [box(205, 200, 105), box(268, 212, 90)]) == []
    assert unexplained([first, second], [box(205, 200, 105)]) == [second]
    spanning = box(240, 205, 140)  # one mesh over both
    assert len(unexplained([first, second], [spanning])) == 1
    assert unexplained([first], []) == [first]


@pytest.mark.parametrize(
    ("face", "whose"),
    [
        (box(215, 200, 100), "same"),
        (box(262, 200, 100), "another"),
        (box(200, 200, 220), "another"),
    ],
)
def test_a_sight_beside_a_face_or_within_a_larger_one_is_another_face(
    face: np.ndarray, whose: str
) -> None:
    sight = (box(200, 200, 100), 0.9)
    assert (unexplained([sight], [face]) == []) == (whose == "same")


def test_two_overlapping_people_need_two_tracked_faces(
    frames: list[Frame], tracked: list[list[TrackedFace]], watch: StrangerDetector
) -> None:
    (face,) = tracked[0]
    left, top, right, bottom = (int(v) for v in face.box)
    margin = (bottom - top) // 2
    head = frames[0].image[top - margin : bottom + margin, left - margin : right + margin]
    both = frames[0].image.copy()
    aside = int(0.8 * (right - left))
    both[top - margin : bottom + margin, left - margin + aside : right + margin + aside] = head
    moved = face.box + np.array([aside, 0, aside, 0])
    assert overlap(face.box, moved) > 0.15
    assert not watch.sees_stranger(frames[0].image, [face])
    assert watch.sees_stranger(both, [face])
    assert any(watch.alarmed(Frame(both, i / 30, i), [face]) for i in range(8))


@pytest.mark.parametrize("shape", [(64, 16400), (16400, 2), (1, 1)])
def test_thin_strips_are_looked_at(shape: tuple[int, int], watch: StrangerDetector) -> None:
    assert not watch.sees_stranger(np.zeros((*shape, 3), np.uint8), [])


@pytest.mark.parametrize("rate", [1, 3, 30])
def test_a_stranger_is_not_forgotten_between_two_looks(rate: int) -> None:
    class InOneWindow(Scripted):
        def _detect(self, image: object, window: object) -> list[tuple[np.ndarray, float]]:
            here = window == watch_windows(1280, 720)[-1]
            return super()._detect(image, window) if here else []

    watch = InOneWindow(patience=60.0)
    watch.score = 0.9
    image = np.zeros((720, 1280, 3), np.uint8)
    alarms = [watch.alarmed(Frame(image, i / rate, i), []) for i in range(24)]
    watch.close()
    assert all(alarms[alarms.index(True) :])


@pytest.mark.parametrize("end", ["watch.close()", "pass  # closed as the interpreter ends"])
def test_mediapipe_is_not_heard_at_the_end(end: str) -> None:
    make = "from realtime.strangers import StrangerDetector; watch = StrangerDetector(5.0)"
    program = f"{make}; {end}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    assert "INFO" not in done.stderr


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 480), (500, 500)])
def test_windows_cover_the_picture(size: tuple[int, int]) -> None:
    seen = np.zeros(size[::-1], int)
    for left, top, right, bottom in watch_windows(*size)[1:]:
        assert right - left == bottom - top == min(size)
        seen[top:bottom, left:right] += 1
    assert seen.min() >= 1


def test_overlap_is_that_of_the_smaller_box() -> None:
    box = np.array([0.0, 0, 10, 10])
    assert overlap(box, np.array([0.0, 0, 5, 5])) == 1
    assert overlap(box, np.array([5.0, 0, 15, 10])) == 0.5
    assert overlap(box, np.array([20.0, 0, 30, 10])) == 0
