"""What every back end checks before it runs, and how it speaks of others' errors."""

from __future__ import annotations

import numpy as np
import pytest

from engines.backends.protocol import (
    BackendError,
    check_crops,
    check_same_shape,
    one_line,
)
from engines.networks.toon import ToonNetwork


@pytest.mark.parametrize("count", [1, 4])
def test_crops_that_fit_give_their_number(count: int) -> None:
    assert check_crops(np.zeros((count, 32, 32, 3), np.uint8), 32, 4) == count


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((1, 32, 32, 3), np.float32),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((1, 32, 16, 3), np.uint8),
        np.zeros((1, 32, 32, 4), np.uint8),
    ],
    ids=["numbers", "dimensions", "size", "channels"],
)
def test_other_crops_are_refused(crops: np.ndarray) -> None:
    with pytest.raises(BackendError, match=r"takes uint8 crops \[N, 32, 32, 3\] in RGB, but was"):
        check_crops(crops, 32, 4)


@pytest.mark.parametrize("count", [0, 5])
def test_too_few_or_many_crops_are_refused(count: int) -> None:
    with pytest.raises(BackendError, match=f"1 to 4 crops at once, but was given {count}"):
        check_crops(np.zeros((count, 32, 32, 3), np.uint8), 32, 4)


def test_an_update_must_have_the_same_tensors(
    plain: ToonNetwork, tiny: ToonNetwork, other_tiny: ToonNetwork
) -> None:
    check_same_shape(tiny, other_tiny)
    with pytest.raises(BackendError, match="takes new weights of its own architecture, but"):
        check_same_shape(tiny, plain)


def test_what_a_library_says_becomes_one_line_of_a_bearable_length() -> None:
    assert one_line(ValueError("no\n  such\tfile")) == "ValueError: no such file"
    assert one_line("a " * 200, 10) == "a a a a..."
