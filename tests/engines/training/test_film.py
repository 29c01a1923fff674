"""A model from portraits alone; `cli/test_app.py` makes one from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.bundle import Bundle, shipped_bundle
from engines.catalogue import DEFAULT_BUNDLE
from engines.errors import ToonifyError
from engines.training.film import FilmJob, train_pairs
from engines.training.learn.runs import Deadline
from engines.training.learn.stages import Stage, TrainSettings
from tests.engines.factory import random_bundle
from tests.engines.training.factory import CPU, tiny_pairs, tiny_size

TINY = TrainSettings(tiny_size(), (Stage("toon", 8, 32),), batch_size=4, patch=16)


def test_what_does_not_fit_the_recipe_is_refused_before_training(tmp_path: Path) -> None:
    large = TrainSettings(tiny_size(64), (Stage("toon", 8, 128),), batch_size=4, patch=16)
    with pytest.raises(ToonifyError, match=r"takes 128 px pairs, but .* 64 px; .* --size 128"):
        train_pairs(large, tiny_pairs(side=64), tmp_path / "run", Deadline(), hardware=CPU)
    base = random_bundle(size=tiny_size(64))
    with pytest.raises(ToonifyError, match="does not have the recipe's architecture"):
        train_pairs(TINY, tiny_pairs(), tmp_path / "run", Deadline(), hardware=CPU, base=base)
    assert not (tmp_path / "run/checkpoint.pt").exists()


def test_the_shipped_card_says_how_the_recipe_s_model_was_made() -> None:
    words = FilmJob(Path("people"), Path("out")).words
    card = Bundle.load(shipped_bundle(DEFAULT_BUNDLE)).card
    assert (words.title, words.summary, words.licence) == (card.title, card.summary, card.licence)
    assert words.training == card.training
    assert words.limits == card.limits


def test_the_model_is_written_beside_the_pairs() -> None:
    job = FilmJob(Path("people"), Path("out"), name="mine")
    assert job.bundle == Path("out/mine.toon")
