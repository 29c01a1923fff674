"""Folders of pictures as aligned crops."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.faces.alignment import LEFT_EYE, MOUTH_CORNERS, RIGHT_EYE
from engines.faces.people import people
from engines.training.pairs.portraits import Crops, read_folder, read_people
from tests.engines.training.factory import smooth_pictures, tiny_pairs, write_pairs


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())


def test_aligned_pictures_are_taken_as_they_are(tmp_path: Path) -> None:
    square, wide = smooth_pictures(1, 32)[0], np.tile(smooth_pictures(1, 40, seed=1)[0], (1, 2, 1))
    write(tmp_path / "a.png", square)
    write(tmp_path / "b.png", wide)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "broken.jpg").write_bytes(b"no picture either")
    crops = read_folder(tmp_path, 32, aligned=True)
    assert crops.images.shape == (2, 32, 32, 3)
    assert np.array_equal(crops.images[0], square)
    assert crops.left_out == ("broken.jpg",)
    assert np.isnan(crops.landmarks).all()


def test_faces_are_cropped_as_ffhq_does(tmp_path: Path) -> None:
    """A face anywhere in a larger picture comes out at the same place of the crop."""
    face = cv2.imread(str(people()[0]))[..., ::-1]
    scene = np.full((700, 900, 3), 120, np.uint8)
    scene[120:520, 300:700] = cv2.resize(face, (400, 400), interpolation=cv2.INTER_AREA)
    write(tmp_path / "close.png", face)
    write(tmp_path / "far.png", scene)
    write(tmp_path / "nobody.png", smooth_pictures(1, 200)[0])
    crops = read_folder(tmp_path, 128)
    assert crops.left_out == ("nobody.png",)
    assert len(crops) == 2
    for points in crops.landmarks:
        left, right = points[list(LEFT_EYE)].mean(0), points[list(RIGHT_EYE)].mean(0)
        mouth = points[list(MOUTH_CORNERS)].mean(0)
        assert np.abs(np.array([*left, *right, *mouth]) / 128 - EXPECTED).max() < 0.06
    assert np.abs(crops.images[0].astype(int) - crops.images[1]).mean() < 12

    crops.save(tmp_path / "crops.npz")
    again = Crops.load(tmp_path / "crops.npz")
    assert np.array_equal(again.images, crops.images)
    assert np.array_equal(again.landmarks, crops.landmarks)
    assert again.left_out == crops.left_out
    pairs = again.pairs()
    assert (len(pairs), pairs.size) == (2, 128)


EXPECTED = np.array([0.38, 0.47, 0.62, 0.47, 0.50, 0.73])


def test_folders_without_faces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToonifyError, match="there is none"):
        read_folder(tmp_path / "missing", 32)
    with pytest.raises(ToonifyError, match="has none"):
        read_folder(tmp_path, 32)
    write(tmp_path / "a.png", smooth_pictures(1, 64)[0])
    with pytest.raises(ToonifyError, match=r"No face was found.*--aligned"):
        read_folder(tmp_path, 32)


def test_crops_are_kept_until_the_pictures_change(tmp_path: Path) -> None:
    folder, cache = tmp_path / "pictures", tmp_path / "crops.npz"
    for i, picture in enumerate(smooth_pictures(2, 32)):
        write(folder / f"{i}.png", picture)

    def read(size: int = 32) -> tuple[Crops, bool]:
        seen: list[Path] = []
        crops = read_folder(
            folder, size, aligned=True, cache=cache, track=lambda x: iter(seen.extend(x) or x)
        )
        return crops, bool(seen)

    first, read_them = read()
    assert read_them
    again, read_them = read()
    assert not read_them
    assert np.array_equal(again.images, first.images)
    assert read(16)[0].images.shape == (2, 16, 16, 3)
    write(folder / "2.png", smooth_pictures(1, 32, seed=5)[0])
    assert len(read()[0]) == 3
    write(folder / "2.png", smooth_pictures(1, 40, seed=6)[0])
    assert read()[1]


def test_a_prepared_folder_is_people_too(tmp_path: Path) -> None:
    write_pairs(tiny_pairs(), tmp_path)
    assert len(read_people(tmp_path, 32)) == 10
    with pytest.raises(ToonifyError, match="are 32 px, but the model takes 64 px"):
        read_people(tmp_path, 64)
