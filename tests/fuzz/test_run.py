"""The fuzzer finds what it should, and nothing in the readers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engines.errors import ToonifyError
from tests.fuzz.run import make, read, run_cases
from tests.fuzz.targets import Target, targets


def test_the_first_cases_find_no_fault() -> None:
    results = list(run_cases(0, 400, seed=0))
    assert [result.fault for result in results if result.fault] == []
    assert {result.kind for result in results} == {target.name for target in targets()}
    taken = sum(not result.refused for result in results)
    assert 20 < taken < 200  # neither harmless nor hopeless files


def test_a_case_is_always_the_same_file() -> None:
    known = targets()
    assert make(7, 0, known)[1] == make(7, 0, known)[1]
    assert make(7, 0, known)[1] != make(7, 1, known)[1]


class _RawError(ToonifyError):
    """An error that does not tidy up what it quotes."""

    def __str__(self) -> str:
        return Exception.__str__(self)


def _bad(path: Path) -> None:
    match path.read_bytes()[0]:
        case 0:
            raise ValueError("oh")
        case 1:
            raise _RawError("a control character: \x1b")
        case 2:
            raise _RawError("long " * 300)
        case 3:
            raise ToonifyError("A refusal as it should be.")


def faulty() -> tuple[Target, ...]:
    """One reader that does everything wrong, by the file's first byte."""
    return (Target("bad", 1.0, lambda rng: bytes([rng.randrange(5)]), _bad),)


def dying() -> tuple[Target, ...]:
    """One reader that ends the process at every third file."""
    return (Target("deadly", 1.0, lambda rng: bytes([rng.randrange(3)]), _die),)


def _die(path: Path) -> None:
    if path.read_bytes()[0] == 2:  # not what `random.Random(0)` begins with, for the warm-up
        os._exit(3)


def test_each_kind_of_fault_is_told() -> None:
    results = list(run_cases(0, 60, seed=0, known=faulty))
    assert len(results) == 60
    said = " ".join(result.fault for result in results)
    assert "ValueError: oh" in said
    assert "not printable" in said
    assert "has 1500 characters" in said
    assert any(result.refused and not result.fault for result in results)
    assert any(not result.refused and not result.fault for result in results)


@pytest.mark.skipif(sys.platform == "win32", reason="exit codes differ")
def test_a_crash_is_a_result_and_the_rest_goes_on() -> None:
    results = list(run_cases(0, 30, seed=0, known=dying))
    assert [result.number for result in results] == list(range(30))
    crashed = [result for result in results if result.fault]
    assert 3 < len(crashed) < 20
    assert {result.fault for result in crashed} == {"the process died with 3"}


def test_a_refusal_may_name_its_path(tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise ToonifyError(f"{path} is no good.")

    target = Target("any", 1.0, lambda rng: b"", refuse)
    assert read(target, tmp_path / ("x" * 200)) == " is no good."
