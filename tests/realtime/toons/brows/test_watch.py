"""A brow that is lost is drawn as its twin, and brows become bold."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import BROW_BOTTOM, BROW_TOP
from engines.faces.head import FACE_OVAL
from engines.pictures import FloatMask, Image
from realtime.toons.brows.bold import BOLD
from realtime.toons.brows.strips import BESIDE
from realtime.toons.brows.watch import BrowWatch, Photo
from realtime.toons.finish.surface import SPOTS

SIDE, PLACES = 384, 64
SKIN, BROW, HAIR = (140, 170, 215), (40, 55, 75), (60, 40, 35)  # BGR
LEFT, RIGHT, BOTH = (0,), (1,), (0, 1)


def landmarks() -> NDArray[np.float32]:
    """Two arched brows and the cheeks, 0..1."""
    points = np.full((478, 2), 0.5, np.float32)
    along = np.linspace(0, 1, 5)
    for brow, side in enumerate((-1, 1)):
        x = 0.5 + side * (0.26 - 0.19 * along)  # from the outer end
        y = 0.40 - 0.03 * np.sin(np.pi * (0.2 + 0.6 * along))
        points[BROW_TOP[brow]] = np.stack([x, y - 0.012], 1)
        points[BROW_BOTTOM[brow]] = np.stack([x, y + 0.012], 1)
    points[list(SPOTS)] = 0.35, 0.62  # on skin
    points[list(BESIDE[1])] = 0.65, 0.62
    turn = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[FACE_OVAL] = np.stack([0.5 + 0.33 * np.sin(turn), 0.5 - 0.4 * np.cos(turn)], 1)
    return points


def toon(brows: tuple[int, ...], colour: tuple[int, int, int] = BROW) -> Image:
    """Skin with some of the brows on it, a little softened."""
    picture = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    points = landmarks() * SIDE
    for brow in brows:
        outline = np.concatenate([points[BROW_TOP[brow]], points[BROW_BOTTOM[brow]][::-1]])
        cv2.fillPoly(picture, [np.round(outline).astype(np.int32)], colour)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8)


def even(
    picture: Image, watch: BrowWatch | None = None, time: float = 0.0
) -> tuple[Image, FloatMask]:
    return (watch or BrowWatch()).even(1, time, picture, landmarks(), (1.0, 1.0), PLACES)


def middle(picture: Image, brow: int) -> float:
    """How light a brow is in its middle, 0..255."""
    points = landmarks() * SIDE
    x, y = ((points[BROW_TOP[brow][2]] + points[BROW_BOTTOM[brow][2]]) / 2).astype(int)
    return float(picture[y - 1 : y + 2, x - 1 : x + 2].mean())


@pytest.mark.parametrize(("drawn", "lost"), [(LEFT, 1), (RIGHT, 0)])
def test_a_lost_brow_is_drawn_as_its_twin(drawn: tuple[int, ...], lost: int) -> None:
    before = toon(drawn)
    after, where = even(before)
    assert middle(before, lost) > 160
    assert middle(after, lost) < 1.15 * middle(after, 1 - lost)
    twin = np.abs(after.astype(int) - after[:, ::-1]).max(-1)
    assert np.percentile(twin, 99) < 40  # a mirror image
    assert where.shape == (PLACES, PLACES)
    half = where[:, PLACES // 2 :] if lost else where[:, : PLACES // 2]
    assert half.max() > 0.9
    assert where.sum() == pytest.approx(half.sum())
    changed = np.abs(after.astype(int) - before).max(-1) > 8
    large = cv2.resize(where, (SIDE, SIDE)) > 0.02
    assert not (changed & ~large).any()


def test_brows_that_are_there_stay() -> None:
    before = toon(BOTH)
    after, where = even(before)
    assert after is before
    assert where.max() == 0
    weaker = np.where(
        np.arange(SIDE)[None, :, None] < SIDE / 2, toon(BOTH), toon(BOTH, (80, 95, 115))
    )
    assert even(weaker)[0] is weaker


def test_nobody_without_brows_gets_any() -> None:
    bare = toon(())
    assert even(bare)[0] is bare


def test_nothing_is_drawn_on_what_hides_a_brow() -> None:
    before = toon(LEFT)
    after, where = BrowWatch().even(1, 0.0, before, landmarks(), (1.0, 0.0), PLACES)
    assert after is before
    assert where.max() == 0


def test_a_brow_that_was_seen_is_remembered() -> None:
    watch = BrowWatch()
    for frame in range(30):
        even(toon(BOTH), watch, frame / 30)
    for frame in range(30, 60):
        after, _ = even(toon(()), watch, frame / 30)
    assert max(middle(after, brow) for brow in BOTH) < 130
    watch.forget()
    bare = toon(())
    assert even(bare, watch, 2.0)[0] is bare


def test_a_drawn_brow_comes_softly() -> None:
    watch = BrowWatch()
    even(toon(BOTH), watch)
    lights = [middle(even(toon(LEFT), watch, frame / 30)[0], 1) for frame in range(1, 20)]
    assert lights[0] > 140  # hardly begun
    assert lights[-1] < 80
    assert max(np.diff(lights)) < 2  # ever darker


def test_no_skin_is_drawn_over_hair_above_a_brow() -> None:
    before = toon(LEFT)
    high = int(0.352 * SIDE)
    before[:high, SIDE // 2 :] = HAIR
    after, _ = even(before)
    assert middle(after, 1) < 120
    assert np.abs(after[: high - 3].astype(int) - before[: high - 3]).max() < 30


def test_a_brow_beyond_the_picture_is_not_drawn() -> None:
    watch = BrowWatch()
    even(toon(BOTH), watch)
    away = landmarks() - np.array([0.0, 1.0], np.float32)
    bare = toon(())
    after, where = watch.even(1, 1.0, bare, away, (1.0, 1.0), PLACES)
    assert after is bare
    assert where.max() == 0


def test_no_brow_is_drawn_beside_the_face() -> None:
    before, points = toon(LEFT), landmarks()
    points[FACE_OVAL, 0] = np.minimum(points[FACE_OVAL, 0], 0.64)  # the brow goes on to 0.76
    after, where = BrowWatch().even(1, 0.0, before, points, (1.0, 1.0), PLACES)
    edge = round(0.69 * SIDE)
    assert np.abs(after[:, edge:].astype(int) - before[:, edge:]).max() <= 1
    assert where[:, round(0.69 * PLACES) :].max() < 0.05
    assert not np.array_equal(after, before)


def bolder(
    picture: Image, trust: tuple[float, float] = (1.0, 1.0), photo: Image | None = None
) -> Image:
    """A toon with bold brows; the same one again, as nothing lacks there. Without a `photo`, it
    looks as the toon does."""
    watch = BrowWatch()
    drawn_from = Photo(picture if photo is None else photo, landmarks())
    first, _ = watch.even(1, 0.0, picture, landmarks(), trust, PLACES, drawn_from)
    again, _ = watch.even(1, 0.01, picture, landmarks(), trust, PLACES, drawn_from)
    assert np.array_equal(again, first)
    return first


def darkness(picture: Image, brow: int) -> NDArray[np.float64]:
    """How much darker than skin each pixel of the column through a brow's middle is, 0..1."""
    points = landmarks() * SIDE
    x, y = points[BROW_TOP[brow][2]].astype(int)
    column = picture[y - 20 : y + 30, x].mean(-1)
    return 1 - column / np.mean(SKIN)


