"""People drawn with a style's pictures."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch

from engines.faces.features import BROW
from engines.faces.head import FACE_OVAL
from engines.pictures import Image
from engines.training.own.exemplars import Exemplars, openings
from engines.training.own.lines import Lines, lines_of
from engines.training.own.palette import filled, irises_in, lab, mean_colour, palette_of
from engines.training.own.shape import EYES, MOUTH, Floats, Shape
from engines.training.pairs.sampler import to_tensor
from tests.engines.training.factory import small_people

SIDE = 128
CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def few_pictures_tell_the_lines() -> Iterator[None]:
    """Measuring lines takes most of the time; eight pictures are enough here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engines.training.own.lines.TRIED", 8)
        yield


@pytest.fixture(scope="module")
def people(small_portraits: Image, measured_faces: dict[str, Floats]) -> tuple[Image, Floats]:
    return small_people(small_portraits, measured_faces, 24, SIDE)


@pytest.fixture(scope="module")
def photos(people: tuple[Image, Floats]) -> Image:
    return people[0]


@pytest.fixture(scope="module")
def points(people: tuple[Image, Floats]) -> Floats:
    return people[1]


def still(points: Floats) -> Shape:
    """A style that leaves faces their shape."""
    middle = np.median(points, axis=0).astype(np.float32)
    return Shape(middle, np.zeros_like(middle), ())


@pytest.fixture(scope="module")
def photo_lines(photos: Image, points: Floats) -> Lines:
    """The lines of a style that is photos: the slowest part of an artist, measured once."""
    return lines_of((photos, points), (photos, points))


def artist(
    photos: Image, points: Floats, pictures: Image, lines: Lines, without: int | None = None
) -> Exemplars:
    """The style of `pictures`, which show these very people; perhaps without one of them."""
    palette = palette_of((photos, points), (pictures, points))
    rest = np.arange(len(photos)) != without
    return Exemplars(pictures[rest], points[rest], still(points), palette, lines, CPU)


@pytest.fixture(scope="module")
def photo_artist(photos: Image, points: Floats, photo_lines: Lines) -> Exemplars:
    """The style that is the photos themselves."""
    return artist(photos, points, photos, photo_lines)


