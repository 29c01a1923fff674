"""The tracker with the real MediaPipe on a moved portrait whose true landmarks are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageSequence

from benchmarks.quality.scenes.moves import open_mouth
from engines.errors import ToonifyError
from engines.faces.alignment import ffhq_quad
from engines.faces.landmarker import FaceLandmarks
from engines.pictures import Image
from realtime.faces.follower import Follower
from realtime.faces.search import Box
from realtime.faces.tracker import FaceTracker
from realtime.frame import Frame
from realtime.settings import TrackerSettings
from tests.realtime.faces.scene import FPS, Scene, error, step


def test_a_far_moving_face_is_found_in_every_frame(tracker: FaceTracker, scene: Scene) -> None:
    identities = set()
    for k in range(40):
        x, y = 640 + 330 * np.sin(k / 9), 330 + 60 * np.sin(k / 5)
        frame, (truth,) = scene.frame(k, [(x, y, 85, False)])
        (face,) = step(tracker, frame)
        identities.add(face.identity)
        assert face.age_frames == 0
        assert error(face, truth) < 0.06
        assert face.landmarks.shape == (478, 3)
        assert face.transform(256).shape == (2, 3)
        inside = truth[:, :2].mean(0)
        assert (face.box[:2] < inside).all()
        assert (inside < face.box[2:]).all()
    assert len(identities) == 1


def test_faces_that_cross_keep_their_identities(tracker: FaceTracker, scene: Scene) -> None:
    owners: dict[str, set[int]] = {"still": set(), "walker": set()}
    for k in range(70):
        walker = 120 + 400 * min(k, 60) / 60
        persons = [(320, 150, 44, True), (walker, 170, 64, False)]
        frame, truth = scene.frame(k, persons, size=(640, 360))
        for face in step(tracker, frame):
            if face.age_frames:
                continue
            hidden = abs(walker - 320) < 130
            for name, true in zip(owners, truth, strict=True):
                if (name == "walker" or not hidden) and error(face, true) < 0.15:
                    owners[name].add(face.identity)
    assert len(owners["still"]) == len(owners["walker"]) == 1
    assert owners["still"] != owners["walker"]


def test_a_short_loss_is_bridged_and_a_longer_one_remembered(
    tracker: FaceTracker, scene: Scene
) -> None:
    person = [(300.0, 150.0, 70.0, False)]
    reports = []
    for k in range(50):
        here = k < 10 or 16 <= k < 20 or k >= 40
        frame, _ = scene.frame(k, person if here else [], size=(640, 360))
        reports.append([(face.identity, face.age_frames) for face in step(tracker, frame)])
    identity = reports[0][0][0]
    assert reports[9] == [(identity, 0)]
    assert reports[10:16] == [[(identity, age)] for age in range(1, 7)]
    assert reports[19] == [(identity, 0)]
    hold = round(tracker.settings.hold * FPS)
    assert reports[20 + hold + 1 : 40] == [[]] * (19 - hold)
    assert reports[-1] == [(identity, 0)]


def test_a_small_face_that_was_lost_is_looked_for_where_it_was(
    tracker: FaceTracker, scene: Scene
) -> None:
    persons = [(200.0, 180.0, 70.0, False), (480.0, 150.0, 16.0, True)]
    for k in range(3):
        tracker.update(scene.frame(k, persons, size=(640, 360))[0])
        tracker.search([np.array([460.0, 135, 500, 175])])
    assert len(tracker.update(scene.frame(3, persons, size=(640, 360))[0])) == 2
    for k in range(4, 40):
        faces = step(tracker, scene.frame(k, persons[:1], size=(640, 360))[0])
    (there,) = faces
    for k in range(40, 43):
        faces = step(tracker, scene.frame(k, persons, size=(640, 360))[0])
    assert [face.age_frames for face in faces] == [0, 0]
    assert faces[0].identity == there.identity


def test_after_a_gap_a_face_is_where_it_is_and_not_where_it_was(
    tracker: FaceTracker, scene: Scene
) -> None:
    known = set()
    for number, x in ((0, 180.0), (1, 180.0), (2, 180.0), (40, 430.0), (41, 430.0), (80, 200.0)):
        frame, (truth,) = scene.frame(number, [(x, 150.0, 70.0, False)], size=(640, 360))
        (face,) = step(tracker, frame)
        known.add(face.identity)
        assert face.age_frames == 0
        assert error(face, truth) < 0.06
    frame, _ = scene.frame(120, [], size=(640, 360))
    assert tracker.update(frame) == []
    assert len(known) == 1


def test_a_face_hardly_moves_where_nothing_does(tracker: FaceTracker, scene: Scene) -> None:
    quads = []
    for k in range(50):
        frame, _ = scene.frame(k, [(320, 150, 90, False)], size=(640, 360))
        quads.append(step(tracker, frame)[0].quad)
    steps = np.abs(np.diff(np.array(quads[30:]), axis=0))  # the first second is for settling
    assert steps.max() < 0.2  # pixels
    assert steps.mean() < 0.04


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times at which a follower was asked."""
    times: list[float] = []
    follow = Follower.follow

    def counted(
        self: Follower, image: Image, box: Box, time: float, others: Sequence[Box]
    ) -> FaceLandmarks | None:
        times.append(time)
        return follow(self, image, box, time, others)

    monkeypatch.setattr(Follower, "follow", counted)
    return times


