"""Lines for the user."""

from __future__ import annotations

import pytest

from engines.say import say


def test_lines_for_the_user_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("One line.")
    assert capsys.readouterr() == ("", "One line.\n")


def test_of_several_processes_the_first_speaks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    say("One line.")
    assert capsys.readouterr() == ("", "")
