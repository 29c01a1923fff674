"""Text from outside is shown on one line, and no terminal acts on it."""

from __future__ import annotations

import pytest

from engines.command_line import run_app
from engines.errors import ToonifyError
from engines.say import say
from engines.text import LONGEST, plain, plain_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a photo.jpg", "a photo.jpg"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("two\nlines\r", r"two\nlines\r"),
        ("name\u202egpj.exe", r"name\u202egpj.exe"),  # turns the direction of writing
        ("\x9b31m", r"\x9b31m"),  # the one-byte form of an escape sequence
        ("\udcff", r"\udcff"),  # a byte of a file name that is not UTF-8
        ("10\u00a0px", "10 px"),
        ("Łódź 人 😀", "Łódź 人 😀"),
    ],
)
def test_control_characters_are_made_visible(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert str(ToonifyError(text)) == shown


def test_a_long_text_keeps_its_ends() -> None:
    text = "begin " + "\x00" * 70_000 + " end"
    for most in (40, LONGEST):
        shown = plain(text, most)
        assert len(shown) == most
        assert shown.startswith("begin ")
        assert shown.endswith(" end")
        assert "…" in shown


def test_several_lines_stay_lines() -> None:
    assert plain_lines("# a\n\x1bb\n\n" + "c" * 1000) == "# a\n\\x1bb\n\n" + "c" * 1000


def test_messages_of_commands_are_plain(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    app = typer.Typer()

    @app.command()
    def fail() -> None:
        say("a \x1b[2Jb")
        raise RuntimeError("c \x1b[2Jd")

    assert run_app(app, "fail", []) == 1
    said = capsys.readouterr().err
    assert r"a \x1b[2Jb" in said
    assert r"c \x1b[2Jd" in said
    assert "\x1b" not in said
