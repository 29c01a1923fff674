"""The lines of photos, drawn as strongly as a style draws them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from engines.errors import ToonifyError
from engines.faces.head import FACE_OVAL
from engines.pictures import Image
from engines.training.own.lines import FLATTENING, Lines, bands, lines_of
from engines.training.own.palette import filled, lab
from engines.training.own.shape import Floats
from engines.training.pairs.sampler import to_tensor
from tests.engines.training.factory import small_people

SIDE = 128


@pytest.fixture(scope="module")
def people(small_portraits: Image, measured_faces: dict[str, Floats]) -> tuple[Image, Floats]:
    return small_people(small_portraits, measured_faces, 8, SIDE)


@pytest.fixture(scope="module")
def painted(people: tuple[Image, Floats]) -> Image:
    """The same people in few flat colours with hard edges."""
    return np.stack([cv2.medianBlur(photo // 48 * 48 + 24, 5) for photo in people[0]])


def light_of(picture: Image) -> torch.Tensor:
    return lab(to_tensor([picture]))[:, :1]


def test_bands_add_up_to_the_light(people: tuple[Image, Floats]) -> None:
    light = light_of(people[0][0])
    steps, left = bands(light)
    assert len(steps) == 4
    assert torch.allclose(torch.stack(steps).sum(0) + left, light, atol=1e-3)
    assert left.std() < light.std()


def test_a_style_of_photos_changes_no_step(people: tuple[Image, Floats]) -> None:
    lines = lines_of(people, people)
    assert lines.flattening == (0, 0)
    photo = people[0][3]
    assert all(np.array_equal(flat, photo) for flat in lines.flattened(photo))
    light, face = light_of(photo), filled([FACE_OVAL], people[1][3], SIDE)[None, None]
    for step, band in zip(lines.steps(light, face), bands(light)[0], strict=True):
        assert torch.allclose(step, band, atol=1e-3)


def test_photos_become_as_flat_as_the_style_and_their_edges_as_hard(
    people: tuple[Image, Floats], painted: Image
) -> None:
    points = people[1]
    photos = np.stack([cv2.GaussianBlur(photo, (0, 0), 1) for photo in people[0]])
    lines = lines_of((photos, points), (painted, points))
    assert min(lines.flattening) > 0
    for place in range(2):
        found: dict[str, list[Floats]] = {"photo": [], "drawn": [], "style": []}
        for photo, picture, marks in zip(photos, painted, points, strict=True):
            face = filled([FACE_OVAL], marks, SIDE)
            where = face > 0 if place == 0 else face == 0
            flat = light_of(lines.flattened(photo)[place])
            drawn = lines.steps(flat, torch.full_like(flat, 1 - place))[0]
            found["drawn"].append(drawn[0, 0, where].abs().numpy())
            for name, plain in (("photo", photo), ("style", picture)):
                found[name].append(bands(light_of(plain))[0][0][0, 0, where].abs().numpy())
        ranks = {name: np.quantile(np.concatenate(f), (0.5, 0.99)) for name, f in found.items()}
        assert ranks["drawn"][0] == pytest.approx(ranks["style"][0], rel=0.3, abs=0.05)
        assert ranks["drawn"][1] == pytest.approx(ranks["style"][1], rel=0.1)
        assert ranks["style"][1] > 1.2 * ranks["photo"][1]


def test_a_dim_style_is_not_a_flat_one(people: tuple[Image, Floats]) -> None:
    photos, points = people
    dim = (photos * 0.6 + 20).astype(np.uint8)
    lines = lines_of(people, (dim, points))
    assert max(lines.flattening) <= 0.001
    light = light_of(photos[2])
    face = filled([FACE_OVAL], points[2], SIDE)[None, None]
    drawn, wanted = lines.steps(light, face)[0], bands(light_of(dim[2]))[0][0]
    assert (drawn - wanted).abs().mean() < 0.3 * (bands(light)[0][0] - wanted).abs().mean()


def test_places_have_strengths_of_their_own(people: tuple[Image, Floats]) -> None:
    ranks = np.linspace(0, 30, 257, dtype=np.float32)
    mine = np.broadcast_to(ranks, (2, 4, 257))
    lines = Lines((0.0, 0.0), mine, np.stack([0 * mine[0], 2 * mine[1]]))
    light = light_of(people[0][0])
    assert all(step.abs().max() == 0 for step in lines.steps(light, torch.ones_like(light)))
    for step, band in zip(
        lines.steps(light, torch.zeros_like(light)), bands(light)[0], strict=True
    ):
        assert torch.allclose(step, 2 * band, atol=1e-3)


def test_another_opencv_is_told(
    people: tuple[Image, Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cv2, "ximgproc")
    with pytest.raises(ToonifyError, match="opencv-contrib-python"):
        lines_of(people, people)


def test_the_top_of_a_picture_does_not_know_its_bottom() -> None:
    """The filter treats a picture as a tile that repeats; flattening must not show that."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[32:] = 255
    lines = Lines((max(FLATTENING),) * 2, *np.zeros((2, 2, 4, 257), np.float32))
    flat = lines.flattened(picture)[0]
    assert np.abs(flat[[0, -1]].astype(int) - picture[[0, -1]]).max() <= 2
