from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.pictures import Image
from realtime.compositing import GRID, border_fade, head_guess, oval_mask, toon_mask
from realtime.settings import MODES, CompositingSettings, Mode
from tests.realtime.shapes import head_of_toon, oval_face


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("head", [None, head_of_toon()], ids=["guess", "network"])
def test_masks_hide_the_whole_face_and_have_no_square_edge(mode: Mode, head: Image | None) -> None:
    face = oval_face()
    mask = toon_mask(mode, face, head)
    assert mask.shape == (GRID, GRID)
    assert 0 <= mask.min() <= mask.max() <= 1 + 1e-6
    columns, rows = np.floor(face * GRID).astype(int).T
    assert mask[rows, columns].min() > 0.98
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert border.max() < 0.02
    steps = max(np.abs(np.diff(mask, axis=0)).max(), np.abs(np.diff(mask, axis=1)).max())
    assert steps < 0.35


def test_modes_take_more_and_more() -> None:
    areas = [
        toon_mask(mode, oval_face(), head_of_toon()).sum() for mode in ("face", "head", "crop")
    ]
    assert areas[0] * 1.15 < areas[1] < areas[2]


def test_head_mask_takes_in_toon_and_photo() -> None:
    narrow = np.zeros((256, 256), np.uint8)
    cv2.ellipse(narrow, (128, 90), (60, 75), 0, 0, 360, 255, cv2.FILLED)
    mask = toon_mask("head", oval_face(), narrow)
    photo, toon = oval_mask(oval_face(), 0, 0.01), narrow[::2, ::2] > 200
    assert mask[photo > 0.9].min() > 0.98
    assert mask[toon].min() > 0.9


def test_a_profile_is_inside_its_mask() -> None:
    face = oval_face()
    face[4] = (0.18, 0.6)  # the nose beyond the outline
    column, row = np.floor(face[4] * GRID).astype(int)
    assert toon_mask("face", face, None)[row, column] > 0.9


def test_a_guessed_head_is_bounded() -> None:
    guess = head_guess(oval_face())
    assert guess[:, : int(0.12 * GRID)].max() < 0.05
    assert guess[int(0.97 * GRID) :].max() < 0.05  # not the body
    assert guess[GRID // 2, GRID // 2] > 0.95


def test_border_fade_is_shared_and_read_only() -> None:
    assert border_fade(GRID, 0.1) is border_fade(GRID, 0.1)
    with pytest.raises(ValueError, match="read-only"):
        border_fade(GRID, 0.1)[0, 0] = 1


@pytest.mark.parametrize(
    "bad", [{"mode": "body"}, {"strength": 1.5}, {"colour": -0.1}, {"memory": -1.0}]
)
def test_impossible_settings_are_refused(bad: dict) -> None:
    with pytest.raises(ToonifyError, match=f"compositing.{next(iter(bad))}"):
        CompositingSettings(**bad)
