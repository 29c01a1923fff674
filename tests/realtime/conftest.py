"""A small model on disk, the flags that name it, a session with it, and two people; made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.faces.alignment import ffhq_quad, transform_points
from engines.faces.landmarker import Landmarker
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.session import Session
from realtime.settings import flags_of, load_settings
from realtime.sources.sitters import portrait
from tests.engines.factory import tiny_bundle
from tests.realtime.fakes import Messages


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a few thousand random parameters, with two styles."""
    path = tmp_path_factory.mktemp("models") / "tiny.toon"
    tiny_bundle(styles=2).save(path)
    return path


@pytest.fixture(scope="session")
def engine(model: Path) -> list[str]:
    """Flags of a command for the small model."""
    return ["--model", str(model), "--engine", "torch:cpu", "--mode", "crop"]


@pytest.fixture(scope="session")
def session(model: Path) -> Iterator[Session]:
    """Real tracker, real engine (torch), real stylizer."""
    flags = flags_of({"model": str(model), "engine": "torch:cpu", "guard": "pass", "faces": 2})
    with Session(load_settings(flags=flags), Messages()) as made:
        yield made


@pytest.fixture(scope="session")
def scene() -> tuple[Frame, list[TrackedFace]]:
    """Two portraits side by side, the right one at half the size."""
    picture = portrait()
    with Landmarker(blendshapes=False) as landmarker:
        points = landmarker.detect(np.ascontiguousarray(picture[..., ::-1]))[0].points
    image = np.full((600, 1000, 3), 128, np.uint8)
    image[:, :512] = picture
    image[200:500, 600:856] = cv2.resize(picture, (256, 300), interpolation=cv2.INTER_AREA)
    half = transform_points(points, np.array([[0.5, 0, 600], [0, 0.5, 200]]))
    faces = [
        TrackedFace(identity, face, ffhq_quad(face).astype(np.float32))
        for identity, face in ((3, points), (8, half))
    ]
    return Frame(image, 1.0, 0), faces
