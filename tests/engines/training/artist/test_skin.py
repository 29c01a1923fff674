"""What is skin, and how it is lit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.faces.pixels import Floats
from engines.training.artist import relight
from engines.training.artist.head import FACE_OVAL, NOSE_TIP, NOSE_WINGS
from engines.training.artist.looks import FILM
from engines.training.artist.scene import Scene, observe
from engines.training.artist.skin import paint
from tests.engines.training.artist.conftest import SIZE, Portrait


@pytest.fixture(scope="module")
def scene(portrait: Portrait) -> Scene:
    return observe(portrait.rgb, portrait.landmarks, portrait.person, FILM)


def scalp(portrait: Portrait) -> np.ndarray:
    """Where the hair of a short-haired head begins: bool [SIZE, SIZE], above the face's oval."""
    oval = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(oval, cv2.convexHull(portrait.landmarks[FACE_OVAL, :2].astype(np.int32)), 1)
    higher = np.zeros_like(oval)
    up = round(0.12 * SIZE)
    higher[:-up] = oval[up:]
    eyes = portrait.landmarks[[33, 263], 1].mean()
    return (higher > 0) & (oval == 0) & (np.arange(SIZE)[:, None] < eyes - 0.1 * SIZE)


def test_white_hair_is_not_skin_but_a_bald_head_is(portrait: Portrait) -> None:
    grey = portrait.rgb.mean(-1, keepdims=True)
    pale = (grey + 0.6 * (portrait.rgb - grey)).astype(np.uint8)  # skin not far from grey
    cheek = pale[tuple(portrait.landmarks[205, 1::-1].astype(int))].astype(float)
    top, share = scalp(portrait), []
    for colour in (cheek, cheek.mean() + 0.5 * (cheek - cheek.mean())):
        painted = pale.copy()
        painted[top] = np.clip(colour, 0, 255)
        found = observe(painted, portrait.landmarks, np.ones_like(portrait.person), FILM)
        inside = cv2.erode(top.astype(np.uint8), np.ones((7, 7))) > 0
        share.append(float(found.skin[inside].mean()))
    bald, white = share
    assert bald > 0.8
    assert white < 0.25


def test_the_tip_of_a_nose_is_a_ball_in_the_light(scene: Scene) -> None:
    key = np.array([0.0, -0.31, 0.95], np.float32)
    form: Floats = relight._nose_form(scene, key)
    x, y = scene.points[NOSE_TIP, :2].astype(int)
    width = float(np.ptp(scene.points[NOSE_WINGS, 0]))
    assert form[y, x] > 0.02
    assert form[round(y + 0.3 * width), x] < form[y, x] - 0.08  # its underside
    assert abs(form[round(y - 2 * width), x]) < 0.06


def test_dark_skin_keeps_its_sheen(portrait: Portrait) -> None:
    dark = (portrait.rgb * np.array([0.42, 0.30, 0.24])).astype(np.uint8)
    scene = observe(dark, portrait.landmarks, portrait.person, FILM)
    assert scene.gloss > 0.8
    lit = relight.relight(scene, FILM, paint(scene, FILM))
    light = lit.rgb.mean(-1)[scene.plain_skin > 0.7]
    assert np.percentile(light, 99) > 1.25 * np.median(light)