def test_bold_brows_are_darker_and_thicker() -> None:
    before = toon(BOTH, (85, 105, 130))
    after = bolder(before, photo=toon(()))  # which says nothing of them
    for brow in BOTH:
        faint, bold = darkness(before, brow), darkness(after, brow)
        assert bold.max() == pytest.approx(BOLD * faint.max(), rel=0.08)
        assert (bold > 0.15).sum() > (faint > 0.15).sum()
        assert (bold > 0.15).sum() <= (faint > 0.15).sum() + 6
        hue = after[bold_place(brow)].astype(float) / before[bold_place(brow)]
        assert np.ptp(hue) < 0.12  # no other colour
    far = np.ones((SIDE, SIDE), bool)
    far[round(0.33 * SIDE) : round(0.46 * SIDE)] = False
    assert np.array_equal(after[far], before[far])


def test_bold_brows_are_black_or_fair_as_the_photo_shows_them() -> None:
    before = toon(BOTH, (85, 105, 130))
    black, fair = (
        bolder(before, photo=toon(BOTH, hair)) for hair in ((30, 30, 32), (95, 125, 160))
    )
    for brow in BOTH:
        drawn, dark, light = (darkness(each, brow).max() for each in (before, black, fair))
        assert dark > light + 0.25
        assert dark > drawn + 0.2
        row, column = bold_place(brow)
        blue, _, red = black[row, column].astype(int)
        assert 0 <= red - blue < 40  # neither blue nor brown


