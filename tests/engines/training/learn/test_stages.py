"""Which trainings there can be, and which can go on from a checkpoint."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from engines.errors import ToonifyError
from engines.training.learn.stages import Stage, TrainSettings, has_begun_with, one_cycle
from tests.engines.training.factory import tiny_size

FIRST, SECOND = Stage("first", 8, 16), Stage("second", 8, 32, consistency=0.5)


def test_one_cycle_rises_and_falls() -> None:
    rates = [one_cycle(x / 100, 0.05) for x in range(101)]
    assert max(rates) == pytest.approx(1.0, abs=1e-3)
    assert rates.index(max(rates)) == 5
    assert rates[0] == pytest.approx(0.02)
    assert rates[-1] == pytest.approx(0.02)


def test_a_batch_has_room_for_its_twins() -> None:
    assert TrainSettings(tiny_size(), (FIRST,), batch_size=1)  # which has none
    with pytest.raises(ToonifyError, match="A batch of 1 has room for 0 twins, not 1"):
        TrainSettings(tiny_size(), (FIRST, SECOND), batch_size=1)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"pictures": 0}, "pictures must be a number above 0"),
        ({"pictures": "many"}, "not 'many'"),
        ({"resolution": 100}, "power of two"),
        ({"fork": "comic"}, "not 'comic'"),
        ({"trains": ("tooon",)}, "not 'tooon'"),
        ({"toon_share": 0.0, "adversarial": 1.0}, "raise toon_share"),
        ({"toon_share": 0.0, "face_share": 0.0}, "raise toon_share"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(wrong: dict[str, Any], what: str) -> None:
    with pytest.raises(ToonifyError, match=what):
        Stage(**{"name": "one", "pictures": 8, "resolution": 32, **wrong})


@pytest.mark.parametrize("size", [0, "8"])
def test_a_batch_that_cannot_be_is_refused(size: Any) -> None:
    with pytest.raises(ToonifyError, match="one picture or more"):
        TrainSettings(batch_size=size, twins=0)


@pytest.mark.parametrize(
    ("asked", "over", "fits"),
    [
        ((FIRST, SECOND), 1, True),
        ((FIRST, replace(SECOND, pictures=99)), 1, True),  # the one in hand may be longer
        ((FIRST, SECOND, FIRST), 1, True),  # one more
        ((replace(FIRST, pictures=99), SECOND), 1, False),
        ((FIRST, replace(SECOND, pictures=99)), 2, False),
        ((FIRST, replace(SECOND, lr=1.0)), 1, False),
        ((FIRST,), 1, False),
    ],
)
def test_a_training_goes_on_in_the_stages_it_began_with(
    asked: tuple[Stage, ...], over: int, fits: bool
) -> None:
    begun = [asdict(FIRST), asdict(SECOND)]
    assert has_begun_with(asked, begun, over) is fits


def test_stages_of_earlier_releases_are_read() -> None:
    values = asdict(SECOND)
    values["top"] = values.pop("resolution")
    assert Stage.read(values) == SECOND
    with pytest.raises(TypeError, match="colours"):
        Stage.read({**values, "colours": 3})
