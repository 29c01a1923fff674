"""The colours of lips over time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.faces.head import LIPS
from realtime.frame import as_uint8
from realtime.toons.finish.colour import as_lab
from realtime.toons.mouth.lips import LEAST, LipWatch, lips_in
from tests.realtime.toons.mouth.drawings import SIDE, SKIN, filled, landmarks, toon

PALE, RED = (140, 145, 205), (95, 90, 190)  # BGR


def test_each_lip_is_told_apart_from_skin_and_from_the_other_one() -> None:
    photo, points = toon(0.03, lip=PALE), landmarks(0.03)
    filled(photo, points[[*LIPS[10:], LIPS[0]]], RED)
    found = lips_in(photo, points)
    assert found is not None
    skin, pale, red = as_lab(np.array([[SKIN, PALE, RED]], np.uint8))[0]
    assert found.lower == pytest.approx(np.clip(pale - skin, LEAST, 99), abs=1.5)
    assert found.upper == pytest.approx(np.clip(red - skin, LEAST, 99), abs=1.5)


def test_lips_too_small_or_outside_the_picture_have_no_colour() -> None:
    tiny = as_uint8(cv2.resize(toon(), (24, 24), interpolation=cv2.INTER_AREA))
    assert lips_in(tiny, landmarks()) is None
    assert lips_in(toon(), landmarks() + np.float32(2)) is None


def test_a_shadow_that_passes_hardly_changes_what_is_known() -> None:
    watch, points = LipWatch(), landmarks()
    known = watch.see(1, 0.0, toon(lip=PALE), points)
    assert known is not None
    dark = toon(lip=(60, 50, 90))
    assert watch.see(1, 0.1, dark, points) is known  # it is not looked at yet
    soon, later = watch.see(1, 0.5, dark, points), watch.see(1, 20.0, dark, points)
    assert soon is not None
    assert later is not None
    seen = lips_in(dark, points)
    assert seen is not None
    whole = float(np.abs(seen.lower - known.lower).max())
    assert 0 < np.abs(soon.lower - known.lower).max() < 0.35 * whole
    assert later.lower == pytest.approx(seen.lower, abs=0.1 * whole)


def test_everybody_has_their_own_and_who_is_forgotten_begins_anew() -> None:
    watch, points = LipWatch(), landmarks()
    pale, red = (watch.see(i, 0.0, toon(lip=lip), points) for i, lip in enumerate((PALE, RED)))
    assert pale is not None
    assert red is not None
    assert red.lower[1] > pale.lower[1] + 5
    tiny = as_uint8(cv2.resize(toon(), (24, 24), interpolation=cv2.INTER_AREA))
    assert watch.see(0, 1.0, tiny, points) is pale  # far away they are still known
    watch.forget(but=[1])
    assert watch.see(0, 2.0, tiny, points) is None
    assert watch.see(1, 2.0, tiny, points) is red


def test_lips_lit_from_aside_are_uneven() -> None:
    points = landmarks()
    plain = lips_in(toon(), points)
    assert plain is not None
    assert plain.uneven == 0
    lit, shade = toon(), np.linspace(1.25, 0.65, SIDE)[None, :, None]
    seen = lips_in(np.clip(lit * shade, 0, 255).astype(np.uint8), points)
    assert seen is not None
    half = toon()
    half[:, : SIDE // 2] = half[:, : SIDE // 2] * 0.5
    hard = lips_in(half, points)
    assert hard is not None
    assert 0 <= seen.uneven < hard.uneven == 1
    watch = LipWatch()
    watch.see(1, 0.0, toon(), points)
    soon = watch.see(1, 0.5, half, points)
    assert soon is not None
    assert 0 < soon.uneven < 0.4
