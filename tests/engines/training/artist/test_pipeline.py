from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engines.faces.features import EYE, eye_iris
from engines.faces.head import CHEEK, FACE_OVAL, Head
from engines.faces.pixels import polygon, to_lab
from engines.training.artist import LOOKS, toonify
from engines.training.artist.expressions import close_eyes
from engines.training.artist.geometry import plan, warp
from engines.training.drawing import ArtistError
from tests.engines.training.artist.conftest import SIZE, Portrait, portraits, seen


def draw(portrait: Portrait, **changes) -> np.ndarray:
    return toonify(portrait.rgb, portrait.landmarks, person=portrait.person, **changes).image


@pytest.fixture(scope="module")
def toon(portrait):
    return toonify(portrait.rgb, portrait.landmarks, person=portrait.person)


def test_the_same_portrait_gives_the_same_toon(portrait, toon) -> None:
    again = toonify(portrait.rgb, portrait.landmarks, person=portrait.person)
    assert np.array_equal(toon.image, again.image)
    assert np.array_equal(toon.head, again.head)
    assert toon.image.shape == (SIZE, SIZE, 3)
    assert toon.image.dtype == toon.head.dtype == np.uint8


def test_strength_zero_is_the_photo_and_half_lies_between(portrait, toon) -> None:
    assert np.array_equal(draw(portrait, look=replace(LOOKS["film"], strength=0)), portrait.rgb)
    half = draw(portrait, look=replace(LOOKS["film"], strength=0.5)).astype(int)
    distance = np.abs(half - portrait.rgb).mean()
    assert 2 < distance < np.abs(toon.image.astype(int) - portrait.rgb).mean()


def test_every_look_draws_its_own_picture(portrait, toon) -> None:
    comic = draw(portrait, look=LOOKS["comic"])
    assert np.abs(comic.astype(int) - toon.image).mean() > 4
    grey = cv2.cvtColor(comic, cv2.COLOR_RGB2GRAY)
    assert (grey < 30).mean() > (cv2.cvtColor(toon.image, cv2.COLOR_RGB2GRAY) < 30).mean()  # ink


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_beside_the_person_the_toon_is_the_moved_photo(portrait, look) -> None:
    drawn = toonify(portrait.rgb, portrait.landmarks, person=portrait.person, look=look)
    photo = drawn.warp.apply(portrait.rgb.astype(np.float32)).clip(0, 255)
    beside = drawn.warp.apply(cv2.dilate(portrait.person, np.ones((41, 41)))) < 0.02
    assert beside.mean() > 0.05
    difference = np.abs(drawn.image - photo).max(-1)
    assert difference[beside].max() <= 1
    assert difference[drawn.head > 250].mean() > 5


def test_landmark_noise_hardly_moves_the_picture(portrait, toon) -> None:
    noise = np.random.default_rng(0).normal(0, 0.5 * SIZE / 512, portrait.landmarks.shape)
    moved = toonify(
        portrait.rgb, portrait.landmarks + noise.astype(np.float32), person=portrait.person
    )
    assert np.abs(moved.image.astype(int) - toon.image).mean() < 1


def test_the_head_mask_holds_the_head_and_not_the_shoulders(portrait, toon) -> None:
    face = polygon(SIZE, portrait.landmarks[FACE_OVAL], grow=-6) > 0.5
    assert toon.head[face].min() > 240
    assert toon.head[-4:].max() < 30
    assert toon.head[: SIZE // 3, :4].mean() < 60


def test_the_toon_is_a_face_with_larger_eyes_and_the_person_s_skin(
    portrait, toon, landmarker
) -> None:
    points = seen(landmarker, toon.image).points
    unit = Head(portrait.landmarks).unit

    def width(landmarks: np.ndarray) -> float:
        pairs = ((33, 133), (263, 362))
        return float(
            np.mean([np.linalg.norm(landmarks[a, :2] - landmarks[b, :2]) for a, b in pairs])
        )

    assert 1.12 < width(points) / width(portrait.landmarks) < 1.6
    assert np.abs(points[4, :2] - portrait.landmarks[4, :2]).max() < 0.25 * unit
    before, after = (
        np.median([to_lab(image.astype(np.float32) / 255)[int(y), int(x)] for x, y in cheeks], 0)
        for image, cheeks in (
            (portrait.rgb, portrait.landmarks[CHEEK[0] + CHEEK[1], :2]),
            (toon.image, points[CHEEK[0] + CHEEK[1], :2]),
        )
    )
    assert abs(after[0] - before[0]) < 18
    assert np.abs(after[1:] - before[1:]).max() < 12


def test_closed_eyes_stay_closed(portrait, toon, landmarker, segmenter) -> None:
    rgb, landmarks = close_eyes(portrait.rgb, portrait.landmarks)
    closed = toonify(rgb, landmarks, person=segmenter.segment(rgb))
    blink = [9, 10]  # eyeBlinkLeft, eyeBlinkRight
    assert seen(landmarker, closed.image).blendshapes[blink].min() > 0.45
    assert seen(landmarker, toon.image).blendshapes[blink].max() < 0.3


def test_the_gaze_is_kept(portrait) -> None:
    """Irises that look aside are drawn aside."""
    centres = []
    for share in (-0.18, 0.18):
        landmarks = portrait.landmarks.copy()
        for eye in range(2):
            iris, ring = eye_iris(portrait.landmarks, eye)
            landmarks[[iris, *ring], 0] += share * np.ptp(portrait.landmarks[EYE[eye], 0])
        image = toonify(portrait.rgb, landmarks, person=portrait.person).image
        head = Head(landmarks)
        place = warp(head, plan(head, LOOKS["film"], (1.0, 1.0)), SIZE).landmarks
        for eye in range(2):
            inside = polygon(SIZE, place[EYE[eye]], grow=-1) > 0.5
            dark = inside & (image.max(-1) < 110)
            centres.append(np.nonzero(dark)[1].mean())
    left, right = np.array(centres[:2]), np.array(centres[2:])
    assert (right - left > 3).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rgb": np.zeros((64, 80, 3), np.uint8)}, "square"),
        ({"rgb": np.zeros((SIZE, SIZE, 3), np.float32)}, "uint8"),
        ({"landmarks": np.zeros((68, 2))}, "478"),
        ({"landmarks": np.full((478, 3), np.nan)}, "finite"),
        ({"person": np.zeros((8, 8), np.float32)}, "person mask"),
    ],
)
def test_wrong_input_is_named(portrait, change, words) -> None:
    given = {**vars(portrait), **change}
    with pytest.raises(ArtistError, match=words):
        toonify(given["rgb"], given["landmarks"], person=given["person"])


def test_people_of_all_kinds_are_drawn_without_artefacts(landmarker, segmenter) -> None:
    """MediaPipe finds each toon where the artist put it, and nothing is burnt or black."""
    for rgb, landmarks in portraits(landmarker):
        image = toonify(rgb, landmarks, person=segmenter.segment(rgb)).image
        face = seen(landmarker, image)
        unit = Head(landmarks).unit
        assert (
            np.linalg.norm(
                face.points[[4, 152, 10], :2] - landmarks[[4, 152, 10], :2], axis=1
            ).max()
            < 0.35 * unit
        )
        inside = image[polygon(SIZE, face.points[FACE_OVAL], grow=-4) > 0.5]
        assert (inside.min(-1) > 250).mean() < 0.02
        assert (
            np.abs(
                inside.astype(float).mean(0)
                - rgb.reshape(-1, 3)[polygon(SIZE, landmarks[FACE_OVAL]).ravel() > 0.5].mean(0)
            ).max()
            < 70
        )
