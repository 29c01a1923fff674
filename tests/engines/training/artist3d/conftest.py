from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

from engines.faces.alignment import crop_transform, extract_crop
from engines.faces.landmarker import Landmarker
from engines.faces.person import PersonSegmenter
from engines.training.artist3d.head.rig import FOLDER_VARIABLE, Rig, load_rig
from engines.training.artist3d.observe.traits import About
from tests.conftest import SHARED

SIZE = 256
PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
ABOUT = About(age=70.0, male=0.0, glasses=1.0, beard=0.0, tone=71.0)


@dataclass(frozen=True)
class Portrait:
    rgb: np.ndarray  # uint8 [SIZE, SIZE, 3]
    landmarks: np.ndarray  # float64 [478, 3]
    blendshapes: dict[str, float]
    person: np.ndarray  # float32 [SIZE, SIZE]


@pytest.fixture(scope="session")
def rig_folder() -> Path:
    folder = Path(os.environ.get(FOLDER_VARIABLE) or SHARED / "data" / "rig")
    if not (folder / "rig.npz").is_file():
        pytest.skip(f"the head model is not in {folder}; set {FOLDER_VARIABLE} to its folder")
    return folder


@pytest.fixture(scope="session")
def rig(rig_folder: Path) -> Rig:
    return load_rig(rig_folder)


@pytest.fixture(scope="session")
def landmarker():
    with Landmarker() as landmarker:
        yield landmarker


@pytest.fixture(scope="session")
def portrait(landmarker: Landmarker) -> Portrait:
    photo = cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB)
    (face,) = landmarker.detect(photo)
    rgb = extract_crop(photo, crop_transform(face.points, SIZE), SIZE)
    (face,) = landmarker.detect(rgb)
    with PersonSegmenter() as segmenter:
        person = segmenter.segment(rgb)
    return Portrait(rgb, face.points.astype(np.float64), {}, person)
