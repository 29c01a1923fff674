from __future__ import annotations

import cv2
import numpy as np

from realtime.compositing import GRID
from realtime.toons.heads import Heads
from realtime.toons.pasting import Landed, paste
from tests.realtime.toons.test_pasting import place


def test_a_nearer_toon_s_wall_hides_the_head_behind_it() -> None:
    heads = Heads((40, 60))
    transform = place(0.25, 30, 20)
    full, none = (np.full((GRID, GRID), value, np.float32) for value in (1, 0))
    heads.add(Landed(20, 8, np.full((20, 20), 255, np.uint8)), transform, lambda: full)
    assert (heads.picture()[8:28, 20:40] == 255).all()
    assert heads.picture().sum() == 255 * 400
    over = Heads((40, 60))
    over.add(Landed(20, 8, np.full((20, 20), 255, np.uint8)), transform, lambda: full)
    over.add(Landed(30, 8, np.full((20, 10), 255, np.uint8)), transform, lambda: none)
    over.add(None, transform, lambda: full)
    assert (over.picture()[8:28, 20:30] == 255).all()
    assert over.picture().sum() == 255 * 200


def test_a_head_is_where_its_toon_was_pasted() -> None:
    frame, alpha = np.zeros((300, 400, 3), np.uint8), np.zeros((300, 400), np.uint8)
    share = np.zeros((GRID, GRID), np.float32)
    share[40:80, 50:70] = 1
    share = cv2.GaussianBlur(share, (0, 0), 3).astype(np.float32)
    transform = place(1.0, 210.4, 140.7, 10)
    toon = np.dstack([np.rint(255 * share).astype(np.uint8)] * 3)
    landed = paste(frame, alpha, toon, np.ones((GRID, GRID), np.float32), transform)
    heads = Heads((300, 400))
    heads.add(landed, transform, lambda: share)
    assert np.abs(heads.picture().astype(int) - frame[..., 0]).max() <= 2
