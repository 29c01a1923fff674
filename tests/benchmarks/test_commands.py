"""`python -m benchmarks`: what it compares and what it refuses."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from benchmarks.report import ReportError
from engines.errors import UsageError
from tests.benchmarks.factory import report


def test_compare_at_the_command_line(tmp_path):
    from benchmarks.cli import app

    report().save(tmp_path / "a.json")
    report().save(tmp_path / "b.json")
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert done.exit_code == 0
    assert "same" in done.output
    failed = CliRunner().invoke(app, ["compare", str(tmp_path / "a.json"), str(tmp_path / "no")])
    assert isinstance(failed.exception, ReportError)


@pytest.mark.parametrize(
    "wrong",
    [
        ("engines", "--engine", "foo"),
        ("engines", "--precision", "fp99"),
        ("engines", "--tier", "64k"),
        ("peers", "--engine", "foo"),
    ],
)
def test_what_there_is_none_of_is_wrong_use(wrong: tuple[str, ...]) -> None:
    from benchmarks.cli import app

    with pytest.raises(UsageError, match="There is no"):
        app(list(wrong), standalone_mode=False)
