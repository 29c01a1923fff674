"""The pairs that an own style is learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.errors import ToonifyError
from engines.faces.features import LOWER_LID, UPPER_LID
from engines.training.learn.runs import Deadline
from engines.training.own.exemplars import openings
from engines.training.own.pairs import StylePictures, draw_people, style_of
from engines.training.own.shape import FEWEST_FACES, Floats, in_sides
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.portraits import Crops
from tests.engines.training.factory import Image, small_people

SIDE = 64
DUSK = np.array([0.4, 0.5, 0.8])
CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def few_pictures_tell_the_lines() -> Iterator[None]:
    """Measuring lines takes most of the time; eight pictures are enough here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engines.training.own.lines.TRIED", 8)
        yield


@pytest.fixture(scope="module")
def crops(small_portraits: Image, measured_faces: dict[str, Floats]) -> Crops:
    images, points = small_people(small_portraits, measured_faces, 24, SIDE)
    return Crops(images, points * SIDE)


@pytest.fixture(scope="module")
def people(crops: Crops) -> PairSet:
    return crops.pairs()


@pytest.fixture(scope="module")
def style(crops: Crops, people: PairSet) -> StylePictures:
    """These very people, at dusk."""
    return style_of(replace(crops, images=(crops.images * DUSK).astype(np.uint8)), people)


@pytest.fixture(scope="module")
def drawn(
    people: PairSet, style: StylePictures, tmp_path_factory: pytest.TempPathFactory
) -> tuple[PairSet, list[tuple[str, int, int]]]:
    """Four people drawn, and what was told meanwhile."""
    told: list[tuple[str, int, int]] = []
    folder = tmp_path_factory.mktemp("drawn")
    pairs = draw_people(
        people, style, folder, 4, CPU, Deadline(), progress=lambda *now: told.append(now)
    )
    assert pairs is not None
    return pairs, told


def test_pairs_are_people_and_their_drawings(
    people: PairSet, drawn: tuple[PairSet, list[tuple[str, int, int]]]
) -> None:
    pairs, told = drawn
    assert len(pairs) == 8
    assert told == [("drawing", done, 4) for done in range(5)]
    assert pairs.weight.sum() == pytest.approx(1)
    chosen = np.linspace(0, 23, 4).astype(int)
    for row, person in enumerate(chosen):
        assert np.array_equal(pairs.photo[2 * row], people.photo[person])
        assert pairs.landmarks[2 * row] == pytest.approx(people.landmarks[person], abs=1e-3)
        wanted = people.photo * DUSK
        away = np.abs(pairs.toon[2 * row] - wanted).mean((1, 2, 3))
        assert away.argmin() == person
        assert away[person] < 10


def test_every_second_pair_shuts_the_eyes_or_opens_the_mouth(
    drawn: tuple[PairSet, list[tuple[str, int, int]]],
) -> None:
    pairs, _ = drawn
    for row in range(4):
        before, after = openings(in_sides(pairs)[2 * row : 2 * row + 2])
        if row % 2:
            assert after[:2].max() < 0.12 < before[:2].min()
        else:
            assert after[2] > before[2] + 0.1
        for pictures in (pairs.photo, pairs.toon):
            plain, changed = pictures[2 * row : 2 * row + 2].astype(float)
            where = slice(20, 36) if row % 2 else slice(36, 60)
            assert np.abs(plain - changed)[where].max() > 20
            assert np.abs(plain - changed)[:8].max() == 0


def test_a_run_that_was_stopped_goes_on(
    people: PairSet,
    style: StylePictures,
    drawn: tuple[PairSet, list[tuple[str, int, int]]],
    tmp_path: Path,
) -> None:
    whole, _ = drawn
    deadline = Deadline()

    def stop(phase: str, done: int, total: int) -> None:
        if done == 2:
            deadline.interrupted.set()

    half = draw_people(people, style, tmp_path, 4, CPU, deadline, progress=stop)
    assert half is None
    seen: list[int] = []
    again = draw_people(
        *(people, style, tmp_path, 4, CPU, Deadline()),
        progress=lambda phase, done, total: seen.append(done),
    )
    assert seen == [3, 4]
    assert again is not None
    for name in ("photo", "toon", "landmarks", "warp", "weight"):
        assert np.array_equal(getattr(whole, name), getattr(again, name)), name


def test_shut_eyes_and_strange_poses_are_not_learned(
    people: PairSet, style: StylePictures, tmp_path: Path
) -> None:
    points = people.landmarks.copy()
    for upper, lower in zip(UPPER_LID, LOWER_LID, strict=True):
        points[0, upper] = points[0, lower]
    points[23, :, 1] = SIDE - points[23, :, 1]  # upside down
    changed = replace(people, landmarks=points)
    pairs = draw_people(changed, style, tmp_path / "a", 3, CPU, Deadline())
    assert pairs is not None
    assert np.flatnonzero(pairs.weight).tolist() == [2, 3]
    strange = replace(people, landmarks=points[[23] * len(people)])
    with pytest.raises(ToonifyError, match="None of the people has a head pose"):
        draw_people(strange, style, tmp_path / "b", 2, CPU, Deadline())


def test_faces_that_are_not_found_are_no_examples(crops: Crops, people: PairSet) -> None:
    points = crops.landmarks.copy()
    points[3] = np.nan
    style = style_of(replace(crops, landmarks=points), people)
    assert style.known
    assert len(style.pictures) == len(style.landmarks) == 23


def test_a_style_without_faces_is_taken_to_hold_them_where_people_do(
    crops: Crops, people: PairSet, tmp_path: Path
) -> None:
    points = np.full_like(crops.landmarks, np.nan)
    points[: FEWEST_FACES - 1] = crops.landmarks[: FEWEST_FACES - 1]
    style = style_of(replace(crops, landmarks=points), people)
    assert not style.known
    assert len(style.pictures) == 24
    assert style.shape.apply(in_sides(people)[0]) == pytest.approx(in_sides(people)[0])
    pairs = draw_people(people, style, tmp_path, 2, CPU, Deadline())
    assert pairs is not None
    assert not np.abs(pairs.warp).max() > 1e-3
