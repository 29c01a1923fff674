"""What travels to the overlay: the toons' boxes, and nothing of the room."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.guard import Output
from realtime.web.panel.cutting import Cut, cut, grey_png, toon_boxes

SIZE = (320, 240)
CENTRE, RADIUS, SOFT = (150, 110), 50, 16


def soft_disk() -> NDArray[np.uint8]:
    """uint8 [H, W] alpha: a disk with a soft edge."""
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    distance = np.hypot(columns - CENTRE[0], rows - CENTRE[1])
    return np.clip((RADIUS - distance) / SOFT * 255 + 127, 0, 255).astype(np.uint8)


def output(room: tuple[int, int, int], toon: tuple[int, int, int]) -> Output:
    """A toon of one colour, pasted with a soft edge into a room of one colour."""
    alpha = soft_disk()
    under = np.full((SIZE[1], SIZE[0], 3), room, np.uint8)
    weights = cv2.merge([alpha] * 3)
    drawn = cv2.multiply(np.full_like(under, toon), weights, scale=1 / 255)
    image = cv2.add(drawn, cv2.multiply(under, cv2.bitwise_not(weights), scale=1 / 255))
    return Output(image.astype(np.uint8), alpha, "toon", under=under)


def decoded(one: Cut) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colour uint8 [H, W, 3] and alpha uint8 [H, W] as the browser has them."""
    colour = cv2.imdecode(np.frombuffer(one.colour, np.uint8), cv2.IMREAD_COLOR)
    alpha = cv2.imdecode(np.frombuffer(one.alpha, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert colour is not None
    assert alpha is not None
    return colour.astype(np.uint8), alpha.astype(np.uint8)


def test_the_soft_edge_holds_nothing_of_the_room() -> None:
    toon = (60, 160, 230)
    for room in ((255, 255, 255), (0, 0, 0), (0, 255, 0)):
        (one,) = cut(output(room, toon))
        colour, alpha = decoded(one)
        left, top, width, height = one.box
        assert np.array_equal(alpha, soft_disk()[top : top + height, left : left + width])
        assert (np.abs(colour.astype(int) - toon).max(2)[alpha > 0] < 14).all()
        # Where all is clear, the toon's colours go on: no browser can mix a rim in.
        assert np.abs(colour.astype(int) - toon).max() < 40


def test_only_the_boxes_of_toons_travel() -> None:
    alpha = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    alpha[40:90, 30:80] = 255
    alpha[130:235, 200:317] = 9
    boxes = toon_boxes(alpha)
    assert len(boxes) == 2
    covered = np.zeros_like(alpha, bool)
    for left, top, width, height in boxes:
        covered[top : top + height, left : left + width] = True
        assert left + width <= SIZE[0]
        assert top + height <= SIZE[1]
    assert covered[alpha > 0].all()
    assert covered.sum() < 1.4 * (alpha > 0).sum()


def test_where_no_toon_is_nothing_is_sent() -> None:
    raw = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    assert cut(Output(raw, np.zeros((SIZE[1], SIZE[0]), np.uint8), "raw")) == []


def test_the_alpha_travels_without_loss() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (37, 53), np.uint8)
    for grey in (soft_disk(), noise, noise[:1, :1], noise[::2, ::3]):
        seen = cv2.imdecode(np.frombuffer(grey_png(grey), np.uint8), cv2.IMREAD_UNCHANGED)
        assert seen is not None
        assert np.array_equal(seen, grey)
    raw = len(cv2.imencode(".png", soft_disk(), [cv2.IMWRITE_PNG_COMPRESSION, 0])[1])
    assert len(grey_png(soft_disk())) < raw / 5
