"""Folders of portraits are checked and aligned."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.quality.portraits import FULL, Artist, code_of, load_portraits
from engines.errors import ToonifyError
from realtime.sources.sitters import portrait as demo_portrait


def test_folders_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ToonifyError, match="there is no folder"):
        load_portraits(tmp_path / "none")
    with pytest.raises(ToonifyError, match="found none"):
        load_portraits(tmp_path)
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((64, 64, 3), 99, np.uint8))
    with pytest.raises(ToonifyError, match="No face was found in any of the 1 pictures"):
        load_portraits(tmp_path)


def test_any_picture_is_aligned(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), demo_portrait())
    (found,) = load_portraits(tmp_path)
    assert found.full.shape == (FULL, FULL, 3)
    eyes = found.landmarks[[33, 263], :2].mean(axis=0)
    assert eyes == pytest.approx((FULL / 2, FULL / 2), abs=0.12 * FULL)


def test_an_unknown_look_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToonifyError, match="no look 'opera'"):
        Artist(tmp_path, "opera")


def test_other_code_asks_for_new_drawings(tmp_path: Path) -> None:
    room = tmp_path / "room" / "inner"
    room.mkdir(parents=True)
    (room / "paint.py").write_text("DEPTH = 0.2")
    (room / "notes.md").write_text("as it was")
    before = code_of(tmp_path / "room")
    (room / "notes.md").write_text("said otherwise")
    assert code_of(tmp_path / "room") == before
    (room / "paint.py").write_text("DEPTH = 0.3")
    assert code_of(tmp_path / "room") != before