def test_between_two_looks_a_face_is_carried_on(
    tracker: FaceTracker, scene: Scene, looks: list[float]
) -> None:
    errors = []
    for k in range(40):
        x, y = 320 + 40 * np.sin(k / 6), 150 + 12 * np.sin(k / 4)
        frame, (truth,) = scene.frame(k, [(x, y, 70, False)], size=(640, 360))
        (face,) = step(tracker, frame)
        assert face.age_frames == 0
        errors.append((face.quad - ffhq_quad(truth)).mean(0) / face.side)
    assert 18 <= len(looks) <= 22  # every other frame
    settled = np.array(errors[4:])
    assert np.abs(settled - settled.mean(0)).max() < 0.02  # 7 pixels a frame are 0.03
    # Carried and looked at, a face is in the same place: no trembling from frame to frame.
    assert np.sqrt((np.diff(settled, 2, axis=0) ** 2).mean()) < 0.003


def test_a_still_face_is_looked_at_less_often_until_it_changes(
    tracker: FaceTracker, scene: Scene, looks: list[float]
) -> None:
    for k in range(40):
        frame, (truth,) = scene.frame(k, [(240 + k % 2, 200, 70, False)], size=(480, 480))
        if k >= 20:  # it talks: each frame has another mouth
            rgb = np.ascontiguousarray(frame.image[..., ::-1])
            jaw = open_mouth(rgb, truth, 0.25 + 0.2 * np.sin(2.0 * k))[..., ::-1]
            frame = replace(frame, image=np.ascontiguousarray(jaw))
        (face,) = step(tracker, frame)
        assert face.age_frames == 0
    calm = np.diff([time for time in looks if 0.1 < time < 0.65])
    talking = np.diff([time for time in looks if time > 0.7])
    assert calm.min() > 0.14
    assert talking.mean() < 0.09


def test_a_head_that_turns_back_is_followed_without_delay(
    tracker: FaceTracker, scene: Scene
) -> None:
    errors = []
    for k in range(50):
        frame, (truth,) = scene.frame(k, [(320 + 120 * np.sin(k / 5), 150, 70, False)], (640, 360))
        (face,) = step(tracker, frame)
        errors.append((face.quad - ffhq_quad(truth)).mean(0) / face.side)
    settled = np.array(errors[8:])
    assert np.abs(settled - settled.mean(0)).max() < 0.05  # 24 pixels a frame are 0.11


def test_without_an_interval_every_frame_is_looked_at(scene: Scene, looks: list[float]) -> None:
    with FaceTracker(TrackerSettings(max_faces=1, refresh_interval=0)) as tracker:
        for k in range(6):
            step(tracker, scene.frame(k, [(320, 150, 70, False)], size=(640, 360))[0])
    assert looks == [k / FPS for k in range(1, 6)]  # after the one that found it


def test_looks_are_put_off_when_there_is_no_time_but_not_for_long(
    tracker: FaceTracker, scene: Scene, looks: list[float]
) -> None:
    for k in range(30):
        tracker.update(scene.frame(k, [(320, 150, 70, False)], size=(640, 360))[0])
        tracker.refresh(late=True)
    between = np.diff(looks)[2:]
    assert 0.14 < between.min() <= between.max() < 0.18


