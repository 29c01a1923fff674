from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from engines.faces.person import (
    METADATA_NAME,
    MODEL_PATH,
    PersonSegmenter,
    PersonSegmenterError,
    with_normalization,
)
from engines.pictures import Image
from tests.pictures import read_rgb

PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="module")
def segmenter() -> Iterator[PersonSegmenter]:
    with PersonSegmenter() as segmenter:
        yield segmenter


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return read_rgb(PORTRAIT)


def test_the_person_is_inside_and_the_wall_outside(
    segmenter: PersonSegmenter, portrait: Image
) -> None:
    mask = segmenter.segment(portrait)
    assert mask.shape == portrait.shape[:2]
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    assert mask[120:260, 200:320].mean() > 0.95  # the face
    assert mask[:60, :60].mean() < 0.1
    assert 0.3 < mask.mean() < 0.9


def test_a_mask_depends_on_its_picture_alone(segmenter: PersonSegmenter, portrait: Image) -> None:
    first = segmenter.segment(portrait)
    empty = segmenter.segment(np.full((128, 96, 3), 128, np.uint8))
    assert empty.shape == (128, 96)
    assert empty.mean() < 0.3
    assert np.array_equal(first, segmenter.segment(portrait))


def test_the_copy_alone_carries_metadata() -> None:
    original = MODEL_PATH.read_bytes()
    copy = with_normalization(original)
    assert METADATA_NAME.encode() not in original
    assert METADATA_NAME.encode() in copy
    assert len(copy) - len(original) < 4096


@pytest.mark.parametrize(
    "picture",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)],
)
def test_what_is_no_picture_is_refused(segmenter: PersonSegmenter, picture: Image) -> None:
    with pytest.raises(PersonSegmenterError, match="RGB picture"):
        segmenter.segment(picture)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(PersonSegmenterError, match=r"gone\.tflite"):
        PersonSegmenter(tmp_path / "gone.tflite")
