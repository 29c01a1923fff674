"""Hair painted in locks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.backends import EngineOutput
from engines.faces.alignment import ffhq_quad
from engines.faces.features import BROW_TOP
from engines.faces.head import CHIN, FACE_OVAL
from engines.networks.toon import ToonNetwork
from engines.pictures import FloatMask, Image
from realtime.compositing import GRID
from realtime.faces.face import TrackedFace
from realtime.frame import Frame, as_uint8
from realtime.settings import CompositingSettings, Mode
from realtime.stylizer import Stylizer
from realtime.toons.finish import locks
from realtime.toons.finish.drawn import Drawn
from realtime.toons.finish.locks import INTERVAL, HairWatch
from tests.realtime.toons.conftest import SIDE

ANGLE = 0.4  # of the strands, from upright
BROWN = np.array([34, 48, 66], np.float32)  # BGR
Face = tuple[Image, NDArray[np.float32]]


def plan(x: float = 0.0, share: float = 0.3) -> NDArray[np.float32]:
    out = np.zeros((3, 32, 32), np.float32)
    out[0], out[2] = x, share
    return out


def skull(points: NDArray[np.float32]) -> FloatMask:
    """A head with much hair about it: [GRID, GRID]."""
    (x, y), radius = points[FACE_OVAL, :2].mean(0) * GRID, np.ptp(points[FACE_OVAL, 1]) * GRID
    mask = np.zeros((GRID, GRID), np.float32)
    centre = (round(float(x)), round(float(y - 0.15 * radius)))
    cv2.ellipse(mask, centre, (round(0.62 * radius), round(0.75 * radius)), 0, 0, 360, 1, -1)
    return mask


def strands() -> NDArray[np.float32]:
    """Fine hairs, uneven along their way: light about 1, [SIDE, SIDE]."""
    noise = np.random.default_rng(5).standard_normal((2 * SIDE, 2 * SIDE)).astype(np.float32)
    streaks = cv2.GaussianBlur(noise, (0, 0), sigmaX=1.2, sigmaY=14)
    streaks = streaks + 0.05 * cv2.GaussianBlur(noise[::-1], (0, 0), 0.7)
    turn = cv2.getRotationMatrix2D((SIDE, SIDE), np.degrees(ANGLE), 1)
    turned = cv2.warpAffine(streaks, turn, (2 * SIDE, 2 * SIDE))
    middle = turned[SIDE // 2 : -SIDE // 2, SIDE // 2 : -SIDE // 2]
    return np.asarray(1 + 0.35 * middle / middle.std(), np.float32)


def fur() -> NDArray[np.float32]:
    noise = np.random.default_rng(6).standard_normal((SIDE, SIDE)).astype(np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), 1.2)
    return np.asarray(1 + 0.35 * fine / fine.std(), np.float32)


def with_hair(face: Face, hair: NDArray[np.floating]) -> Image:
    """A face's crop with another head around the face; `hair` [SIDE, SIDE, 3] BGR."""
    image, points = face
    oval = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillPoly(oval, [np.round(points[FACE_OVAL, :2] * SIDE).astype(np.int32)], 1)
    about = cv2.resize(skull(points), (SIDE, SIDE)) * (1 - cv2.GaussianBlur(oval, (0, 0), 1))
    return as_uint8((image + (hair - image) * about[..., None]).clip(0, 255).astype(np.uint8))


def soft(crop: Image, side: int = SIDE) -> Image:
    """As a small network draws it."""
    return as_uint8(cv2.resize(cv2.GaussianBlur(crop, (0, 0), 3), (side, side)))


def combed(
    toon: Image,
    crop: Image,
    plan: NDArray[np.float32],
    head: FloatMask,
    points: NDArray[np.float32],
) -> tuple[Image, FloatMask]:
    drawn = Drawn(crop, toon, points, head, known=True, plan=plan)
    return locks.combed(drawn, HairWatch().see(1, 0.0, drawn))


