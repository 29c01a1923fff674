from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.faces.features import EYE, eye_iris
from engines.faces.pixels import polygon, to_lab
from engines.training.artist.expressions import close_eyes
from engines.training.artist3d import LOOKS, ArtistError, toonify
from engines.training.artist3d.head.fit import fit_head
from engines.training.artist3d.observe.glance import glance
from tests.engines.training.artist3d.conftest import ABOUT, SIZE


@pytest.fixture(scope="module")
def draw(rig, portrait):
    def run(landmarks=None, rgb=None, **options):
        return toonify(
            portrait.rgb if rgb is None else rgb,
            portrait.landmarks if landmarks is None else landmarks,
            person=portrait.person,
            about=options.pop("about", replace(ABOUT, glasses=0.0)),
            rig=rig,
            **options,
        )

    return run


@pytest.fixture(scope="module")
def film(draw):
    return draw()


def test_the_same_input_gives_the_same_picture(draw, film):
    again = draw()
    np.testing.assert_array_equal(film.image, again.image)
    np.testing.assert_array_equal(film.warp.source, again.warp.source)


def test_noise_in_the_landmarks_hardly_moves_the_picture(draw, portrait, film):
    noise = np.random.default_rng(1).normal(0, 0.25, portrait.landmarks.shape)  # 0.5 px at 512
    again = draw(portrait.landmarks + noise)
    change = np.abs(film.image.astype(float) - again.image).mean()
    assert change < 1.5


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_looks_draw_a_person_and_leave_the_rest(draw, portrait, film, name):
    toon = draw(look=LOOKS[name])
    assert toon.image.shape == (SIZE, SIZE, 3)
    assert toon.image.dtype == np.uint8
    change = np.abs(toon.image.astype(float) - portrait.rgb).mean(-1)
    face = polygon(SIZE, toon.warp.landmarks[[10, 234, 152, 454]]) > 0.5
    assert change[face].mean() > 10
    corner = change[: SIZE // 16, : SIZE // 16]
    assert corner.mean() < 12
    if name != "film":
        assert np.abs(toon.image.astype(float) - film.image).mean() > 8


def test_no_strength_is_the_photo(draw, portrait):
    toon = draw(look=replace(LOOKS["film"], strength=0.0))
    np.testing.assert_array_equal(toon.image, portrait.rgb)


def test_both_irises_have_one_colour(film):
    lab = to_lab(film.image.astype(np.float32) / 255)
    colours = []
    for eye in range(2):
        points = film.warp.landmarks
        centre = points[eye_iris(points, eye)[0], :2]
        width = np.linalg.norm(points[EYE[eye][0], :2] - points[EYE[eye][8], :2])
        rows, columns = np.mgrid[0:SIZE, 0:SIZE]
        distance = np.hypot(columns - centre[0], rows - centre[1]) / width
        ring = (distance > 0.16) & (distance < 0.26) & (polygon(SIZE, points[EYE[eye]]) > 0.8)
        colours.append(np.median(lab[ring], 0))
    assert np.abs(colours[0] - colours[1])[1:].max() < 9


def test_a_closed_eye_is_drawn_closed(draw, portrait):
    rgb, points = close_eyes(portrait.rgb, portrait.landmarks.astype(np.float32), (1.0, 1.0))
    toon = draw(points.astype(np.float64), rgb)
    lab = to_lab(toon.image.astype(np.float32) / 255)
    skin = np.median(lab[polygon(SIZE, toon.warp.landmarks[[50, 205, 36]]) > 0.5], 0)
    for eye in range(2):
        inside = lab[polygon(SIZE, toon.warp.landmarks[EYE[eye]], 0, 2) > 0.5]
        white = (inside[:, 0] > skin[0] + 8) & (np.hypot(inside[:, 1], inside[:, 2]) < 8)
        assert white.mean() < 0.03


def test_dark_skin_is_drawn_dark(draw):
    light, dark = (
        draw(about=replace(ABOUT, glasses=0.0, tone=tone)).image.astype(float).mean()
        for tone in (75.0, 34.0)
    )
    assert light - dark > 8


def test_a_glance_gives_what_people_can_have(rig, portrait):
    about = glance(portrait.rgb, portrait.landmarks, fit_head(rig, portrait.landmarks, {}).identity)
    assert 30 <= about.age <= 95
    assert 0 <= about.male <= 1
    assert about.beard < 1.5
    assert 60 < about.tone < 79


def test_wrong_input_is_said(portrait, rig):
    options = {"person": portrait.person, "about": ABOUT, "rig": rig}
    with pytest.raises(ArtistError, match="478"):
        toonify(portrait.rgb, portrait.landmarks[:468], **options)
    with pytest.raises(ArtistError, match="uint8"):
        toonify(portrait.rgb.astype(np.float32), portrait.landmarks, **options)
    with pytest.raises(ArtistError, match="person mask"):
        toonify(portrait.rgb, portrait.landmarks, **{**options, "person": portrait.person[:9]})
