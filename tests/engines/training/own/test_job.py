"""The job that makes an own style; `cli/test_own.py` runs it from end to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.training.learn.encoder import DistilSettings
from engines.training.learn.style import StyleSettings
from engines.training.own.job import StyleJob, check_job
from tests.engines.factory import random_bundle
from tests.engines.training.factory import smooth_pictures, tiny_pairs, tiny_size, write_pairs


@pytest.fixture(scope="module")
def base() -> Bundle:
    return random_bundle(size=tiny_size())


@pytest.fixture
def job(tmp_path: Path) -> StyleJob:
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures/0.png"), smooth_pictures(1, 40)[0])
    write_pairs(tiny_pairs(), tmp_path / "people")
    return StyleJob(
        pictures=tmp_path / "pictures",
        people=tmp_path / "people",
        out=tmp_path / "own.toon",
        work=tmp_path / "work",
        name="own",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"pictures": Path("others")},
        {"people": Path("others")},
        {"aligned": True},
        {"blend": BlendSpec(swap_resolution=8)},
        {"start": "face"},
        {"style": StyleSettings(pictures=8)},
        {"encoder": DistilSettings(pictures=8)},
    ],
)
def test_what_decides_the_result_is_in_the_identity(
    job: StyleJob, base: Bundle, change: dict[str, Any]
) -> None:
    assert job.identity(base) == replace(job, work=Path("elsewhere")).identity(base)
    assert job.identity(base) != replace(job, **change).identity(base)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"blend": BlendSpec(swap_resolution=64)}, "lies above"),
        ({"name": "My Style"}, "lower-case"),
        ({"out": Path(__file__).parent}, "something else than a model"),
        ({"pictures": Path("nowhere")}, "expected to be a folder of pictures; there is none"),
        ({"people": Path("nowhere")}, "expected to be a folder of pictures; there is none"),
    ],
)
def test_what_would_fail_after_the_training_is_refused_before(
    job: StyleJob, base: Bundle, change: dict[str, Any], told: str
) -> None:
    check_job(job, base)
    with pytest.raises(ToonifyError, match=told):
        check_job(replace(job, **change), base)


def test_people_of_another_size_are_refused_before(
    job: StyleJob, base: Bundle, tmp_path: Path
) -> None:
    large = write_pairs(tiny_pairs(side=64), tmp_path / "large")
    with pytest.raises(ToonifyError, match="are 64 px, but the model takes 32 px"):
        check_job(replace(job, people=large), base)
