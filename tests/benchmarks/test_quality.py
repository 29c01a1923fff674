"""Measures of pictures against pictures whose answer is known, and the suite on a perfect model."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.quality import colour, moves, shape, steadiness
from benchmarks.quality.judge import less_open, overlap
from benchmarks.quality.portraits import FULL, Artist, Portrait, load_portraits
from benchmarks.quality.spectacles import black_frame, frame_shown
from benchmarks.suites import quality as suite
from engines.backends import EngineOutput
from engines.errors import ToonifyError
from engines.faces.alignment import crop_transform, extract_crop, invert, transform_points
from engines.faces.landmarker import Landmarker
from engines.faces.people import people
from realtime.sources.demo import portrait as demo_portrait
from tests.engines.factory import tiny_network

SIDE = 256


@pytest.fixture(scope="module")
def landmarker():
    with Landmarker() as found:
        yield found


@pytest.fixture(scope="module")
def person(landmarker) -> Portrait:
    picture = np.ascontiguousarray(demo_portrait()[:, :, ::-1])
    points = landmarker.detect(picture)[0].points
    transform = crop_transform(points, FULL)
    crop = extract_crop(picture, transform, FULL)
    return Portrait("demo", crop, transform_points(points, invert(transform)))


def test_shapes_are_measured():
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], float)
    assert shape.polygon_area(square) == 4
    random = np.random.default_rng(0)
    mesh = random.random((478, 2))
    turned = mesh @ np.array([[0.6, 0.8], [-0.8, 0.6]]) * 3 + 7
    assert shape.shape_distance(mesh, turned) == pytest.approx(0, abs=1e-6)
    assert shape.shape_distance(mesh, random.random((478, 2))) > 0.5
    assert shape.correlation(np.arange(5.0), 3 - 2 * np.arange(5.0)) == pytest.approx(-1)
    assert shape.correlation(np.arange(5.0), np.ones(5)) == 0


def test_people_are_told_apart_after_centring():
    random = np.random.default_rng(1)
    people = random.standard_normal((6, 40))
    photos, toons = people + 100, people * 0.5 - 30
    table = shape.centred_cosine_distances(toons, photos)
    assert (table.argmin(axis=1) == np.arange(6)).all()
    assert np.diag(table) == pytest.approx(0, abs=1e-6)


def test_eyes_close_and_mouths_open(person, landmarker):
    crop, points = person.crop(SIDE), person.points(SIDE)
    eyes, mouths = [], []
    for amount in moves.steps(4):
        closed = landmarker.detect(moves.close_eyes(crop, points, amount))[0].points
        opened = landmarker.detect(moves.open_mouth(crop, points, amount))[0].points
        eyes.append(shape.eye_opening(closed))
        mouths.append(shape.mouth_opening(opened))
    assert (np.diff(eyes) < 0).all()
    assert eyes[-1] < 0.7 * eyes[0]
    assert (np.diff(mouths) > 0).all()
    assert mouths[-1] > mouths[0] + 0.04


def test_no_movement_leaves_the_photo(person):
    crop, points = person.crop(SIDE), person.points(SIDE)
    assert np.abs(moves.open_mouth(crop, points, 0).astype(int) - crop).max() <= 1


def test_skin_and_hair_are_found(person):
    points = person.points(SIDE)
    skin = colour.skin_mask(points, SIDE)
    assert 0.05 < skin.mean() < 0.35
    nose = points[4, :2].astype(int)
    eye = points[list(shape.LEFT_EYE), :2].mean(0).astype(int)
    assert skin[nose[1], nose[0]]
    assert not skin[eye[1], eye[0]]
    everywhere = np.ones((SIDE, SIDE))
    hair = colour.hair_mask(points, everywhere, SIDE)
    assert not (hair & skin).any()
    assert colour.hair_mask(points, 0 * everywhere, SIDE).sum() == 0


def test_colour_differences_are_cie76():
    mask = np.ones((16, 16), bool)
    red, white = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 255, np.uint8)
    red[:, :, 0] = 255
    # L*a*b* of sRGB red is 53.24, 80.09, 67.20; of white 100, 0, 0
    expected = np.linalg.norm([53.24 - 100, 80.09, 67.20])
    assert colour.colour_difference(red, white, mask) == pytest.approx(expected, abs=0.3)
    assert colour.colour_difference(red, red, mask) == 0
    assert colour.colour_difference(red, white, ~mask) is None


@pytest.mark.parametrize(
    ("rgb", "tone"),
    [((236, 205, 184), "light"), ((200, 150, 115), "medium"), ((90, 58, 42), "dark")],
)
def test_tones_are_grouped(rgb, tone):
    picture = np.full((16, 16, 3), rgb, np.uint8)
    assert colour.skin_tone(picture, np.ones((16, 16), bool)) == tone


def test_flicker_is_that_of_the_noise():
    grey = np.full((64, 64, 3), 128, np.uint8)
    frames = steadiness.noisy_copies(grey, 12)
    assert steadiness.flicker(frames) == pytest.approx(steadiness.WEBCAM_SIGMA, rel=0.1)
    assert steadiness.flicker(np.stack([grey] * 4)) == 0


@pytest.mark.parametrize(("dx", "dy"), [(1, 0), (0, 2), (-3, 0), (4, 4)])
def test_shifts_are_followed_or_not(person, dx, dy):
    still = person.crop(SIDE)
    moved = steadiness.shifted(still, dx, dy)
    assert steadiness.shift_error(still, moved, dx, dy) == pytest.approx(0, abs=0.02)
    assert steadiness.shift_error(still, still, dx, dy) == pytest.approx(1)
    assert steadiness.measured_shift(still, moved) == pytest.approx((dx, dy), abs=0.25)


def test_detail_falls_with_blur(person):
    crop, left = person.crop(SIDE), np.zeros((SIDE, SIDE), np.uint8)
    left[:, : SIDE // 2] = 255
    blurred = crop.copy()
    blurred[:, : SIDE // 2] = cv2.GaussianBlur(crop, (0, 0), 2)[:, : SIDE // 2]
    assert steadiness.detail(blurred, left) < 0.4 * steadiness.detail(crop, left)
    right = 255 - left
    assert steadiness.detail(blurred, right) == pytest.approx(steadiness.detail(crop, right), 0.1)


def test_folders_are_checked(tmp_path):
    with pytest.raises(ToonifyError, match="there is no folder"):
        load_portraits(tmp_path / "none")
    with pytest.raises(ToonifyError, match="found none"):
        load_portraits(tmp_path)
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((64, 64, 3), 99, np.uint8))
    with pytest.raises(ToonifyError, match="No face was found in any of the 1 pictures"):
        load_portraits(tmp_path)


def test_any_picture_is_aligned(tmp_path):
    cv2.imwrite(str(tmp_path / "one.png"), demo_portrait())
    (found,) = load_portraits(tmp_path)
    assert found.full.shape == (FULL, FULL, 3)
    eyes = found.landmarks[[33, 263], :2].mean(axis=0)
    assert eyes == pytest.approx((FULL / 2, FULL / 2), abs=0.12 * FULL)


class PerfectEngine:
    """Returns the artist's own toon, moved as its input was: what no metric may mark down."""

    name, device, precision, build_seconds = "perfect", "none", "fp32", 0.0
    max_batch, input_size, output_size = 4, SIDE, SIDE

    def __init__(self, photo: np.ndarray, toon: np.ndarray, head: np.ndarray) -> None:
        self._photo, self._toon, self._head = photo, toon, head

    def run(self, crops: np.ndarray) -> EngineOutput:
        toons = []
        for crop in crops:
            dx, dy = (round(x) for x in steadiness.measured_shift(self._photo, crop))
            toons.append(
                steadiness.shifted(self._toon, dx, dy) if (dx, dy) != (0, 0) else self._toon
            )
        return EngineOutput(np.stack(toons), np.stack([self._head] * len(toons)))

    def update(self, network) -> None:
        raise AssertionError

    def close(self) -> None:
        pass


