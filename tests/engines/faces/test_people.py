"""The portraits that come with the package."""

from __future__ import annotations

import numpy as np
from PIL import Image

from engines.faces.alignment import ffhq_quad
from engines.faces.landmarker import Landmarker
from engines.faces.people import PEOPLE_FOLDER, people
from tests.pictures import read_rgb


def test_eight_pictures_of_512_pixels_come_with_the_package() -> None:
    assert [path.name for path in people()] == [f"{i:02d}.webp" for i in range(1, 9)]
    for path in people():
        with Image.open(path) as picture:
            assert (picture.size, picture.mode) == ((512, 512), "RGB")


def test_each_shows_one_face_where_an_aligned_crop_has_it() -> None:
    corners = np.array([[0, 0], [0, 512], [512, 512], [512, 0]])
    with Landmarker() as landmarker:
        for path in people():
            (face,) = landmarker.detect(read_rgb(path))
            assert np.hypot(*(ffhq_quad(face.points) - corners).T).mean() < 0.03 * 512, path.name


def test_every_picture_is_named_in_the_notice() -> None:
    notice = (PEOPLE_FOLDER / "NOTICE").read_text(encoding="utf-8")
    assert all(path.name in notice for path in people())
    assert "MIT License" in notice
