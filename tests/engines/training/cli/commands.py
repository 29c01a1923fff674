"""The commands, called in this process."""

from __future__ import annotations

from typer.testing import CliRunner

from engines.errors import ToonifyError
from engines.training.cli.app import app

CPU = ("--device", "cpu", "--precision", "32-true", "--threads", "1")


def toonify_train(*words: object) -> None:
    """Run `toonify train`; a `ToonifyError` is raised, other failures fail the test."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)
    if isinstance(result.exception, ToonifyError):
        raise result.exception
    assert result.exit_code == 0, result.output
