"""Contact sheets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engines.pictures import write_png
from engines.training.show.sheets import LABEL_HEIGHT, contact_sheet
from tests.engines.training.factory import smooth_pictures


def test_pictures_lie_in_rows_under_their_labels() -> None:
    cells = smooth_pictures(6, 16)
    sheet = contact_sheet([list(cells[:3]), list(cells[3:])], labels=("a", "b", "c"), gap=4)
    assert sheet.shape == (LABEL_HEIGHT + 2 * 16 + 4, 3 * 16 + 2 * 4, 3)
    assert np.array_equal(sheet[LABEL_HEIGHT : LABEL_HEIGHT + 16, 20:36], cells[1])
    assert np.array_equal(sheet[-16:, :16], cells[3])
    assert (sheet[:, 16:20] == 255).all()
    assert (sheet[:LABEL_HEIGHT] < 128).any()


def test_pictures_of_all_sizes_are_scaled_to_one() -> None:
    rows = [[smooth_pictures(1, 8)[0], smooth_pictures(1, 64)[0]]]
    assert contact_sheet(rows, side=32).shape == (32, 66, 3)
    assert contact_sheet(rows).shape == (8, 18, 3)


def test_colours_are_kept_in_files(tmp_path: Path) -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    write_png(tmp_path / "new" / "red.png", red)
    assert np.array_equal(cv2.imread(str(tmp_path / "new" / "red.png"))[..., ::-1], red)