def test_the_artist_is_a_perfect_model(person, tmp_path, monkeypatch):
    artist = Artist(tmp_path / "cache")
    drawn = artist.draw(person)
    kept = artist.draw(person)
    assert np.array_equal(kept.toon, drawn.toon)
    assert np.array_equal(kept.head, drawn.head)
    assert np.array_equal(kept.warp, drawn.warp)
    toon, head = drawn.at(SIDE).toon, drawn.at(SIDE).head
    artist.close()
    engine = PerfectEngine(person.crop(SIDE), toon, head)
    monkeypatch.setattr(suite, "create_engine", lambda *args, **kwargs: engine)
    settings = suite.QualitySettings(tmp_path, tmp_path / "cache", sheet=tmp_path / "sheet.png")
    report = suite.measure(tiny_network(), [person], settings, lambda line: None)
    found = {result.name: result.metrics["mean"] for result in report.results}
    assert found["feature distance"] == pytest.approx(0, abs=1e-4)
    assert found["feature distance, whole crop"] == pytest.approx(0, abs=1e-4)
    assert found["head outline"] == pytest.approx(1)
    assert found["detail"] == pytest.approx(1)
    assert found["face found"] == 1
    assert found["eye size"] == pytest.approx(1)
    assert found["eyes open"] == pytest.approx(1)
    assert found["skin colour"] == pytest.approx(0, abs=1e-6)
    assert found["eye colour"] == pytest.approx(0, abs=1e-6)
    assert found["spectacles"] == 0  # nor wears what was not there
    assert found["shift error"] < 0.1
    assert found["shift followed"] == pytest.approx(1, abs=0.1)
    assert found["mouth follows"] < 0.9  # a still toon follows nobody
    met = {aim.text: aim.met for aim in report.aims}
    assert met["feature distance of the head, share of the photo's"]
    assert not met["mouth follows, r"]
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    assert (tmp_path / "sheet-worst.png").is_file()
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 1