def slopes(image: Image, where: NDArray[np.bool_]) -> tuple[float, float]:
    """How fast light changes along the strands, and across them."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    gx, gy = (cv2.Scharr(grey, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    along = np.abs(gx * np.sin(ANGLE) + gy * np.cos(ANGLE))
    across = np.abs(gx * np.cos(ANGLE) - gy * np.sin(ANGLE))
    return float(along[where].mean()), float(across[where].mean())


def test_hair_gets_locks_that_follow_its_strands(face_crop: Face) -> None:
    points = face_crop[1]
    crop = with_hair(face_crop, strands()[..., None] * BROWN)
    drawn, where = combed(soft(crop), crop, plan(), skull(points), points)
    sure = cv2.erode(cv2.resize(where, (SIDE, SIDE)), np.ones((5, 5), np.uint8)) > 0.8
    assert where.mean() > 0.12
    (along, across), (_, before) = slopes(drawn, sure), slopes(soft(crop), sure)
    photo_along, photo_across = slopes(crop, sure)
    assert across > 2 * before
    assert along / across < 0.7 * photo_along / photo_across


@pytest.mark.parametrize("what", ["fur", "pattern", "bald"])
def test_what_does_not_flow_stays_the_toons(face_crop: Face, what: str) -> None:
    image, points = face_crop
    if what == "fur":
        hair = fur()[..., None] * BROWN
    elif what == "pattern":  # of two colours, however well its lines flow
        lines = (cv2.GaussianBlur(strands(), (0, 0), 2) > 1).astype(np.float32)[..., None]
        hair = lines * (150, 60, 40) + (1 - lines) * (40, 150, 190)
    else:
        x, y = np.round(points[50, :2] * SIDE).astype(int)  # a cheek
        hair = strands()[..., None] * image[y, x].astype(np.float32) * 0.1 + image[y, x] * 0.9
    crop = with_hair(face_crop, hair)
    toon = soft(crop)
    drawn, where = combed(toon, crop, plan(), skull(points), points)
    assert where.mean() < 0.06
    changed = np.abs(drawn.astype(int) - toon).max(-1) > 2
    assert not changed[cv2.resize(where, changed.shape) < 0.01].any()


def test_face_and_neck_have_no_locks(face_crop: Face) -> None:
    points = face_crop[1]
    crop = with_hair(face_crop, strands()[..., None] * BROWN)
    toon = soft(crop)
    drawn, _ = combed(toon, crop, plan(), np.ones((GRID, GRID), np.float32), points)
    changed = np.abs(drawn.astype(int) - toon).max(-1)
    assert changed.max() > 20
    face = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(face, [np.round(points[FACE_OVAL, :2] * SIDE).astype(np.int32)], 255)
    brows = min(points[i, 1] for ids in BROW_TOP for i in ids) * SIDE
    inside = cv2.erode(face, np.ones((7, 7), np.uint8)) > 0
    inside[: int(brows)] = False
    assert changed[inside].max() <= 1
    x, y = np.round(points[CHIN, :2] * SIDE).astype(int)
    assert changed[y : y + 12, x - 8 : x + 8].max() <= 1


def test_locks_lie_where_the_toon_has_its_hair(face_crop: Face) -> None:
    points, by = face_crop[1], 8
    crop = with_hair(face_crop, strands()[..., None] * BROWN)
    still, where = combed(soft(crop), crop, plan(), skull(points), points)
    moved, _ = combed(soft(crop), crop, plan(by / SIDE), skull(points), points)
    toon = soft(crop)
    sure = cv2.erode(cv2.resize(where, (SIDE, SIDE)), np.ones((19, 19), np.uint8)) > 0.5
    a, b = (cv2.cvtColor(v, cv2.COLOR_BGR2GRAY).astype(float) for v in (still, moved))
    a, b = (v - cv2.cvtColor(toon, cv2.COLOR_BGR2GRAY) for v in (a, b))
    assert sure.sum() > 100
    assert np.corrcoef(np.roll(a, -by, 1)[sure], b[sure])[0, 1] > 0.8
    assert np.corrcoef(a[sure], b[sure])[0, 1] < 0.5


@pytest.mark.parametrize("side", [64, 192, 512])
def test_toons_of_any_size_get_the_same_locks(face_crop: Face, side: int) -> None:
    points = face_crop[1]
    crop = with_hair(face_crop, strands()[..., None] * BROWN)
    drawn, where = combed(soft(crop, side), crop, plan(), skull(points), points)
    _, usual = combed(soft(crop), crop, plan(), skull(points), points)
    assert drawn.shape == (side, side, 3)
    if side >= SIDE / 2:
        assert np.abs(where - usual).mean() < 0.02


class Painter:
    """An engine that draws softly."""

    name, device, precision, build_seconds, max_batch = "painter", "cpu", "fp32", 0.0, 1
    input_size = output_size = SIDE

    def __init__(self, head: FloatMask) -> None:
        self._head = np.round(head * 255).astype(np.uint8)

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        drawn = np.stack([soft(crop) for crop in crops])
        return EngineOutput(drawn, self._head[None], plan()[None])

    def update(self, network: ToonNetwork) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


def test_frames_show_locks_if_the_user_wants_them(face_crop: Face) -> None:
    points = face_crop[1]
    image = with_hair(face_crop, strands()[..., None] * BROWN)
    placed = points * np.float32(SIDE)
    face = TrackedFace(1, placed, ffhq_quad(placed).astype(np.float32))
    painter, frame = Painter(skull(points)), Frame(image, 0.0, 0)
    hair = cv2.erode(skull(points), np.ones((9, 9), np.uint8))
    hair[int(points[BROW_TOP[0], 1].min() * GRID) :] = 0
    where = cv2.resize(hair, (SIDE, SIDE)) > 0.99

    def shown(mode: Mode, paint_hair: bool) -> Image:
        settings = CompositingSettings(mode=mode, colour=0, paint_hair=paint_hair)
        return Stylizer(painter, settings).apply(frame, [face]).image

    modes: tuple[Mode, ...] = ("face", "crop")
    for mode in modes:
        assert np.array_equal(shown(mode, True), shown(mode, False))
    (along, across), (along_before, across_before) = (
        slopes(shown("head", paint_hair), where) for paint_hair in (True, False)
    )
    assert along / across < 0.8 * along_before / across_before


def test_hair_is_looked_for_a_few_times_a_second(face_crop: Face) -> None:
    image, points = face_crop
    hairy = with_hair(face_crop, strands()[..., None] * BROWN)
    watch, head = HairWatch(), skull(points)

    def see(identity: int, time: float, crop: Image) -> FloatMask:
        drawn = Drawn(crop, soft(crop), points, head, known=True, plan=plan())
        return watch.see(identity, time, drawn)

    first = see(1, 5.0, hairy)
    assert first.mean() > 0.1
    assert see(1, 5.0 + 0.9 * INTERVAL, image) is first
    other = see(2, 5.1, image)
    assert np.abs(other - first).max() > 0.5
    assert np.array_equal(see(1, 5.0 + 1.1 * INTERVAL, image), other)
    again = see(1, 4.0, hairy)  # another stream
    assert np.array_equal(again, first)
    watch.forget(but=[2])
    assert np.array_equal(see(1, 4.01, image), other)
