"""`toonify run --panel`, with and without a port, and an address that stays."""

from __future__ import annotations

import pytest
from typer.main import get_command

from realtime.cli.app import app, main
from realtime.settings import OutputSettings


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


@pytest.mark.parametrize("words", [["--keep-address"], ["--panel", "0", "--keep-address"]])
def test_an_address_is_kept_only_for_a_port_that_stays(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *words]) == 2
    assert "--keep-address needs a panel whose port stays the same" in capsys.readouterr().err


def test_an_address_is_kept_only_when_asked_for() -> None:
    command = get_command(app).commands["run"]  # type: ignore[attr-defined]
    assert command.make_context("run", ["--panel"]).params["keep_address"] is None
    assert not OutputSettings().keep_address
    params = command.make_context("run", ["--panel", "--keep-address"]).params
    assert (params["panel"], params["keep_address"]) == (8765, True)
