from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.slate import blurred, fit_mask, load_slate
from realtime.sources import SourceError
from tests.realtime.fakes import marked, raw_pixels


@pytest.mark.parametrize("scale", [1, 2])
def test_blur_leaves_patches_whatever_the_size_of_the_face(scale: int) -> None:
    size = (320 * scale, 240 * scale)
    image = marked(size, [(0, 0, *size)])
    soft = blurred(image, size)
    assert soft.shape == image.shape
    assert raw_pixels(soft) == 0
    assert np.abs(np.diff(soft.astype(int), axis=1)).max() < 12


def test_the_slate_is_drawn_or_the_user_s_own(tmp_path: Path) -> None:
    drawn = load_slate(None, (160, 90))
    assert (drawn.shape, drawn.dtype) == ((90, 160, 3), np.uint8)
    assert np.ptp(drawn) > 50
    own = np.full((30, 40, 3), (10, 20, 30), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), own)
    assert np.array_equal(load_slate(str(tmp_path / "a.png"), (160, 90)), own)
    with pytest.raises(SourceError, match="There is no picture"):
        load_slate(str(tmp_path / "b.png"), (160, 90))


def test_a_mask_is_fitted_as_its_picture_is() -> None:
    fitted = fit_mask(np.full((100, 100), 255, np.uint8), (320, 180))
    assert (fitted[:, 70:250] == 255).all()
    assert not fitted[:, :70].any()
    assert not fitted[:, 250:].any()
