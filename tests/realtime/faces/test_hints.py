from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime.faces.hints import TOO_DARK, TOO_SMALL, TURNED_AWAY, face_hints, face_luma

GOOD: dict[str, Any] = {"side": 400.0, "yaw": 5.0, "pitch": -4.0, "luma": 120.0}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ()),
        ({"side": 100.0}, (TOO_SMALL,)),
        ({"yaw": -60.0}, (TURNED_AWAY,)),
        ({"pitch": 50.0}, (TURNED_AWAY,)),
        ({"luma": 20.0}, (TOO_DARK,)),
        ({"side": 60.0, "yaw": 70.0, "luma": 5.0}, (TOO_SMALL, TURNED_AWAY, TOO_DARK)),
    ],
)
def test_hints(change: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert face_hints(**{**GOOD, **change}) == expected


def test_a_hint_stays_until_things_are_clearly_better() -> None:
    shown: tuple[str, ...] = ()
    seen = []
    for side in (140, 127, 132, 127, 135, 150, 132):
        shown = face_hints(**{**GOOD, "side": side}, shown=shown)
        seen.append(bool(shown))
    assert seen == [False, True, True, True, True, False, False]


def test_luma_is_that_of_the_face() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    image[20:60, 30:70] = 40
    assert face_luma(image, np.array([30, 20, 70, 60])) == pytest.approx(40)
    assert face_luma(image, np.array([300, 20, 370, 60])) == 255
