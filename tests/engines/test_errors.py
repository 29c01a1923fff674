"""What the parts of an error's sentence are."""

from __future__ import annotations

import pytest

from engines.errors import ToonifyError, UsageError, install, reason


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (ValueError("It is empty."), "It is empty"),
        (OSError("disk full"), "disk full"),
    ],
)
def test_the_reason_fits_into_a_sentence(error: Exception, words: str) -> None:
    assert reason(error) == words


def test_wrong_use_has_an_exit_code_of_its_own() -> None:
    assert (ToonifyError.exit_code, UsageError.exit_code) == (1, 2)
    assert issubclass(UsageError, ToonifyError)


def test_the_advice_names_the_group_of_packages() -> None:
    assert "'.[int8]'" in install("int8")
