"""`toonify bench` from outside: options, refusals and exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.cli import app
from benchmarks.report import Report, ReportError
from engines.errors import ToonifyError, UsageError
from tests.benchmarks.factory import report
from tests.benchmarks.test_card import report_on


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings that each suite was called with; none of them is run."""
    settings: dict[str, Any] = {}

    def keep(suite: str) -> Any:
        def run(given: Any, *_: Any) -> Report:
            settings[suite] = given
            raise ToonifyError("Not measured.")

        return run

    for suite in ("engines", "peers", "loop", "quality"):
        monkeypatch.setattr(f"benchmarks.suites.{suite}.run", keep(suite))
    return settings


@pytest.mark.parametrize("command", ["engines", "peers", "loop", "quality", "compare", "card"])
def test_every_command_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Usage: python -m benchmarks {command}" in out
    assert max(map(len, out.splitlines())) <= 80


def test_options_reach_the_suites(
    asked: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--engine", "openvino", "--precision", "int8", "--calibration", str(tmp_path)]
    assert main(["engines", "--tier", "shipped", "--batch", "2", "--runs", "10", *words]) == 1
    assert capsys.readouterr().err.endswith("Error: Not measured.\n")
    engines = asked["engines"]
    assert [tier.name for tier in engines.tiers] == ["shipped"]
    assert (engines.batches, engines.engines, engines.precisions) == (
        (2,),
        ("openvino",),
        ("int8",),
    )
    assert (engines.calibration, engines.budget.runs) == (tmp_path, 10)
    assert engines.record()["calibration"] == tmp_path.name

    assert main(["peers", "--quick"]) == 1
    assert [tier.name for tier in asked["peers"].tiers] == ["shipped"]
    words = ["--rate", "0", "--seconds", "1", "--precision", "int8"]
    assert main(["loop", "--size", "640x480", "--faces", "2", *words]) == 1
    loop = asked["loop"]
    assert loop.precision == "int8"
    assert (loop.sizes, loop.faces, loop.rates, loop.seconds) == (((640, 480),), (2,), (0.0,), 1.0)
    assert main(["quality", "people", "--cache", "toons", "--model", "mine", "--limit", "3"]) == 1
    quality = asked["quality"]
    assert (quality.folder, quality.bundle, quality.limit) == (Path("people"), "mine", 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fly"], "No such command 'fly'"),
        (["engines", "--engine", "foo"], "There is no back end 'foo'"),
        (["engines", "--precision", "fp99"], "There is no precision 'fp99'"),
        (["engines", "--tier", "64k"], "There is no tier '64k'"),
        (["engines", "--batch", "0"], "--batch"),
        (["engines", "--runs", "9"], "--runs"),
        (["engines", "--precision", "fp32", "--calibration", "x"], "for --precision int8 only"),
        (["peers", "--engine", "foo"], "There is no back end 'foo'"),
        (["loop", "--rate", "-1"], "--rate"),
        (["loop", "--precision", "int4"], "precision 'int4'"),
        (["quality", "people"], "Missing option '--cache'"),
        (["quality", "people", "--cache", "x", "--limit", "0"], "--limit"),
        (["compare", "a.json"], "Missing argument"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Error: " in err
    assert "Traceback" not in err


def test_failures_are_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["compare", "no.json", "no.json"], ["card", "no.json", str(tmp_path)]):
        assert main(words) == 1
        err = capsys.readouterr().err
        assert err.startswith("Error: ")
        assert "fault of the program" not in err


def test_results_go_to_standard_output(tmp_path: Path) -> None:
    report_on("film").save(tmp_path / "a.json")
    words = ["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert "feature distance" in done.stdout


def test_compare_at_the_command_line(tmp_path: Path) -> None:
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
    with pytest.raises(UsageError, match="There is no"):
        app(list(wrong), standalone_mode=False)


@pytest.mark.parametrize("option", ["--json", "--markdown", "--plot"])
def test_a_report_that_cannot_be_written_is_told_before_anything_is_measured(
    asked: dict[str, Any], tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for command in (["engines"], ["peers"], ["loop"], ["quality", ".", "--cache", str(tmp_path)]):
        assert main([*command, option, str(tmp_path / "file/report")]) == 1
        assert "cannot be written" in capsys.readouterr().err
    assert not asked