def test_a_drawn_on_frame_is_seen_whole_half_or_not_at_all(person):
    frame, bare = black_frame(person, SIDE), person.crop(SIDE)
    assert np.array_equal(frame.opacity, black_frame(person, SIDE).opacity)
    worn = frame.over(bare)
    assert frame_shown(bare, worn, frame) == pytest.approx(1)
    assert frame_shown(bare, bare, frame) == 0
    faded = cv2.addWeighted(worn, 0.5, bare, 0.5, 0)
    assert frame_shown(bare, faded, frame) == pytest.approx(0.5, abs=0.02)
    beside = cv2.warpAffine(frame.opacity, np.float32([[1, 0, 12], [0, 1, 12]]), (SIDE, SIDE))
    elsewhere = frame._replace(opacity=beside[..., None]).over(bare)
    assert frame_shown(bare, elsewhere, frame) < 0.5
    drawn_at_512 = cv2.resize(black_frame(person, FULL).opacity, (SIDE, SIDE))
    assert np.abs(drawn_at_512 - frame.opacity[..., 0]).mean() < 0.01


def test_irises_are_found_where_eyes_are_open(person):
    mask = colour.iris_mask(person.points(SIDE), SIDE)
    parts, _, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    assert parts == 3  # the ground and two irises
    irises = person.points(SIDE)[[468, 473], :2]
    assert np.abs(np.sort(centres[1:], axis=0) - np.sort(irises, axis=0)).max() < 4
    assert stats[1:, cv2.CC_STAT_AREA].min() > 20
    closed = person.points(SIDE).copy()
    for eye in (shape.LEFT_EYE, shape.RIGHT_EYE):
        closed[list(eye), 1] = closed[list(eye), 1].mean()
    assert colour.iris_mask(closed, SIDE).sum() < 0.5 * mask.sum()


def test_outlines_overlap_or_not():
    left, right = np.zeros((2, 8, 8), np.uint8)
    left[:, :4], right[:, 4:] = 255, 255
    assert overlap(left[None], left) == 1
    assert overlap(left[None], right) == 0
    assert overlap(np.maximum(left, right)[None], left) == 0.5
    assert overlap(None, left) is None


def test_a_wink_is_judged_by_the_eye_that_is_shut():
    assert less_open(np.array([0.1, 0.4]), np.array([0.4, 0.4])) == pytest.approx(0.25)
    assert less_open(np.array([0.05, 0.4]), np.array([0.05, 0.4])) is None


def test_an_unknown_look_is_refused(tmp_path):
    with pytest.raises(ToonifyError, match="no look 'opera'"):
        Artist(tmp_path, "opera")


def test_clips_are_followed(tmp_path):
    from benchmarks.quality.motion import clip_crops

    with Image.open(people()[2]) as picture:
        head = picture.resize((240, 240))
    frames = [Image.new("RGB", (480, 270), (90, 100, 110)) for _ in range(24)]
    for number, frame in enumerate(frames):
        frame.paste(head, (20 + 8 * number, 10))
    clip = tmp_path / "head.gif"
    frames[0].save(clip, save_all=True, append_images=frames[1:], duration=40)
    crops = clip_crops(clip, 128)
    assert len(crops) > 20
    assert all(crop.shape == (128, 128, 3) for crop in crops[:3])


def test_a_slip_of_the_detector_is_no_movement():
    from benchmarks.quality.motion import movement

    still = np.random.default_rng(1).normal(0.003, 0.001, 60)
    slip, blink = still.copy(), still.copy()
    slip[20] += 0.3
    blink[20:23] += 0.3
    assert movement(slip) < 0.002 < slip.std()
    assert movement(blink) > 0.05


def test_a_folder_without_clips_is_refused(tmp_path):
    from benchmarks.quality.motion import clip_results

    judge = SimpleNamespace(engine=SimpleNamespace(input_size=64))
    with pytest.raises(ToonifyError, match="found none"):
        clip_results(judge, tmp_path, [])
