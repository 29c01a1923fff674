"""What is skin, and how it is lit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.faces.head import CHIN, FACE_OVAL, NOSE_TIP, NOSE_WINGS, UNDER_NOSE
from engines.faces.pixels import Floats
from engines.training.artist import relight, skin_mask
from engines.training.artist.looks import FILM
from engines.training.artist.pipeline import toonify
from engines.training.artist.scene import Scene, observe
from engines.training.artist.skin import paint
from tests.engines.training.artist.conftest import SIZE, Portrait

BESIDE_CHIN = [204, 424, 201, 421]  # landmarks of it
ABOVE_LIP = [164, 2]  # landmarks between lip and nose


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


def test_a_bald_head_in_a_grey_photo_is_skin(portrait: Portrait) -> None:
    grey = np.repeat(portrait.rgb.mean(-1, keepdims=True), 3, -1).astype(np.uint8)
    top = scalp(portrait)
    grey[top] = grey[tuple(portrait.landmarks[205, 1::-1].astype(int))]
    found = observe(grey, portrait.landmarks, np.ones_like(portrait.person), FILM)
    inside = cv2.erode(top.astype(np.uint8), np.ones((7, 7))) > 0
    assert found.skin[inside].mean() > 0.8


def darkened(portrait: Portrait, ids: list[int], level: float) -> np.ndarray:
    """The portrait with an outline of landmarks softly filled with dim skin."""
    rgb, where = portrait.rgb.copy(), np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(where, cv2.convexHull(portrait.landmarks[ids, :2].astype(np.int32)), 1)
    cheek = portrait.rgb[tuple(portrait.landmarks[205, 1::-1].astype(int))]
    share = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 4)[..., None]
    return (rgb * (1 - share) + cheek * level * share).astype(np.uint8)


def test_the_hard_shadow_below_a_nose_is_lifted(
    portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    dark = darkened(portrait, UNDER_NOSE, 0.3)

    def light() -> float:
        toon = toonify(dark, portrait.landmarks, person=portrait.person)
        x, y = toon.warp.landmarks[ABOVE_LIP, :2].mean(0).astype(int)
        return float(toon.image[y, x].mean())

    lifted = light()
    monkeypatch.setattr(skin_mask, "_nose_shadow", lambda likely, *rest: np.zeros_like(likely))
    assert lifted > 1.3 * light()


def test_a_dark_mask_over_the_mouth_is_not_skin(portrait: Portrait) -> None:
    masked = darkened(portrait, [50, 280, 6, 172, 397, 152], 0.2)
    found = observe(masked, portrait.landmarks, portrait.person, FILM)
    x, y = found.points[ABOVE_LIP, :2].mean(0).astype(int)
    assert found.skin[y, x] < 0.3


def test_lines_about_the_mouth_of_an_old_face_are_skin_and_a_beard_is_not(
    portrait: Portrait,
) -> None:
    """The same grain, once on the whole face, as lines are, and once below the nose alone."""
    rng = np.random.default_rng(4)
    grain = cv2.resize(rng.uniform(0, 1, (SIZE // 3, SIZE // 3)), (SIZE, SIZE))
    dark = portrait.rgb * (1 - 1.2 * np.clip(grain - 0.2, 0, 0.75))[..., None]
    below = np.arange(SIZE)[:, None, None] > portrait.landmarks[ABOVE_LIP, 1].mean()
    share = []
    for whole in (True, False):
        rgb = np.where(below | whole, dark, portrait.rgb).astype(np.uint8)
        found = observe(rgb, portrait.landmarks, portrait.person, FILM)
        about = np.zeros((SIZE, SIZE), np.uint8)
        for x, y in found.points[BESIDE_CHIN, :2].astype(int):
            cv2.circle(about, (int(x), int(y)), SIZE // 40, 1, -1)
        share.append(float(found.skin[about > 0].mean()))
    lined, bearded = share
    assert lined > 0.95
    assert bearded < 0.5


@pytest.mark.parametrize(
    ("name", "none", "lit"), [("BOUNCE", 0.0, CHIN), ("WET", (0.0, 0.0), NOSE_TIP)]
)
def test_chin_and_nose_stand_out(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    none: float | tuple[float, float],
    lit: int,
) -> None:
    painting = paint(scene, FILM)
    x, y = scene.points[lit, :2].astype(int)

    def light() -> float:
        drawn = relight.relight(scene, FILM, painting).rgb.mean(-1)
        return float(drawn[y - 4 : y - 1, x - 3 : x + 4].mean() / drawn[scene.skin > 0.8].mean())

    with_it = light()
    monkeypatch.setattr(relight, name, none)
    assert with_it > 1.02 * light()


def test_the_tip_of_a_nose_is_a_ball_in_the_light(scene: Scene) -> None:
    key = np.array([0.0, -0.31, 0.95], np.float32)
    form: Floats = relight._nose_form(scene, key)
    x, y = scene.points[NOSE_TIP, :2].astype(int)
    width = float(np.ptp(scene.points[NOSE_WINGS, 0]))
    assert form[y, x] > 0.02
    assert form[round(y + 0.3 * width), x] < form[y, x] - 0.08  # its underside


def test_dark_skin_keeps_its_sheen(portrait: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    dark = (portrait.rgb * np.array([0.42, 0.30, 0.24])).astype(np.uint8)
    scene = observe(dark, portrait.landmarks, portrait.person, FILM)
    assert scene.gloss > 0.8

    def shine() -> float:
        lit = relight.relight(scene, FILM, paint(scene, FILM))
        light = lit.rgb.mean(-1)[scene.plain_skin > 0.7]
        return float(np.percentile(light, 99) / np.median(light))

    with_glow = shine()
    monkeypatch.setattr(relight, "_glow", lambda scene, key, side: np.float32(0))
    assert with_glow > shine() + 0.1


def test_a_patterned_scarf_is_not_skin_where_plain_skin_is(portrait: Portrait) -> None:
    top, rng = scalp(portrait), np.random.default_rng(3)
    cheek = portrait.rgb[tuple(portrait.landmarks[205, 1::-1].astype(int))].astype(float)
    pattern = cv2.resize(rng.uniform(0.5, 1.3, (64, 64)), (SIZE, SIZE))[..., None]
    inside, share = cv2.erode(top.astype(np.uint8), np.ones((7, 7))) > 0, []
    for cloth in (np.ones_like(pattern), pattern):
        painted = portrait.rgb.copy()
        painted[top] = np.clip(cheek * cloth, 0, 255)[top]
        found = observe(painted, portrait.landmarks, np.ones_like(portrait.person), FILM)
        share.append(float(found.skin[inside].mean()))
    assert share[0] > 0.8
    assert share[1] < 0.3


def test_the_hem_of_a_scarf_is_not_painted_over(portrait: Portrait) -> None:
    """A blue hem over the outer half of an eye's crow's feet stays blue."""
    hem = portrait.rgb.copy()
    edge = int(portrait.landmarks[[33, 127], 0].mean())
    hem[:, :edge] = (20, 110, 190)
    found = observe(hem, portrait.landmarks, np.ones_like(portrait.person), FILM)
    toon = toonify(hem, portrait.landmarks, person=np.ones_like(portrait.person)).image
    x, y = found.points[127, :2].astype(int)
    drawn = toon[y, x + 2].astype(int)
    assert found.band.repaint[y, x + 2] < 0.1
    assert drawn[2] > drawn[0] + 80


def test_sockets_lie_in_shade_and_the_nose_in_light(scene: Scene) -> None:
    def at(ids: list[int]) -> float:
        x, y = scene.points[ids, :2].mean(0).astype(int)
        return float(scene.shape.hollow[y, x])

    for socket in ([33, 130, 247], [263, 359, 467]):
        assert at(socket) < -0.03
    assert at([NOSE_TIP]) > 0.2
