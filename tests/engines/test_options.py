"""Options explained once, and groups of them declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer

from engines.command_line import run_app
from engines.options import grouped


@dataclass(frozen=True)
class Size:
    """How large."""

    width: Annotated[int, typer.Option(min=1, help="Of the cat.")] = 3
    height: Annotated[int | None, typer.Option("--tall", help="Of the cat.")] = None


LARGE = Size(width=30)


def make(*commands: object) -> typer.Typer:
    app = typer.Typer(add_completion=False)
    for command in commands:
        app.command()(grouped(command))  # type: ignore[arg-type]
    return app


def draw(*, name: str, size: Size, loud: bool = False) -> None:
    """Draw a cat."""
    print(name, size, loud)


def enlarge(*, size: Size = LARGE) -> None:
    """Draw a large cat."""
    print(size)


def test_fields_are_options(capsys: pytest.CaptureFixture[str]) -> None:
    app = make(draw, enlarge)
    assert run_app(app, "cats", ["draw", "Tom"]) == 0
    assert capsys.readouterr().out == f"Tom {Size()} False\n"
    assert run_app(app, "cats", ["draw", "Tom", "--tall", "4", "--width", "5", "--loud"]) == 0
    assert capsys.readouterr().out == f"Tom {Size(5, 4)} True\n"
    assert run_app(app, "cats", ["draw", "Tom", "--width", "0"]) == 2
    assert run_app(app, "cats", ["enlarge"]) == 0
    assert capsys.readouterr().out == f"{LARGE}\n"
    assert run_app(app, "cats", ["draw", "--help"]) == 0
    out = capsys.readouterr().out
    assert "Draw a cat." in out
    assert "--tall" in out


def test_two_options_of_one_name_are_refused() -> None:
    def twice(*, width: int = 1, size: Size = LARGE) -> None:
        """Ambiguous."""

    twice.__annotations__ = {"width": int, "size": Size, "return": None}
    with pytest.raises(TypeError, match="two options of the name width"):
        grouped(twice)