def test_two_faces_take_turns_in_being_looked_at(
    tracker: FaceTracker, scene: Scene, looks: list[float]
) -> None:
    persons = [(160.0, 150.0, 60.0, False), (480.0, 150.0, 60.0, True)]
    for k in range(30):
        faces = step(tracker, scene.frame(k, persons, size=(640, 360))[0])
    assert [face.age_frames for face in faces] == [0, 0]
    late = [time for time in looks if time > 0.5]
    assert len(late) == len(set(late))


@pytest.mark.parametrize("cover", [(120, 120, 120), None])
def test_a_face_that_is_gone_is_never_reported_as_seen(
    tracker: FaceTracker, scene: Scene, cover: tuple[int, int, int] | None
) -> None:
    for last in (11, 12):  # once after a look, once after a frame without one
        tracker.reset()
        for k in range(last):
            (face,) = step(tracker, scene.frame(k, [(320, 150, 70, False)], size=(640, 360))[0])
        assert face.age_frames == 0
        if cover:
            frame = scene.frame(last, [(320, 150, 70, False)], size=(640, 360))[0]
            left, top, right, bottom = face.box.astype(int)
            frame.image[top - 30 : bottom + 30, left - 30 : right + 30] = cover
        else:
            frame = scene.frame(last, [], size=(640, 360))[0]
        assert all(face.age_frames > 0 for face in step(tracker, frame))


def test_a_search_that_finds_somebody_says_so(tracker: FaceTracker, scene: Scene) -> None:
    alone, both = [(160.0, 150.0, 60.0, False)], [
        (160.0, 150.0, 60.0, False), (480.0, 150.0, 60.0, True)
    ]  # fmt: skip
    assert not tracker.search()
    for k in range(70):
        assert len(tracker.update(scene.frame(k, alone, size=(640, 360))[0])) == 1
        assert not tracker.search()
    frame, truth = scene.frame(70, both, size=(640, 360))
    assert len(tracker.update(frame)) == 1
    assert tracker.search([np.array([430.0, 100, 530, 220])])
    faces = tracker.update(scene.frame(71, both, size=(640, 360))[0])
    assert max(error(face, true) for face, true in zip(faces, truth, strict=True)) < 0.06


def test_new_identities_after_reset_and_after_a_change_of_size(
    tracker: FaceTracker, scene: Scene
) -> None:
    person = [(200.0, 120.0, 70.0, False)]
    first = tracker.update(scene.frame(0, person, size=(640, 360))[0])[0].identity
    tracker.reset()
    second = tracker.update(scene.frame(1, person, size=(640, 360))[0])[0].identity
    third = tracker.update(scene.frame(2, person, size=(480, 360))[0])[0].identity
    assert first < second < third


def test_still_pictures_are_searched_everywhere(tracker: FaceTracker, scene: Scene) -> None:
    persons = [(300, 300, 130, False), (1000, 250, 34, True)]
    frame, truth = scene.frame(0, persons)
    faces = tracker.still(frame.image)
    assert len(faces) == 2
    for true in truth:
        assert min(error(face, true) for face in faces) < 0.05
    small = min(faces, key=lambda face: face.side)
    assert any("small" in hint for hint in small.hints)


def test_no_face_no_report(tracker: FaceTracker) -> None:
    blank = np.full((360, 640, 3), 120, np.uint8)
    assert tracker.update(Frame(blank, 0.0, 0)) == []
    assert tracker.still(blank) == []


@pytest.mark.parametrize(
    "bad", [{"max_faces": 0}, {"min_confidence": 1.0}, {"hold": -1}, {"refresh_interval": 61}]
)
def test_impossible_settings_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ToonifyError, match=f"faces.{next(iter(bad))}"):
        TrackerSettings(**bad)


def test_the_clip_of_two_heads(tracker: FaceTracker, clips_dir: Path) -> None:
    clip = clips_dir / "head-pose-face-detection-female-and-male.gif"
    with PillowImage.open(clip) as film:
        frames = [np.array(f.convert("RGB"))[..., ::-1] for f in ImageSequence.Iterator(film)][:24]
    seen = [
        step(tracker, Frame(np.ascontiguousarray(image), k / 8, k))
        for k, image in enumerate(frames)
    ]
    assert sum(len(faces) == 2 for faces in seen) >= 0.99 * len(seen)
    assert len({face.identity for faces in seen for face in faces}) == 2
