"""What the parts of an error's sentence are."""

from __future__ import annotations

import pytest

from engines.errors import ToonifyError, UsageError, install, plain, reason


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


def test_what_a_file_says_is_shown_as_one_short_plain_line() -> None:
    assert plain("film – größer") == "film – größer"
    assert plain("a\x1b]0;owned\x07\nb\u202e") == "a?]0;owned??b?"
    assert plain("x" * 600) == "x" * 500 + "..."
    assert plain("abcdef", 3) == "abc..."


def test_wrong_use_has_an_exit_code_of_its_own() -> None:
    assert (ToonifyError.exit_code, UsageError.exit_code) == (1, 2)
    assert issubclass(UsageError, ToonifyError)


def test_the_advice_names_the_group_of_packages() -> None:
    assert "'.[int8]'" in install("int8")
