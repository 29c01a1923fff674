"""`toonify run --panel`, with and without a port."""

from __future__ import annotations

import pytest
from typer.main import get_command

from realtime.cli.app import app, main


@pytest.mark.parametrize(
    ("words", "port"),
    [
        ([], None),
        (["--panel"], 8765),
        (["--panel", "--mirror"], 8765),
        (["--panel", "9000"], 9000),
        (["--panel=9000"], 9000),
        (["--panel", "0"], 0),
    ],
)
def test_the_port_may_be_left_out(words: list[str], port: int | None) -> None:
    command = get_command(app).commands["run"]  # type: ignore[attr-defined]
    assert command.make_context("run", words).params["panel"] == port


def test_a_port_that_there_is_not_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--panel", "70000"]) == 2
    assert "--panel must be a port from 1 to 65535" in capsys.readouterr().err