def test_the_colour_of_bold_brows_changes_slowly() -> None:
    before, watch = toon(BOTH, (85, 105, 130)), BrowWatch()
    tones = []
    for time, hair in ((0.0, (30, 30, 32)), (0.3, (95, 125, 160)), (0.6, (95, 125, 160))):
        photo = Photo(toon(BOTH, hair), landmarks())
        after, _ = watch.even(1, time, before, landmarks(), (1.0, 1.0), PLACES, photo)
        tones.append(darkness(after, 0).max())
    assert tones[1] == pytest.approx(tones[0], abs=0.01)
    light = darkness(bolder(before, photo=toon(BOTH, (95, 125, 160))), 0).max()
    assert light + 0.1 < tones[2] < tones[0] - 0.02


def test_what_hid_brows_does_not_colour_them() -> None:
    before, watch = toon(BOTH, (85, 105, 130)), BrowWatch()
    photo = Photo(toon(BOTH, (30, 30, 32)), landmarks())
    bare = toon(())
    hidden = Photo(bare, landmarks())
    watch.even(1, 0.0, bare, landmarks(), (1.0, 1.0), PLACES, hidden)
    after, _ = watch.even(1, 0.2, before, landmarks(), (1.0, 1.0), PLACES, photo)
    assert np.array_equal(after, bolder(before, photo=photo.image))


def test_a_soft_photo_says_nothing_of_their_colour() -> None:
    before = toon(BOTH, (85, 105, 130))
    soft = Photo(toon(BOTH, (30, 30, 32)), landmarks(), 0.005)
    after, _ = BrowWatch().even(1, 0.0, before, landmarks(), (1.0, 1.0), PLACES, soft)
    assert np.array_equal(after, bolder(before, photo=toon(())))


def test_both_bold_brows_have_one_tone() -> None:
    before = toon((0,), (60, 75, 95))
    other = toon((1,), (85, 105, 130))
    before[:, SIDE // 2 :] = other[:, SIDE // 2 :]
    after = bolder(before)
    tones = [after[bold_place(brow)].astype(int) for brow in BOTH]
    drawn = [before[bold_place(brow)].astype(int) for brow in BOTH]
    assert np.abs(tones[0] - tones[1]).max() < 0.35 * np.abs(drawn[0] - drawn[1]).max()


def test_a_brow_on_the_side_in_shade_is_as_bold() -> None:
    before = toon(BOTH, (85, 105, 130))
    shade = before.copy()
    shade[:, SIDE // 2 :] = np.rint(0.42 * shade[:, SIDE // 2 :])
    gains = []
    for picture in (before, shade):
        row, column = bold_place(1)
        after = bolder(picture)
        gains.append(after[row, column].mean() / picture[row, column].mean())
    assert gains[1] == pytest.approx(gains[0], abs=0.03)


def bold_place(brow: int) -> tuple[int, int]:
    """Row and column of a brow's middle."""
    points = landmarks() * SIDE
    x, y = ((points[BROW_TOP[brow][2]] + points[BROW_BOTTOM[brow][2]]) / 2).astype(int)
    return int(y), int(x)


def test_skin_without_brows_and_what_hides_them_stay() -> None:
    bare = toon(())
    assert np.array_equal(bolder(bare), bare)
    before = toon(BOTH)
    after = bolder(before, (1.0, 0.0))
    assert np.array_equal(after[:, SIDE // 2 :], before[:, SIDE // 2 :])
    assert not np.array_equal(after, before)


def test_hair_that_hangs_into_a_brow_stays() -> None:
    before = toon(BOTH)
    before[: round(0.42 * SIDE), round(0.6 * SIDE) : round(0.68 * SIDE)] = HAIR
    after = bolder(before)
    fringe = (slice(0, round(0.42 * SIDE)), slice(round(0.62 * SIDE), round(0.66 * SIDE)))
    assert np.abs(after[fringe].astype(int) - before[fringe]).max() < 12


def test_brows_that_are_to_be_bold_from_now_on_are_so_at_once() -> None:
    watch, before = BrowWatch(), toon(BOTH, (85, 105, 130))
    plain, _ = watch.even(1, 0.0, before, landmarks(), (1.0, 1.0), PLACES)
    photo = Photo(before, landmarks())
    bold, _ = watch.even(1, 0.01, before, landmarks(), (1.0, 1.0), PLACES, photo)
    assert np.array_equal(plain, before)
    assert np.array_equal(bold, bolder(before))
    again, _ = watch.even(1, 0.02, before, landmarks(), (1.0, 1.0), PLACES)
    assert np.array_equal(again, before)
