"""Glasses, expressions, and the image operations below them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.faces.features import aperture
from engines.faces.head import Head
from engines.faces.pixels import smoothstep, to_lab
from engines.training.artist import masks
from engines.training.artist.expressions import close_eyes, open_mouth
from engines.training.artist.imaging import guided_filter, masked_blur
from engines.training.artist.pipeline import toonify
from engines.training.artist.spectacles import find_frame, trace
from tests.engines.training.artist.conftest import SIZE, seen
from tests.engines.training.factory import draw_spectacles


def lab_of(rgb: np.ndarray) -> np.ndarray:
    return to_lab(rgb.astype(np.float32) / 255)


def with_spectacles(portrait, *, dark: bool) -> np.ndarray:
    return draw_spectacles(portrait.rgb, portrait.landmarks, width=3, dark=dark)


def test_spectacles_and_sunglasses_are_told_apart(portrait) -> None:
    head = Head(portrait.landmarks)
    clear = with_spectacles(portrait, dark=False)
    assert find_frame(lab_of(clear), head).certainty > 0.9
    assert find_frame(lab_of(portrait.rgb), head).certainty < 0.1
    assert masks.sunglasses_level(lab_of(clear), portrait.landmarks) < 0.3
    assert masks.sunglasses_level(lab_of(portrait.rgb), portrait.landmarks) < 0.1
    dark = with_spectacles(portrait, dark=True)
    assert masks.sunglasses_level(lab_of(dark), portrait.landmarks) > 0.7


def test_a_spectacle_frame_is_found_where_it_is(portrait) -> None:
    head = Head(portrait.landmarks)
    bare, worn = lab_of(portrait.rgb), lab_of(with_spectacles(portrait, dark=False))
    ink = np.abs(worn - bare).max(2) > 15
    frame = find_frame(worn, head)
    assert frame.certainty > 0.9
    assert frame.mask[ink].mean() > 0.6
    around = cv2.dilate(ink.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert frame.mask[~around].mean() < 0.01
    without = find_frame(bare, head)
    assert without.mask[ink].mean() < 0.5 * frame.mask[ink].mean()


def test_the_toon_keeps_its_spectacles(portrait) -> None:
    rgb = with_spectacles(portrait, dark=False)
    toon = toonify(rgb, portrait.landmarks, person=portrait.person)
    bare = toonify(portrait.rgb, portrait.landmarks, person=portrait.person)
    ink = np.abs(lab_of(rgb) - lab_of(portrait.rgb)).max(2) > 15
    moved = toon.warp.apply(ink.astype(np.float32)) > 0.6
    darker = lab_of(bare.image)[..., 0] - lab_of(toon.image)[..., 0]
    assert np.median(darker[moved]) > 15


def test_a_path_follows_the_line_and_closes() -> None:
    gain = np.zeros((40, 30), np.float32)
    line = np.round(15 + 6 * np.sin(np.arange(40) / 40 * 2 * np.pi)).astype(int)
    gain[np.arange(40), line] = 0.3
    gain[5, 28] = 0.9  # a dot is no line
    assert np.abs(trace(gain, closed=True) - line).max() == 0
    assert np.abs(trace(gain) - line).max() == 0


def test_lids_close_and_a_wink_closes_one(portrait, landmarker) -> None:
    rgb, landmarks = close_eyes(portrait.rgb, portrait.landmarks)
    assert max(aperture(landmarks)) < 0.4 * min(aperture(portrait.landmarks))
    before, after = (seen(landmarker, image).blendshapes[[9, 10]] for image in (portrait.rgb, rgb))
    assert (after > before + 0.12).all()
    assert np.array_equal(rgb[: SIZE // 4], portrait.rgb[: SIZE // 4])
    _, landmarks = close_eyes(portrait.rgb, portrait.landmarks, (1.0, 0.0))
    left, right = aperture(landmarks)
    assert left < 0.4 * right
    assert right == pytest.approx(aperture(portrait.landmarks)[1], rel=1e-3)


def test_the_jaw_drops_by_what_was_asked(portrait, landmarker) -> None:
    unit = Head(portrait.landmarks).unit
    rgb, landmarks = open_mouth(portrait.rgb, portrait.landmarks, 0.3)

    def gap(points: np.ndarray) -> float:
        return float(np.linalg.norm(points[13, :2] - points[14, :2])) / unit

    assert gap(landmarks) - gap(portrait.landmarks) == pytest.approx(0.3, abs=0.03)
    before, after = (seen(landmarker, image) for image in (portrait.rgb, rgb))
    assert after.blendshapes[25] > before.blendshapes[25] + 0.2  # jawOpen
    assert gap(after.points) > gap(before.points) + 0.15


def test_guided_filter_keeps_edges_and_flattens_grain() -> None:
    step = np.zeros((64, 64), np.float32)
    step[:, 32:] = 1
    noisy = step + np.random.default_rng(0).normal(0, 0.03, step.shape).astype(np.float32)
    smooth = guided_filter(noisy, noisy, 4, 0.01)
    assert smooth[:, :24].std() < 0.5 * noisy[:, :24].std()
    assert smooth[:, 33].mean() - smooth[:, 30].mean() > 0.85


def test_masked_blur_ignores_what_is_outside() -> None:
    image = np.full((48, 48), 0.25, np.float32)
    mask = np.zeros_like(image)
    mask[:, :24] = 1
    image[:, 24:] = 9
    assert np.abs(masked_blur(image, mask, 4.0)[:, :20] - 0.25).max() < 0.02


def test_smoothstep_rises_and_falls() -> None:
    assert smoothstep(0, 1, np.array([-1, 0.5, 2])).tolist() == [0, 0.5, 1]
    assert smoothstep(1, 0, np.array([-1, 2])).tolist() == [1, 0]