def face_colours(picture: Image, points: Floats) -> Floats:
    """Mean L*a*b* within the face."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab[filled([FACE_OVAL], points, SIDE).numpy() > 0].mean(0), np.float32)


def test_who_is_in_the_style_is_drawn_as_there(
    photos: Image, points: Floats, photo_artist: Exemplars
) -> None:
    """The picture most like a person is their own, so every patch comes from its place there."""
    style = 255 - photos[..., ::-1]
    drawn = photo_artist.draw(photos[3], points[3])
    assert drawn is not None
    assert drawn.shape == photos[3].shape
    assert drawn.dtype == np.uint8
    near = np.abs(drawn.astype(float) - photos[3]).mean()
    others = np.abs(photos[np.arange(24) != 3].astype(float) - photos[3]).mean((1, 2, 3))
    assert near < 0.25 * others.min()
    assert np.abs(drawn.astype(float) - style[3]).mean() > 2 * near


def test_a_person_is_drawn_with_the_patches_of_others(photos: Image, points: Floats) -> None:
    """The drawing has bands of light that no photo has, and the person's light and pose."""
    bands = (photos // 64) * 64 + 32
    lines = lines_of((photos, points), (bands, points))
    drawn = artist(photos, points, bands, lines, without=5).draw(photos[5], points[5])
    assert drawn is not None

    def flat(picture: Image) -> float:
        """How much of the picture has no slope at all."""
        grey = picture.astype(float).mean(2)
        return float((np.abs(np.diff(grey)) < 1).mean())

    assert flat(drawn) > 1.3 * flat(photos[5])
    error = np.abs(drawn.astype(float) - bands).mean((1, 2, 3))
    assert error.argmin() == 5


@pytest.mark.parametrize("colour", ["grey", "blue"])
def test_colours_are_the_styles(
    photos: Image, points: Floats, photo_lines: Lines, colour: str
) -> None:
    """Grey stays grey and blue stays blue; dark people stay darker than light ones."""
    grey = np.repeat(photos.mean(3, keepdims=True), 3, axis=3)
    style = (grey if colour == "grey" else grey * [0.5, 0.7, 1.0]).astype(np.uint8)
    by_light = np.argsort([face_colours(p, q)[0] for p, q in zip(photos, points, strict=True)])
    drawer = artist(photos, points, style, photo_lines)
    found = []
    for i in (by_light[0], by_light[-1]):
        drawn = drawer.draw(photos[i], points[i])
        assert drawn is not None
        found.append(face_colours(drawn, points[i]))
    assert found[0][0] < found[1][0] - 10
    for _, a, b in found:
        assert (np.hypot(a, b) < 3) if colour == "grey" else b < -10


def test_hair_keeps_its_hue(photos: Image, points: Floats, photo_artist: Exemplars) -> None:
    red = photos[2].copy()
    red[: SIDE // 6] = (150, 20, 40)
    plain, dyed = (photo_artist.draw(picture, points[2]) for picture in (photos[2], red))
    assert plain is not None
    assert dyed is not None
    hues = [
        cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[2:8, 20:-20, 1].mean()
        for p in (plain, dyed)
    ]
    assert hues[1] > hues[0] + 15


def test_irises_keep_their_hue(photos: Image, points: Floats, photo_lines: Lines) -> None:
    """Blue and brown eyes become the style's blue and brown ones, also in blue light."""
    blue, brown = (60, 80, 150), (120, 80, 40)

    def with_irises(person: int, colour: tuple[int, int, int]) -> Image:
        picture = photos[person].copy()
        irises = torch.stack(irises_in(points[person], SIDE)).amax(0)
        picture[irises.numpy() > 0] = colour
        return picture

    pictures = np.stack([with_irises(i, brown if i % 3 else blue) for i in range(24)])
    style = artist(pictures, points, pictures, photo_lines)
    found = []
    for colour, light in ((blue, (1, 1, 1)), (brown, (1, 1, 1)), (brown, (0.85, 0.95, 1))):
        person = (with_irises(6, colour) * light).astype(np.uint8)
        drawn = style.draw(person, points[6])
        assert drawn is not None
        irises = torch.stack(irises_in(points[6], SIDE)).amax(0)
        found.append(mean_colour(lab(to_tensor([drawn])), irises)[0, 2].item())
    assert found[0] < min(found[1:]) - 15
    assert found[2] > 0.6 * found[1]  # a lamp takes some of it


def test_what_no_picture_of_the_style_shows_is_kept(
    photos: Image, points: Floats, photo_lines: Lines
) -> None:
    """A scarf's stripes and a spectacle rim, which patches of other people do not show."""
    marks, style = points[7] * SIDE, artist(photos, points, photos, photo_lines, without=7)
    stripes, rim = (np.zeros((SIDE, SIDE), np.uint8) for _ in range(2))
    cv2.line(stripes, (0, SIDE - 6), (SIDE, SIDE - 6), 1, 2)
    cv2.circle(rim, np.round(marks[[50, 280]].mean(0)).astype(int).tolist(), SIDE // 6, 1, 2)
    rim[filled([*EYES, *BROW, MOUTH], points[7], SIDE, 4).numpy() > 0] = 0  # the style's alone
    plain = style.draw(photos[7], points[7])
    worn = photos[7] * (1 - 0.9 * (stripes | rim)[..., None])
    drawn = style.draw(worn.astype(np.uint8), points[7])
    assert plain is not None
    assert drawn is not None
    for where, share in ((stripes > 0, 0.5), (rim > 0, 0.3)):
        darker = plain[where].mean(dtype=float) - drawn[where].mean(dtype=float)
        assert darker > share * (photos[7][where].mean() - worn[where].mean())


def test_both_eyes_come_from_one_picture(photos: Image, points: Floats, photo_lines: Lines) -> None:
    """Every picture of the style has eyes of another lightness."""
    style = photos.copy()
    for i, (picture, marks) in enumerate(zip(style, points, strict=True)):
        for ids in EYES:
            picture[filled([ids], marks, SIDE, 3).numpy() > 0] = 20 + 9 * i
    drawer = artist(photos, points, style, photo_lines)
    for person in (4, 9, 13):
        drawn = drawer.draw(photos[person], points[person])
        assert drawn is not None
        light = [drawn[filled([ids], points[person], SIDE).numpy() > 0].mean() for ids in EYES]
        assert abs(light[0] - light[1]) < 7


def test_a_pose_that_the_style_has_not_is_not_drawn(
    photos: Image, points: Floats, photo_artist: Exemplars
) -> None:
    upside_down = (points[0] * [1, -1] + [0, 1]).astype(np.float32)
    assert photo_artist.draw(photos[0][::-1].copy(), upside_down) is None


def test_openings_tell_open_from_shut() -> None:
    points = np.zeros((478, 2), np.float32)
    points[[33, 263, 61]] = (0.0, 0.5)
    points[[133, 362, 291]] = (0.2, 0.5)
    points[[159, 386, 13]] = (0.1, 0.45)
    points[[145, 374, 14]] = (0.1, 0.55)
    points[[159, 145]] = (0.1, 0.5)  # a wink
    assert openings(points) == pytest.approx([0, 0.5, 0.5], abs=1e-5)
