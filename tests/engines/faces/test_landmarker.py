from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

from engines.faces.alignment import LEFT_EYE, RIGHT_EYE, ffhq_quad
from engines.faces.landmarker import (
    FaceLandmarks,
    Landmarker,
    LandmarkerError,
    largest_face,
    pose_angles,
)
from engines.pictures import Image
from tests.pictures import read_rgb

PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return read_rgb(PORTRAIT)


@pytest.fixture(scope="module")
def landmarker() -> Iterator[Landmarker]:
    with Landmarker(max_faces=2) as landmarker:
        yield landmarker


def test_a_portrait_has_one_face_in_its_place(landmarker: Landmarker, portrait: Image) -> None:
    (face,) = landmarker.detect(portrait)
    assert face.points.shape == (478, 3)
    assert face.points.dtype == np.float32
    assert face.blendshapes is not None
    assert face.blendshapes.shape == (52,)
    assert 0 <= face.blendshapes.min() <= face.blendshapes.max() <= 1
    # the dark pupils are seen where the eyes are said to be
    for eye, iris in ((LEFT_EYE, 468), (RIGHT_EYE, 473)):
        centre = face.points[list(eye), :2].mean(0)
        assert np.hypot(*(face.points[iris, :2] - centre)) < 8
    quad = ffhq_quad(face.points)
    assert 280 < np.hypot(*(quad[3] - quad[0])) < 380
    assert face.angles is not None
    yaw, pitch, roll = face.angles
    assert max(abs(yaw), abs(pitch), abs(roll)) < 12


def test_angles_have_the_signs_they_are_said_to_have(
    landmarker: Landmarker, portrait: Image
) -> None:
    def angles(picture: np.ndarray) -> tuple[float, float, float]:
        found = landmarker.detect(np.ascontiguousarray(picture))[0].angles
        assert found is not None
        return found

    spin = cv2.getRotationMatrix2D((256, 300), -20, 1)  # OpenCV's positive is anticlockwise
    turned = cv2.warpAffine(portrait, spin, (512, 600), borderMode=cv2.BORDER_REPLICATE)
    assert angles(turned)[2] - angles(portrait)[2] == pytest.approx(20, abs=4)
    assert angles(portrait[:, ::-1])[0] == pytest.approx(-angles(portrait)[0], abs=2.5)


@pytest.mark.parametrize(
    ("direction", "expected"), [((0.5, 0, 0.866), (30, 0)), ((0, -0.5, 0.866), (0, 30))]
)
def test_pose_angles_follow_the_nose(direction: tuple, expected: tuple) -> None:
    nose = np.array(direction)
    up = np.array([0, 1, 0]) - nose * nose[1]
    up /= np.linalg.norm(up)
    pose = np.eye(4)
    pose[:3, :3] = 10 * np.stack([np.cross(up, nose), up, nose], axis=1)
    assert np.allclose(pose_angles(pose), (*expected, 0), atol=0.1)


def test_an_empty_picture_has_no_face(landmarker: Landmarker) -> None:
    assert landmarker.detect(np.full((120, 160, 3), 90, np.uint8)) == []


def test_video_mode_follows_and_wants_rising_time(portrait: Image) -> None:
    with Landmarker("video", blendshapes=False) as video:
        first = video.detect(portrait, 0)[0]
        second = video.detect(portrait, 33)[0]
        assert first.blendshapes is None
        assert np.abs(first.points - second.points)[:, :2].mean() < 1.5
        with pytest.raises(LandmarkerError, match="timestamp above 33"):
            video.detect(portrait, 33)
    with pytest.raises(LandmarkerError, match="closed"):
        video.detect(portrait, 66)


@pytest.mark.parametrize(
    "bad", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(landmarker: Landmarker, bad: np.ndarray) -> None:
    with pytest.raises(LandmarkerError, match="Expected an RGB picture"):
        landmarker.detect(bad)


def test_bad_options_are_refused() -> None:
    with pytest.raises(LandmarkerError, match="'image' or 'video'"):
        Landmarker("live")  # type: ignore[arg-type]
    with pytest.raises(LandmarkerError, match="max_faces"):
        Landmarker(max_faces=0)


def test_a_landmarker_left_open_ends_quietly() -> None:
    """MediaPipe's own objects print a traceback when the interpreter ends before their close."""
    program = "from engines.faces.landmarker import Landmarker; kept = Landmarker()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "INFO" not in done.stderr


def test_importing_is_light() -> None:
    program = "import sys, engines.faces.landmarker; assert 'mediapipe' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_largest_face_is_the_one_of_the_largest_area() -> None:
    def face(width: float, height: float) -> FaceLandmarks:
        points = np.zeros((478, 3), np.float32)
        points[0] = (width, height, 500)  # depth does not count
        return FaceLandmarks(points)

    wide, tall, small = face(50, 20), face(40, 60), face(10, 10)
    assert largest_face([wide, tall, small]) is tall
    assert largest_face([]) is None


def test_a_home_that_cannot_be_written_is_no_matter(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file")
    code = "from engines.faces.landmarker import Landmarker; Landmarker().close()"
    kept = {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "atplotlib" not in done.stderr
