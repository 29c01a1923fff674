"""The frame's finest detail in a toon."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.alignment import extract_crop
from engines.faces.features import BROW, EYE
from engines.faces.head import CHIN, NOSE_TIP
from engines.pictures import Image
from realtime.compositing import GRID
from realtime.frame import as_uint8
from realtime.toons.detail import (
    BROWS,
    BRUSHED,
    FINE,
    Detail,
    brows_of,
    brushed,
    fitted,
    room_about,
    sharpened,
)
from realtime.toons.pasting import paste
from realtime.toons.places import moves, shifted

SIDE, ZOOM = 64, 5.0
WHOLE = np.ones((GRID, GRID), np.float32)


def textured(height: int = 400, width: int = 420) -> Image:
    """A frame with structure at every scale, the finest of it in the light alone."""
    rng = np.random.default_rng(3)
    fine = rng.integers(0, 80, (height, width, 1)).astype(np.float32)
    coarse = cv2.resize(rng.integers(0, 170, (8, 8, 3)).astype(np.float32), (width, height))
    return cv2.GaussianBlur(fine + coarse, (0, 0), 0.8).astype(np.uint8)


def placement(angle: float = 0.2) -> NDArray[np.float64]:
    """A crop of `SIDE` px shown `ZOOM` times as large in the frame, turned: [2, 3] from `GRID`."""
    scale = ZOOM * SIDE / GRID
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[c, -s], [s, c]])
    return np.column_stack([linear, np.array([210, 200]) - linear @ np.array([GRID / 2, GRID / 2])])


def crop_of(frame: Image, transform: NDArray[np.float64]) -> Image:
    """What the network sees."""
    small = transform.copy()
    small[:, :2] *= GRID / SIDE
    return extract_crop(frame, small, SIDE)


def pasted(frame: Image, detail: Detail | None, transform: NDArray[np.float64]) -> Image:
    image, alpha = frame.copy(), np.zeros(frame.shape[:2], np.uint8)
    paste(image, alpha, crop_of(frame, transform), WHOLE, transform, detail)
    return image


def plan(x: float = 0.0, y: float = 0.0, share: float = 1.0) -> NDArray[np.float32]:
    """The same move and share everywhere."""
    out = np.empty((3, 32, 32), np.float32)
    out[0], out[1], out[2] = x, y, share
    return out


def error(image: Image, frame: Image) -> float:
    """Mean difference in the middle of the toon, of 255."""
    middle = (slice(130, 270), slice(140, 280))
    return float(np.abs(image[middle].astype(int) - frame[middle]).mean())


def test_a_toon_that_is_the_photo_becomes_the_frame_again() -> None:
    frame, where = textured(), placement()
    blurred = error(pasted(frame, None, where), frame)
    sharp = error(pasted(frame, Detail(plan(), frame, SIDE), where), frame)
    assert sharp < 0.3 * blurred


@pytest.mark.parametrize("side", [30.0, 100.0, 200.0, 320.0, 430.0])
def test_a_small_face_needs_fewer_pixels_and_stays_the_same(side: float) -> None:
    toon = as_uint8(cv2.resize(textured(), (512, 512)))
    found = fitted(toon, side)
    assert FINE * side <= found.shape[0] < FINE * side + 64
    assert np.abs(found.mean((0, 1)) - toon.mean((0, 1))).max() < 1
    wide = [cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) for image in (toon, found)]
    assert np.abs(wide[0].astype(int) - wide[1]).mean() < 3


def test_no_pixel_is_added_to_a_toon() -> None:
    toon = textured(256, 256)
    assert fitted(toon, 300.0) is toon
    assert fitted(toon, 223.0) is toon


def test_hair_takes_less_of_the_detail_than_the_room() -> None:
    head = np.zeros((GRID, GRID), np.float32)
    head[:, : GRID // 2] = 1
    less = brushed(plan(share=0.8), head)
    assert less[2, :, :15] == pytest.approx(0.8 * (1 - BRUSHED))
    assert less[2, :, 17:] == pytest.approx(0.8)
    assert np.array_equal(less[:2], plan(share=0.8)[:2])


def test_painted_hair_takes_none_of_the_detail() -> None:
    head, locks = WHOLE, np.zeros((GRID, GRID), np.float32)
    locks[: GRID // 2] = 1
    less = brushed(plan(share=0.8), head, locks)
    assert less[2, :15] == pytest.approx(0.0)
    assert less[2, 17:] == pytest.approx(0.8 * (1 - BRUSHED))


@pytest.mark.parametrize("lift", [0.0, 0.04])
def test_brows_get_hairs_where_the_toon_shows_them(
    face_crop: tuple[Image, NDArray[np.float32]], lift: float
) -> None:
    crop, points = face_crop
    whence = plan(y=lift).repeat(4, 1).repeat(4, 2)
    toon = shifted(crop, moves(whence, crop.shape[0]))
    brows = brows_of(toon, points, whence)
    places = ((points[:, :2] - np.array([0, lift])) * brows.shape[0]).astype(int)
    seen = [brows[places[list(ids), 1], places[list(ids), 0]].mean() for ids in BROW]
    assert min(seen) > 0.3
    others = [CHIN, NOSE_TIP, *EYE[0], *EYE[1]]
    assert brows[places[others, 1], places[others, 0]].max() < 0.15
    hairy = brushed(whence * 0, np.zeros((GRID, GRID), np.float32), None, brows)
    assert hairy[2].max() == pytest.approx(BROWS * brows.max())


def test_a_toon_without_brows_gets_none(face_crop: tuple[Image, NDArray[np.float32]]) -> None:
    crop, points = face_crop
    assert brows_of(np.full_like(crop, 150), points, plan()).max() == 0


def test_a_room_can_be_seen_beside_a_head_alone() -> None:
    head = np.zeros((GRID, GRID), np.float32)
    head[:, : GRID // 2] = 1
    room = room_about(head, plan(), np.zeros_like(head))
    assert room.shape == (32, 32)
    assert room[:, :16].max() < 0.01
    assert room[:, 16].min() > 0.99
    assert room[:, 20:].max() < 0.01


def test_nobodys_own_face_is_taken_for_the_room() -> None:
    head, face = np.zeros((GRID, GRID), np.float32), np.zeros((GRID, GRID), np.float32)
    head[:, : GRID // 2], face[:, : GRID * 3 // 4] = 1, 1  # a toon that is too narrow for it
    assert room_about(head, plan(), face).max() < 0.01
    beyond = room_about(head, plan(x=0.3), face)  # one that says where the wall is
    assert beyond[:, 16].min() > 0.99


@pytest.mark.parametrize("coarser", [1, 8])  # a head as large as its crop, and a small one
def test_the_light_of_the_room_is_the_frames(coarser: int) -> None:
    frame, where = textured(), placement()
    halo = np.clip(crop_of(frame, where).astype(int) + 15, 0, 255).astype(np.uint8)
    room = np.zeros((32, 32), np.float32)
    room[:, :16] = 1
    image, plain = frame.copy(), frame.copy()
    light = Detail(plan(share=0.0), frame, SIDE * coarser, room)
    for picture, detail in ((image, light), (plain, None)):
        paste(picture, np.zeros(frame.shape[:2], np.uint8), halo, WHOLE, where, detail)
    left, right = (slice(140, 260), slice(90, 190)), (slice(140, 260), slice(235, 330))

    def off(picture: Image, part: tuple[slice, slice]) -> float:
        grey = (cv2.cvtColor(v[part], cv2.COLOR_BGR2GRAY).astype(int) for v in (picture, frame))
        return float(np.abs(np.subtract(*grey)).mean())

    assert off(image, left) < 1
    assert off(plain, left) > 10
    assert np.array_equal(image[right], plain[right])


def test_no_share_and_no_finer_frame_change_nothing() -> None:
    frame, where = textured(), placement()
    without = pasted(frame, None, where)
    assert np.array_equal(pasted(frame, Detail(plan(share=0.0), frame, SIDE), where), without)
    coarser = Detail(plan(), frame, round(SIDE * ZOOM * 2))
    assert np.array_equal(pasted(frame, coarser, where), without)


def test_detail_takes_the_place_of_what_a_network_draws_softly() -> None:
    frame, where = textured(), placement()
    soft = crop_of(as_uint8(cv2.GaussianBlur(frame, (0, 0), 2 * ZOOM)), where)
    own = (*soft.shape[:2], 1)  # detail that is not the frame's
    noise = np.random.default_rng(5).integers(-20, 21, own)
    toon = np.clip(soft + noise, 0, 255).astype(np.uint8)
    plain, image = frame.copy(), frame.copy()
    for picture, detail in ((plain, None), (image, Detail(plan(), frame, SIDE))):
        paste(picture, np.zeros(frame.shape[:2], np.uint8), toon, WHOLE, where, detail)
    assert error(image, frame) < 0.45 * error(plain, frame)


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_detail_comes_from_where_the_plan_says(angle: float) -> None:
    frame, where = textured(), placement(angle)
    share = 0.06  # of the crop's side, along its own axes
    linear = where[:, :2] * GRID
    move = linear @ np.array([share, 0])
    there = np.array([[1, 0, -move[0]], [0, 1, -move[1]]], np.float32)
    size = frame.shape[1::-1]
    shifted = as_uint8(cv2.warpAffine(frame, there, size, borderMode=cv2.BORDER_REFLECT_101))
    image, alpha = frame.copy(), np.zeros(frame.shape[:2], np.uint8)
    toon = crop_of(shifted, where)  # a toon in which everything has moved
    paste(image, alpha, toon, WHOLE, where, Detail(plan(x=share), frame, SIDE))
    plain, alpha = frame.copy(), np.zeros(frame.shape[:2], np.uint8)
    paste(plain, alpha, toon, WHOLE, where)
    assert error(image, shifted) < 0.35 * error(plain, shifted)


def test_colours_stay_the_toon_s() -> None:
    grey, where = np.full((400, 420, 3), 120, np.uint8), placement()
    coloured = grey.copy()
    coloured[:, ::2] = (140, 110, 120)  # nearly as light
    coloured[:, 1::2] = (100, 130, 120)
    image, plain = grey.copy(), grey.copy()
    toon = crop_of(grey, where)
    for picture, detail in ((plain, None), (image, Detail(plan(), coloured, SIDE))):
        paste(picture, np.zeros(grey.shape[:2], np.uint8), toon, WHOLE, where, detail)
    middle = image[130:270, 140:280].astype(int)
    assert np.ptp(middle - middle[..., :1], axis=(0, 1)).max() <= 1


def test_a_field_finer_than_the_frame_is_placed_as_it_is() -> None:
    frame, where = textured(), placement()
    where[:, :2] *= 0.3  # a crop so small that a pixel of the field is half one of the frame
    where[:, 2] = np.array([210, 200]) - where[:, :2] @ np.full(2, GRID / 2)
    fine = np.repeat(np.repeat(plan(), 4, 1), 4, 2)
    image, alpha = frame.copy(), np.zeros(frame.shape[:2], np.uint8)
    toon = crop_of(as_uint8(cv2.GaussianBlur(frame, (0, 0), 3.0)), where)
    paste(image, alpha, toon, WHOLE, where, Detail(fine, frame, SIDE))
    plain, alpha = frame.copy(), np.zeros(frame.shape[:2], np.uint8)
    paste(plain, alpha, toon, WHOLE, where)
    middle = (slice(180, 220), slice(190, 230))
    errors = [np.abs(p[middle].astype(int) - frame[middle]).mean() for p in (image, plain)]
    assert errors[0] < 0.6 * errors[1]


def test_a_frame_that_already_holds_toons_is_not_the_source() -> None:
    frame, where = textured(), placement()
    image, alpha = np.zeros_like(frame), np.zeros(frame.shape[:2], np.uint8)
    paste(image, alpha, crop_of(frame, where), WHOLE, where, Detail(plan(), frame, SIDE))
    assert error(image, frame) < 0.3 * error(pasted(frame, None, where), frame) + 1


def test_a_toon_gets_crisp_edges_and_keeps_its_colours() -> None:
    step = np.full((256, 256, 3), 90, np.uint8)
    step[:, 128:] = 150
    soft = as_uint8(cv2.GaussianBlur(step, (0, 0), 1.0))
    crisp = sharpened(soft)
    rise = [float(np.diff(picture[128, :, 0].astype(float)).max()) for picture in (soft, crisp)]
    assert rise[1] > 1.3 * rise[0]
    assert (crisp.min(), crisp.max()) == (soft.min(), soft.max())  # no rims
    assert np.array_equal(crisp[:, :96], soft[:, :96])
    assert np.array_equal(crisp[:, -96:], soft[:, -96:])
    assert abs(float(crisp.mean()) - float(soft.mean())) < 0.5


def test_an_edge_between_colours_gets_no_coloured_rim() -> None:
    step = np.empty((256, 256, 3), np.uint8)
    step[:, :128], step[:, 128:] = (60, 90, 150), (200, 170, 110)
    soft = as_uint8(cv2.GaussianBlur(step, (0, 0), 1.0))
    crisp = sharpened(soft).astype(int)
    assert np.abs(crisp - soft).max() > 4
    apart = [picture[..., 1:] - picture[..., :1] for picture in (soft.astype(int), crisp)]
    assert np.array_equal(*apart)


def test_ink_that_the_network_drew_softly_gets_dark() -> None:
    ink = np.full((256, 256, 3), 150, np.uint8)
    ink[:, 127:129] = 40
    soft = as_uint8(cv2.GaussianBlur(ink, (0, 0), 1.0))
    crisp = sharpened(soft)
    assert crisp.min() < soft.min() - 15
    assert crisp.max() == soft.max()
