from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

from engines.faces.alignment import crop_transform, extract_crop
from engines.faces.landmarker import FaceLandmarks, Landmarker
from engines.faces.people import people
from engines.faces.person import PersonSegmenter

SIZE = 256
PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@dataclass(frozen=True)
class Portrait:
    rgb: np.ndarray  # uint8 [SIZE, SIZE, 3]
    landmarks: np.ndarray  # float32 [478, 3]
    person: np.ndarray  # float32 [SIZE, SIZE]


@pytest.fixture(scope="session")
def landmarker():
    with Landmarker() as landmarker:
        yield landmarker


@pytest.fixture(scope="session")
def segmenter():
    with PersonSegmenter() as segmenter:
        yield segmenter


@pytest.fixture(scope="session")
def portrait(landmarker: Landmarker, segmenter: PersonSegmenter) -> Portrait:
    photo = cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB)
    (face,) = landmarker.detect(photo)
    rgb = extract_crop(photo, crop_transform(face.points, SIZE), SIZE)
    return Portrait(rgb, seen(landmarker, rgb).points, segmenter.segment(rgb))


def seen(landmarker: Landmarker, rgb: np.ndarray) -> FaceLandmarks:
    """The one face MediaPipe finds in a picture."""
    (face,) = landmarker.detect(rgb)
    return face


def portraits(landmarker: Landmarker) -> list[tuple[np.ndarray, np.ndarray]]:
    """The portraits that come with the package (SIZE px) and their landmarks."""
    pairs = []
    for path in people():
        rgb = np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
        points = seen(landmarker, rgb).points * (SIZE / 512)
        pairs.append((cv2.resize(rgb, (SIZE, SIZE), interpolation=cv2.INTER_AREA), points))
    return pairs
