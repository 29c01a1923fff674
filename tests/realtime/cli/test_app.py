"""The program from outside: help, wrong use, failures, and what is handed on."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
import typer

from benchmarks.cli import app as benchmarks
from engines.catalogue.models import DOWNLOADS, Download
from engines.command_line import run_app
from engines.training.cli.app import app as training
from realtime.cli.app import app as toonify
from realtime.cli.app import main
from tests.realtime.cli.shell import run

COMMANDS = [
    [], ["run"], ["demo"], ["image"], ["video"], ["devices"], ["doctor"], ["models"], ["engines"],
    ["blend"], ["models", "list"], ["models", "fetch"], ["models", "import"], ["models", "show"],
    ["engines", "build"], ["engines", "list"], ["engines", "clear"],
]  # fmt: skip


def test_the_release_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--version")
    assert (code, out.strip()) == (0, f"Toonify, live {metadata.version('toonify-live')}")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, *words, "--help")
    assert code == 0
    assert "Usage: toonify" in out


@pytest.mark.parametrize(
    "words", [*COMMANDS, ["train"], ["train", "style"], ["bench", "engines"]], ids=" ".join
)
def test_help_fits_a_narrow_terminal(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*words, "--help"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def every_command(app: typer.Typer) -> Iterator[tuple[str, ...]]:
    """The words of each command of an app, with those that hold others."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        yield words
        waiting += [((*words, name), one) for name, one in getattr(command, "commands", {}).items()]


@pytest.mark.parametrize(
    ("name", "app"), [("toonify", toonify), ("bench", benchmarks), ("train", training)]
)
def test_help_shows_no_types_of_python(
    name: str, app: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in every_command(app):
        assert run_app(app, name, [*words, "--help"]) == 0
        out = capsys.readouterr().out
        assert "--help" in out
        assert not re.search(r"<\w|list\[|\.\.\.\}", out), out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fly"], "No such command 'fly'"),
        (["run", "--bogus"], "No such option"),
        (["run", "--size", "big"], "like 1280x720"),
        (["run", "--guard", "open"], "--guard must be one of auto, pass, hold, blur, card"),
        (["run", "--strength", "0.5"], "which guard 'blur' never lets out"),
        (["run", "--faces", "0"], "--faces must be 1 to 16"),
        (["run", "--source", "", "--sink", "none"], "--source must name a camera"),
        (["run", "--source", "demo", "--sink", ""], "--sink must each be virtual"),
        (["run", "--source", "demo", "--overlay", ""], "--overlay must be none, green"),
        (["run", "--config", "/"], "is a folder, not a settings file"),
        (
            ["run", "--source", "demo", "--sink", "none"],
            "--sink none needs --record, --overlay, --preview or --panel beside it.",
        ),
        (
            ["run", "--source", "demo", "--sink", "none", "--overlay", "green"],
            "--sink none leaves nothing that shows it",
        ),
        (["run", "--record", ""], "'--record': it is empty; give a path"),
        (["video", "a.mp4", "b.avi"], "b.avi must end in .mp4"),
        (["video", "/", "b.mp4"], "/ is a folder, not a video"),
        (["models", "import", "/", "--out", "b.toon"], "/ is a folder, not a checkpoint"),
        (["models", "fetch", "film"], "film comes with the package; there is nothing"),
        (["models", "fetch", "https://a.invalid/b.toon"], "needs --sha256"),
        (["engines", "build", "tensorrt-rtx:xx"], "builds for ampere+, "),
        (["bench", "card", "nope.json", "film"], "the measured model's folder or .toon file"),
        (["run", "--config", "/nowhere.toml"], "no settings file /nowhere.toml"),
        (["image", "a.png"], "Missing option '--out'"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *words)
    assert message in out + err
    assert code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["models", "show", "nope"], "There is no model 'nope'"),
        (["models", "fetch", "nope"], "give a URL and its --sha256"),
        (["models", "import", "/nope.pkl", "--out", "/tmp/x"], "/nope.pkl"),
        (["engines", "build", "torch", "--model", "nope"], "There is no model"),
        (["run", "--source", "missing.mp4", "--sink", "none", "--preview"], "."),
        (["run", "--source", "missing.mp4"], "There is no file missing.mp4"),
        (["video", "/nope.mp4", "/tmp/never.mp4"], "no video /nope.mp4"),
    ],
)
def test_failures_are_told_in_a_sentence(
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, _, err = run(capsys, *words)
    assert code == 1
    assert "Error: " in err
    assert message in err


def test_faults_of_the_program_are_owned_and_debug_shows_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "realtime.commands.models.list_models", lambda: (_ for _ in ()).throw(KeyError("oops"))
    )
    code, _, err = run(capsys, "models", "list")
    assert code == 1
    assert "fault of the program" in err
    assert err.count("\n") <= 1
    assert main(["models", "list", "--debug"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "KeyError: 'oops'" in shown


def test_other_packages_commands_are_handed_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sub = typer.Typer()

    @sub.command()
    def only(number: int, loud: bool = False) -> None:
        print(f"got {number} {loud}")

    module = types.ModuleType("benchmarks.cli")
    monkeypatch.setattr(module, "app", sub, raising=False)
    monkeypatch.setitem(sys.modules, "benchmarks.cli", module)
    assert run(capsys, "bench", "7", "--loud")[:2] == (0, "got 7 True ")
    code, out, _ = run(capsys, "bench", "--help")
    assert code == 0
    assert "--loud" in out
    assert run(capsys, "bench", "many")[0] == 2


def test_fetch_alone_says_what_there_is_to_fetch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(capsys, "models", "fetch")
    assert code == 0
    assert "No model can be fetched by name in this release" in err
    assert "--sha256 HEX" in err
    known = Download("https://a.invalid/opera.toon", "0" * 64, "An opera.", "CC0-1.0")
    monkeypatch.setitem(DOWNLOADS, "opera", known)
    code, out, err = run(capsys, "models", "fetch")
    assert code == 0
    assert "opera" in out
    assert "An opera." in out
    assert "No model" not in err
