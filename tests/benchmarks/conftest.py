"""One person whose landmarks are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.quality.portraits import FULL, Portrait
from engines.faces.alignment import crop_transform, extract_crop, invert, transform_points
from engines.faces.landmarker import Landmarker
from realtime.sources.sitters import portrait as demo_portrait

SIDE = 256


@pytest.fixture(scope="module")
def landmarker() -> Iterator[Landmarker]:
    with Landmarker() as found:
        yield found


@pytest.fixture(scope="module")
def person(landmarker: Landmarker) -> Portrait:
    picture = np.ascontiguousarray(demo_portrait()[:, :, ::-1])
    points = landmarker.detect(picture)[0].points
    transform = crop_transform(points, FULL)
    crop = extract_crop(picture, transform, FULL)
    return Portrait("demo", crop, transform_points(points, invert(transform)))
