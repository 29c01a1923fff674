from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from realtime.frame import as_bgr, exact_rate, fit


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3), (4, 6, 4)])
def test_any_uint8_picture_becomes_bgr(shape: tuple[int, ...]) -> None:
    image = as_bgr(np.full(shape, 7, np.uint8))
    assert image is not None
    assert image.shape == (4, 6, 3)
    assert (image == 7).all()


@pytest.mark.parametrize(
    "garbage",
    [None, "x", np.zeros((4, 6, 3)), np.zeros((0, 6, 3), np.uint8), np.zeros((4, 6, 2), np.uint8),
     np.zeros(5, np.uint8)],
)  # fmt: skip
def test_garbage_is_no_picture(garbage: object) -> None:
    assert as_bgr(garbage) is None


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_is_a_grey_picture() -> None:
    image = as_bgr(np.asmatrix(np.full((4, 6), 7, np.uint8)))
    assert image is not None
    assert (image.shape, type(image)) == ((4, 6, 3), np.ndarray)


@pytest.mark.parametrize(
    ("rate", "exact"),
    [
        (25.0, Fraction(25)),
        (30000 / 1001, Fraction(30000, 1001)),
        (24000 / 1001, Fraction(24000, 1001)),
        (0.5, Fraction(1, 2)),
        (0.0001, Fraction(1, 10_000)),
    ],
)
def test_rates_are_exact_and_never_nothing(rate: float, exact: Fraction) -> None:
    assert exact_rate(rate) == exact


def test_fitting_keeps_the_aspect_and_centres() -> None:
    image = fit(np.full((100, 100, 3), 200, np.uint8), (320, 180))
    assert image.shape == (180, 320, 3)
    assert (image[:, 70:250] == 200).all()
    assert (image[:, :70] == 0).all()
    assert (image[:, 250:] == 0).all()
