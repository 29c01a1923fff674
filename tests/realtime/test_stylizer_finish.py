"""What is done to toons before they are pasted, where style and user want it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.backends import EngineOutput
from engines.faces.features import BROW, EYE
from engines.finish import Finish
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.settings import CompositingSettings
from realtime.stylizer import Stylizer
from realtime.toons import detail
from tests.realtime.drawers import Inverter, Planner

RAW = CompositingSettings(colour=0)


@pytest.mark.parametrize("wanted", [True, False])
def test_eyes_are_painted_where_the_style_and_the_user_want_it(
    scene: tuple[Frame, list[TrackedFace]], wanted: bool
) -> None:
    class Artist(Inverter):
        def run(self, crops: np.ndarray) -> EngineOutput:
            still = np.zeros((len(crops), 3, 16, 16), np.float32)
            return EngineOutput(crops.copy(), None, still, Finish(painted_eyes=wanted))

    frame, faces = scene
    eyes = np.zeros(frame.image.shape[:2], np.uint8)
    for ids in EYE:
        cv2.fillPoly(eyes, [np.round(faces[0].landmarks[ids, :2]).astype(np.int32)], 255)
    inside = cv2.dilate(eyes, np.ones((9, 9), np.uint8)) > 0

    def drawn(paint_eyes: bool = True) -> np.ndarray:
        stylizer = Stylizer(Artist(), CompositingSettings(colour=0, paint_eyes=paint_eyes))
        return stylizer.apply(frame, faces[:1]).image.astype(int)

    changed = np.abs(drawn() - drawn(paint_eyes=False)).max(-1) > 3
    assert changed[inside].any() == wanted
    assert not changed[~cv2.dilate(eyes, np.ones((29, 29), np.uint8)).astype(bool)].any()


def test_a_head_takes_less_of_the_frames_detail(
    scene: tuple[Frame, list[TrackedFace]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (frame, faces), drawn = scene, []
    x, y = np.floor(faces[0].landmarks[4, :2]).astype(int)
    for brushed in (0.0, detail.BRUSHED, 1.0):
        monkeypatch.setattr(detail, "BRUSHED", brushed)
        toon = Stylizer(Planner(), RAW).apply(frame, faces[:1]).image
        drawn.append(toon[y - 40 : y + 40, x - 40 : x + 40].astype(int))
    assert 0.3 < np.abs(drawn[1] - drawn[2]).sum() / np.abs(drawn[0] - drawn[2]).sum() < 0.5


def test_a_toon_takes_detail_for_the_crop_of_the_engine_that_drew_it(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    class Larger(Inverter):
        input_size = output_size = 512

    frame, faces = scene
    stylizer = Stylizer(Planner(), RAW)
    drawing = stylizer.draw(frame, faces[:1])
    stylizer.engine = Larger()  # in whose crop there is nothing finer to find
    moved = drawing.move(frame, faces[:1])
    assert np.array_equal(moved.image, Stylizer(Planner(), RAW).apply(frame, faces[:1]).image)
    assert not np.array_equal(moved.image, Stylizer(Inverter(), RAW).apply(frame, faces[:1]).image)


def test_light_is_followed_slowly_and_without_flicker(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    frame, faces = scene
    stylizer = Stylizer(Inverter(), CompositingSettings(colour=1.0, memory=1.0))
    x, y = np.floor(faces[0].landmarks[4, :2]).astype(int)
    spot = np.s_[y - 40 : y + 40, x - 40 : x + 40]

    def red(k: int, gain: float) -> float:
        """Red of the toon relative to the scene's, after a frame whose light flickers by `gain`."""
        lit = cv2.convertScaleAbs(frame.image, alpha=gain).astype(np.uint8, copy=False)
        done = stylizer.apply(Frame(lit, k / 30, k), faces[:1])
        return float(done.image[spot][..., 2].mean())

    assert np.ptp([red(k, 1.0) for k in range(8)]) < 0.2
    first = red(8, 0.6)
    later = [red(k, 0.6) for k in range(9, 200, 10)]
    assert np.abs(np.diff([first, *later])).max() < 0.5 * abs(later[-1] - first)
    stylizer.reset()
    assert abs(red(200, 0.6) - later[-1]) < 1
    assert abs(red(201, 0.6) - first) > 10


def test_brows_get_hairs_where_the_style_wants_it(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    class Soft(Inverter):
        """Draws the photo softly and takes no detail of it."""

        input_size = output_size = 256

        def __init__(self, finish: Finish) -> None:
            super().__init__()
            self.finish = finish

        def run(self, crops: np.ndarray) -> EngineOutput:
            still = np.zeros((len(crops), 3, 64, 64), np.float32)
            soft = np.stack([cv2.GaussianBlur(crop, (0, 0), 2) for crop in crops])
            return EngineOutput(soft, None, still, self.finish)

    frame, faces = scene

    def drawn(finish: Finish, ink: bool = True) -> np.ndarray:
        settings = CompositingSettings(colour=0, ink=ink)
        return Stylizer(Soft(finish), settings).apply(frame, faces[:1]).image.astype(int)

    changed = np.abs(drawn(Finish(haired_brows=True)) - drawn(Finish())).max(-1) > 3
    brows = np.zeros(changed.shape, np.uint8)
    for ids in BROW:
        cv2.fillPoly(brows, [np.round(faces[0].landmarks[ids, :2]).astype(np.int32)], 255)
    assert changed[brows > 0].mean() > 0.1
    assert not changed[cv2.dilate(brows, np.ones((29, 29), np.uint8)) == 0].any()
    lines, both = Finish(inked=True), Finish(inked=True, haired_brows=True)
    assert np.array_equal(drawn(both), drawn(lines))  # ink is drawn over brows
    assert not np.array_equal(drawn(both, ink=False), drawn(lines, ink=False))


def test_a_toon_is_reshaped_where_style_and_user_want_it(
    scene: tuple[Frame, list[TrackedFace]],
) -> None:
    class Still(Inverter):
        """Draws the photo."""

        def __init__(self, finish: Finish) -> None:
            super().__init__()
            self.finish = finish

        def run(self, crops: np.ndarray) -> EngineOutput:
            still = np.zeros((len(crops), 3, 16, 16), np.float32)
            return EngineOutput(crops.copy(), None, still, self.finish)

    frame, faces = scene

    def drawn(style: bool, user: bool, eyes: float = 1.0) -> np.ndarray:
        settings = CompositingSettings(colour=0, reshape=user, eyes=eyes)
        return Stylizer(Still(Finish(reshaped=style)), settings).apply(frame, faces[:1]).image

    plain = drawn(False, True)
    assert np.array_equal(drawn(True, False), plain)
    assert not np.array_equal(drawn(True, True), plain)
    assert not np.array_equal(drawn(False, False, eyes=1.2), plain)
