"""The painted eye."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.faces.eyes.painted import paint_eye
from engines.faces.eyes.shape import EyeShape
from engines.faces.features import LID_POINTS
from tests.engines.faces.drawn import PAINT, SIZE, SKIN, eye_landmarks, grey


@pytest.mark.parametrize("factor", [1, 3])
def test_pupil_iris_white_and_light(factor: int) -> None:
    points = eye_landmarks(SIZE)
    shape = EyeShape.of(points, 0, 1.0)
    drawn = paint_eye(SKIN, shape, PAINT, factor)
    x, y = np.round(shape.centre).astype(int)
    assert grey(drawn)[y, x] < 0.1  # pupil
    radius = shape.radius * PAINT.iris_scale
    iris = drawn[y + 2, x - round(0.75 * radius)]
    assert iris[2] > iris[0] + 0.1  # blue
    beside = drawn[y, round(x + 0.36 * shape.width)]
    assert beside.min() > 0.55  # white
    around = grey(drawn)[y - 8 : y + 8, x - 8 : x + 8]
    light = np.argwhere(around > 0.9).mean(0) - 8
    assert light[0] < 0  # above the middle and left of it, in either eye
    assert light[1] < 0
    assert np.array_equal(SKIN, np.full_like(SKIN, SKIN[0, 0]))  # the picture itself stays


def test_a_pupil_is_as_wide_as_its_paint_says() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)

    def black(pupil: float) -> int:
        return int((grey(paint_eye(SKIN, shape, replace(PAINT, pupil=pupil))) < 0.06).sum())

    assert black(0.5) / black(0.4) == pytest.approx((0.5 / 0.4) ** 2, rel=0.25)


def test_edges_are_as_sharp_at_any_factor() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 1, 1.0)
    once, thrice = (paint_eye(SKIN, shape, PAINT, factor) for factor in (1, 3))
    assert np.abs(once - thrice).mean() < 0.002
    steepest = [np.abs(np.diff(grey(image), axis=1)).max() for image in (once, thrice)]
    assert steepest[0] == pytest.approx(steepest[1], rel=0.35)


def test_nothing_changes_beyond_the_box_or_off_the_picture() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    changed = (paint_eye(SKIN, shape, PAINT, 1) != SKIN).any(-1)
    left, top, right, bottom = shape.box(0.40)
    assert changed[top:bottom, left:right].any()
    changed[top:bottom, left:right] = False
    assert not changed.any()
    assert paint_eye(SKIN, shape.moved(-2 * SIZE, 0), PAINT, 1) is SKIN
    half = paint_eye(SKIN, shape.moved(-shape.centre[0], 0), PAINT, 1)  # cut by the edge
    assert half.shape == SKIN.shape
    assert (half[:, 0] != SKIN[:, 0]).any()


def test_a_closed_eye_has_lashes_only() -> None:
    points = eye_landmarks(SIZE, gap=0.01)
    plain = replace(PAINT, crease=0.0)
    drawn = paint_eye(SKIN, EyeShape.of(points, 0, 0.0), plain, 1)
    changed = np.argwhere(np.abs(drawn - SKIN).max(-1) > 0.1)
    assert len(changed) > 20
    assert np.ptp(changed[:, 0]) < 0.04 * SIZE
    assert drawn.max() <= SKIN.max() + 1e-6  # no white


def test_the_lights_stay_upright_with_the_face() -> None:
    points = eye_landmarks(SIZE)
    turned = np.column_stack([SIZE - 1 - points[:, 1], points[:, 0]])  # by a right angle
    upright = paint_eye(SKIN, EyeShape.of(points, 0, 1.0), PAINT, 1)
    lying = paint_eye(SKIN, EyeShape.of(turned, 0, 1.0, np.array([0.0, 1.0])), PAINT, 1)
    assert np.abs(np.rot90(upright, -1) - lying).mean() < 0.002


def test_the_crease_is_only_where_it_is_wanted() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    with_crease, without = (
        grey(paint_eye(SKIN, shape, replace(PAINT, crease=share), 1)) for share in (1.0, 0.0)
    )
    above = slice(round(shape.upper[4, 1] - 0.12 * PAINT.unit), round(shape.upper[4, 1] - 6))
    column = round(float(shape.centre[0]))
    assert with_crease[above, column].min() < without[above, column].min() - 0.03


def test_a_print_darkens_iris_and_lashes_and_keeps_their_hue() -> None:
    after = PAINT.printed(0.7)
    for name in ("dark", "middle"):
        before = getattr(PAINT.tones, name)
        assert getattr(after.tones, name).mean() < before.mean() - 0.01
        assert np.argmax(getattr(after.tones, name)) == np.argmax(before)
    assert after.lash.mean() < PAINT.lash.mean()
    assert (after.exposure, after.lashes) == (PAINT.exposure, PAINT.lashes)


def squinting(points: np.ndarray, height: float) -> np.ndarray:
    """The same landmarks with eyes of another height, in shares of what it was."""
    out = points.copy()
    for ids in LID_POINTS:
        middle = points[ids, 1].mean()
        out[ids, 1] = middle + height * (points[ids, 1] - middle)
    return out


def test_a_round_eye_lies_in_its_lids_and_a_slit_has_no_red_rim() -> None:
    plain = replace(PAINT, crease=0.0, socket=1.0)
    reds = []
    for height, lower in ((1.6, 0.0), (0.8, 0.0), (0.8, 0.05)):  # the last has a lowered lid
        shape = EyeShape.of(squinting(eye_landmarks(SIZE), height), 0, 1.0).deeper(lower)
        drawn = paint_eye(SKIN, shape, plain, 1)
        x, y = np.round(shape.lower[4]).astype(int)
        edge = drawn[y - 3 : y + 1, x - 20 : x + 20]
        reds.append(float((edge[..., 0] - edge[..., 2]).max(0).mean()))
        left, top, right, bottom = shape.box()
        border = np.abs(drawn - SKIN)[[top, bottom - 1], left:right]
        assert border.max() < 0.002  # no box is seen
        below = grey(drawn)[y + 3 : y + 5, x - 5 : x + 5].mean() - grey(SKIN).min()
        if height > 1:
            assert -0.2 < below < -0.01  # the socket
            bare = grey(paint_eye(SKIN, shape, replace(plain, socket=0.0), 1))
            assert bare[y + 4, x] > grey(drawn)[y + 4, x] + 0.01  # a drawing has none
        else:
            assert abs(below) < 0.005
    assert reds[0] > max(reds[1:]) + 0.03


def test_the_light_in_an_eye_hangs_below_its_lid() -> None:
    whole = []
    for height in (1.6, 0.9, 0.7):
        shape = EyeShape.of(squinting(eye_landmarks(SIZE), height), 0, 1.0)
        drawn = grey(paint_eye(SKIN, shape, replace(PAINT, crease=0.0), 3))
        x, y = np.round(shape.centre).astype(int)
        r = round(shape.radius * PAINT.iris_scale)
        light = np.argwhere(drawn[y - r : y + 3, x - r : x] > 0.85)
        whole.append(np.ptp(light, axis=0) + 1)  # its height and width
    for tall, wide in whole:
        assert tall / wide == pytest.approx(whole[0][0] / whole[0][1], abs=0.3)


def test_a_lower_lid_can_be_set_lower() -> None:
    slit = EyeShape.of(squinting(eye_landmarks(SIZE), 0.8), 0, 1.0)
    deeper = slit.deeper(0.045)
    assert deeper.lower[4, 1] - slit.lower[4, 1] == pytest.approx(0.045 * slit.width, rel=0.05)
    assert np.allclose(deeper.lower[[0, -1]], slit.lower[[0, -1]])
    assert np.array_equal(deeper.upper, slit.upper)
    assert deeper.roundness == pytest.approx(slit.roundness, rel=0.02)
    assert deeper.height > slit.height
    shut = replace(slit, open=0.0)
    assert np.array_equal(shut.deeper(0.045).lower, shut.lower)


def test_an_iris_that_is_free_all_round_is_tucked_below_its_lid() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE, gap=0.75), 0, 1.0)
    low = replace(shape, centre=shape.centre + np.array([0, 5], np.float32))
    free, tucked = (paint_eye(SKIN, low, replace(PAINT, tucked=t), 1) for t in (0.0, 1.0))

    def pupil(image: np.ndarray) -> float:
        return float(np.argwhere(grey(image) < 0.06)[:, 0].mean())

    assert 2 < pupil(free) - pupil(tucked) < 9
    narrow = EyeShape.of(eye_landmarks(SIZE, gap=0.25), 0, 1.0)  # lies below both lids anyway
    free, tucked = (paint_eye(SKIN, narrow, replace(PAINT, tucked=t), 1) for t in (0.0, 1.0))
    assert np.array_equal(free, tucked)


def test_an_iris_seen_from_aside_is_as_tall_and_less_wide() -> None:
    front = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    middle = front.centre[0]
    narrow = np.array([0.5, 1], np.float32)
    move = np.array([0.5 * middle, 0], np.float32)
    aside = replace(
        front, upper=front.upper * narrow + move, lower=front.lower * narrow + move
    ).turned(0.5)
    seen = []
    for shape in (front, aside):
        drawn = paint_eye(SKIN, shape, PAINT, 1)
        iris = np.argwhere(drawn[..., 2] > drawn[..., 0] + 0.06)
        light = np.argwhere(grey(drawn)[100:135, 60:85] > 0.85)
        seen.append((*np.ptp(iris, axis=0), *np.ptp(light, axis=0)))
    (tall, wide, high, broad), (tall_aside, wide_aside, high_aside, broad_aside) = seen
    assert tall_aside == pytest.approx(tall, abs=2)
    assert wide_aside < 0.75 * wide
    assert high_aside == pytest.approx(high, abs=2)  # lights stay round
    assert broad_aside == pytest.approx(broad, abs=2)


def test_the_white_can_be_whiter_in_its_corners_and_below() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    usual, white = (grey(paint_eye(SKIN, shape, replace(PAINT, shade=s), 1)) for s in (1.0, 0.0))
    middle, corner, below = (
        np.round(at).astype(int)
        for at in (
            shape.centre,
            (shape.upper[1] + shape.lower[1]) / 2,
            shape.lower[2] - (0, 3),
        )
    )
    assert white[corner[1], corner[0]] > usual[corner[1], corner[0]] + 0.015
    assert white[below[1], below[0]] > usual[below[1], below[0]] + 0.015
    assert white[middle[1], middle[0]] == pytest.approx(usual[middle[1], middle[0]], abs=0.01)
