"""The tracker with the real MediaPipe on a moved portrait whose true landmarks are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.faces.alignment import ffhq_quad, pixel_matrix, transform_points
from engines.faces.landmarker import Landmarker
from realtime.faces.face import TrackedFace
from realtime.faces.follower import Follower, choose_window, window_fits
from realtime.faces.search import box_size, patrol, sight, tiles, window_around
from realtime.faces.tracker import FaceTracker
from realtime.frame import Frame
from realtime.settings import TrackerSettings
from realtime.sources.demo import portrait

FPS = 30
NOISE = np.random.default_rng(0).normal(128, 5, (784, 1344, 3)).clip(0, 255).astype(np.uint8)


class Scene:
    """Portraits on a grey wall, with sensor noise."""

    def __init__(self) -> None:
        self.picture = portrait()
        with Landmarker(blendshapes=False) as landmarker:
            rgb = cv2.cvtColor(self.picture, cv2.COLOR_BGR2RGB)
            self.points = landmarker.detect(rgb)[0].points
        self.eyes = float(np.hypot(*(self.points[33, :2] - self.points[263, :2])))
        rows, columns = np.mgrid[0:600, 0:512]
        edge = np.minimum.reduce([rows, columns, 511 - columns]) / 40
        self.matte = np.clip(edge, 0, 1).astype(np.float32)

    def frame(
        self, number: int, persons: list[tuple[float, float, float, bool]], size=(1280, 720)
    ) -> tuple[Frame, list[np.ndarray]]:
        """A frame and its true landmarks; person: eye x, eye y, pixels between eyes, mirrored."""
        image = np.full((size[1], size[0], 3), 120, np.uint8)
        truth = []
        for x, y, eyes, mirrored in persons:
            scale = eyes / self.eyes
            move = np.array([[-scale if mirrored else scale, 0, 0], [0, scale, 0]])
            middle = self.points[[33, 263], :2].mean(0)
            move[:, 2] = (x, y) - move[:, :2] @ middle
            matrix = pixel_matrix(move)
            person = cv2.resize(self.picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            half = matrix.copy()
            half[:, :2] *= 2
            half[:, 2] += matrix[:, :2].sum(1) * 0.5
            person = cv2.warpAffine(person, half, size)
            if mirrored:
                person = cv2.convertScaleAbs(person, alpha=0.8)
            matte = cv2.warpAffine(self.matte, matrix, size)
            image = cv2.blendLinear(person, image, matte, 1 - matte)
            truth.append(transform_points(self.points, move))
        top, left = np.random.default_rng(number).integers(0, 64, 2)
        grain = NOISE[top : top + size[1], left : left + size[0]]
        return Frame(cv2.addWeighted(image, 1, grain, 1, -128), number / FPS, number), truth


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


@pytest.fixture(scope="module")
def shared_tracker():
    with FaceTracker(TrackerSettings(max_faces=2)) as tracker:
        yield tracker


@pytest.fixture
def tracker(shared_tracker) -> FaceTracker:
    shared_tracker.reset()
    return shared_tracker


def step(tracker: FaceTracker, frame: Frame) -> list[TrackedFace]:
    """One frame as the loop has it tracked."""
    faces = tracker.update(frame)
    tracker.search()
    tracker.refresh()
    return faces


def error(face, truth: np.ndarray) -> float:
    """Distance of the squares' centres as a share of the true square's side."""
    quad = ffhq_quad(truth)
    return float(np.hypot(*(face.quad.mean(0) - quad.mean(0))) / np.hypot(*(quad[3] - quad[0])))


def test_a_far_moving_face_is_found_in_every_frame(tracker, scene) -> None:
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


def test_faces_that_cross_keep_their_identities(tracker, scene) -> None:
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


def test_a_short_loss_is_bridged_and_a_longer_one_remembered(tracker, scene) -> None:
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


def test_a_small_face_that_was_lost_is_looked_for_where_it_was(tracker, scene) -> None:
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


def test_after_a_gap_a_face_is_where_it_is_and_not_where_it_was(tracker, scene) -> None:
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


def test_a_face_hardly_moves_where_nothing_does(tracker, scene) -> None:
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

    def counted(self: Follower, image, box, time: float, others):
        times.append(time)
        return follow(self, image, box, time, others)

    monkeypatch.setattr(Follower, "follow", counted)
    return times


def test_between_two_looks_a_face_is_carried_on(tracker, scene, looks) -> None:
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


def test_a_head_that_turns_back_is_followed_without_delay(tracker, scene) -> None:
    errors = []
    for k in range(50):
        frame, (truth,) = scene.frame(k, [(320 + 120 * np.sin(k / 5), 150, 70, False)], (640, 360))
        (face,) = step(tracker, frame)
        errors.append((face.quad - ffhq_quad(truth)).mean(0) / face.side)
    settled = np.array(errors[8:])
    assert np.abs(settled - settled.mean(0)).max() < 0.05  # 24 pixels a frame are 0.11


def test_without_an_interval_every_frame_is_looked_at(scene, looks) -> None:
    with FaceTracker(TrackerSettings(max_faces=1, refresh_interval=0)) as tracker:
        for k in range(6):
            step(tracker, scene.frame(k, [(320, 150, 70, False)], size=(640, 360))[0])
    assert looks == [k / FPS for k in range(1, 6)]  # after the one that found it


def test_looks_are_put_off_when_there_is_no_time_but_not_for_long(tracker, scene, looks) -> None:
    for k in range(30):
        tracker.update(scene.frame(k, [(320, 150, 70, False)], size=(640, 360))[0])
        tracker.refresh(late=True)
    between = np.diff(looks)[2:]
    assert 0.14 < between.min() <= between.max() < 0.18


def test_two_faces_take_turns_in_being_looked_at(tracker, scene, looks) -> None:
    persons = [(160.0, 150.0, 60.0, False), (480.0, 150.0, 60.0, True)]
    for k in range(30):
        faces = step(tracker, scene.frame(k, persons, size=(640, 360))[0])
    assert [face.age_frames for face in faces] == [0, 0]
    late = [time for time in looks if time > 0.5]
    assert len(late) == len(set(late))


@pytest.mark.parametrize("cover", [(120, 120, 120), None])
def test_a_face_that_is_gone_is_never_reported_as_seen(tracker, scene, cover) -> None:
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


def test_a_search_that_finds_somebody_says_so(tracker, scene) -> None:
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


def test_new_identities_after_reset_and_after_a_change_of_size(tracker, scene) -> None:
    person = [(200.0, 120.0, 70.0, False)]
    first = tracker.update(scene.frame(0, person, size=(640, 360))[0])[0].identity
    tracker.reset()
    second = tracker.update(scene.frame(1, person, size=(640, 360))[0])[0].identity
    third = tracker.update(scene.frame(2, person, size=(480, 360))[0])[0].identity
    assert first < second < third


def test_still_pictures_are_searched_everywhere(tracker, scene) -> None:
    persons = [(300, 300, 130, False), (1000, 250, 34, True)]
    frame, truth = scene.frame(0, persons)
    faces = tracker.still(frame.image)
    assert len(faces) == 2
    for true in truth:
        assert min(error(face, true) for face in faces) < 0.05
    small = min(faces, key=lambda face: face.side)
    assert any("small" in hint for hint in small.hints)


def test_no_face_no_report(tracker) -> None:
    blank = np.full((360, 640, 3), 120, np.uint8)
    assert tracker.update(Frame(blank, 0.0, 0)) == []
    assert tracker.still(blank) == []


@pytest.mark.parametrize(
    "bad", [{"max_faces": 0}, {"min_confidence": 1.0}, {"hold": -1}, {"refresh_interval": 61}]
)
def test_impossible_settings_are_refused(bad: dict) -> None:
    with pytest.raises(ToonifyError, match=f"faces.{next(iter(bad))}"):
        TrackerSettings(**bad)


def test_windows_hold_faces_with_room() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    for box in ([600, 300, 680, 400], [0, 0, 80, 90], [1200, 600, 1280, 720], [300, 50, 800, 700]):
        window = choose_window(np.array(box, np.float32), image)
        assert window_fits(window, np.array(box, np.float32), image)
        assert 0 <= window[0] < window[2] <= 1280
        assert 0 <= window[1] < window[3] <= 720
    assert choose_window(np.array([300.0, 50, 800, 700]), image) == (0, 0, 1280, 720)
    assert not window_fits((0, 0, 400, 400), np.array([330.0, 100, 430, 200]), image)
    assert not window_fits((0, 0, 1280, 720), np.array([600.0, 300, 680, 400]), image)


def test_tiles_cover_the_picture_with_overlap() -> None:
    for shape in ((720, 1280, 3), (600, 512, 3), (90, 2000, 3)):
        covered = np.zeros(shape[:2], int)
        for left, top, right, bottom in tiles(np.zeros(shape, np.uint8), 0.75):
            covered[top:bottom, left:right] += 1
        assert covered.min() >= 1
        assert covered.max() >= 2


def test_a_patrol_of_about_a_second_covers_the_picture_with_windows_of_every_size() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    seen: dict[int, np.ndarray] = {}
    for turn in range(48):
        left, top, right, bottom = patrol(image, turn)
        covered = seen.setdefault(bottom - top, np.zeros((720, 1280), bool))
        covered[top:bottom, left:right] = True
    assert sorted(seen) == [288, 540, 720]
    assert all(covered.all() for covered in seen.values())


def test_sight_returns_to_the_picture_and_hides_known_faces() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[210:230, 150:170, 0] = 255  # blue in BGR
    view = sight(image, (100, 200, 301, 401), 2, [np.array([200, 300, 240, 340])])
    rows, columns = np.nonzero(view.image[..., 2] == 255)
    assert columns.min() * view.scale + view.origin[0] == 150
    assert rows.min() * view.scale + view.origin[1] == 210
    assert (view.image[55:65, 55:65] == 128).all()


def test_window_around_stays_square_inside_the_picture() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    window = window_around(np.array([1200, 20, 1270, 90]), 300, image)
    assert window == (980, 0, 1280, 300)
    assert box_size(np.array(window)) == 300


def test_the_clip_of_two_heads(tracker, clips_dir) -> None:
    from PIL import Image, ImageSequence

    clip = clips_dir / "head-pose-face-detection-female-and-male.gif"
    with Image.open(clip) as film:
        frames = [np.array(f.convert("RGB"))[..., ::-1] for f in ImageSequence.Iterator(film)][:24]
    seen = [
        step(tracker, Frame(np.ascontiguousarray(image), k / 8, k))
        for k, image in enumerate(frames)
    ]
    assert sum(len(faces) == 2 for faces in seen) >= 0.99 * len(seen)
    assert len({face.identity for faces in seen for face in faces}) == 2
