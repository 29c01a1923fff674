"""Errors, exit codes and `--debug`, the same for every command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from engines.command_line import run_app, run_forwarded
from engines.errors import ToonifyError, UsageError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
inner = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def fail(kind: str, count: int = 1) -> None:
    """Fails as it is asked to."""
    kinds: dict[str, BaseException] = {
        "task": ToonifyError("There is no cat; bring one."),
        "use": UsageError("A cat has four legs, not five."),
        "fault": KeyError("oops"),
        "stream": ConnectionRefusedError(111, "Refused", "rtmp://a.host/live/s3cr3t"),
        "closed": PermissionError(13, "Permission denied", "/home/cat/.cache"),
        "full": OSError(28, "No space left on device"),
        "interrupt": KeyboardInterrupt(),
        "abort": typer.Abort(),
        "exit": typer.Exit(7),
        "module": ModuleNotFoundError("No module named 'nncf'", name="nncf.common"),
        "own module": ModuleNotFoundError("No module named 'engines.cat'", name="engines.cat"),
    }
    if kind in kinds:
        raise kinds[kind]
    print(f"{kind} {count}")


@app.command("inner", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def _inner(context: typer.Context) -> None:
    run_forwarded(inner, "cats inner", context.args)


@inner.command()
def code(number: int) -> None:
    """Ends with a code."""
    raise typer.Exit(number)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["fail", "task"], 1, "Error: There is no cat; bring one.\n"),
        (["fail", "use"], 2, "Error: A cat has four legs, not five.\n"),
        (["fail", "interrupt"], 130, ""),
        (["fail", "abort"], 130, ""),
        (["fail", "exit"], 7, ""),
        (["fail", "fine"], 0, ""),
        (["fail", "fine", "--debug"], 0, ""),
        (["inner", "0"], 0, ""),
        (["inner", "3"], 3, ""),
    ],
)
def test_exit_codes_and_sentences(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, "cats", words) == code
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("closed", "/home/cat/.cache cannot be used: Permission denied; check that place"),
        ("full", "The system refuses: No space left on device; check that place"),
    ],
)
def test_what_the_system_refuses_is_no_fault(
    kind: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, "cats", ["fail", kind]) == 1
    assert capsys.readouterr().err == f"Error: {message}, or give another.\n"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["fly"], ("No such command 'fly'", "`cats --help` explains.")),
        (["fail"], ("Missing argument", "`cats fail --help` explains.")),
        (["fail", "x", "--bogus"], ("No such option", "--bogus", "`cats fail --help` explains.")),
        (["fail", "x", "--count", "many"], ("--count", "integer", "`cats fail --help` explains.")),
        (["inner", "many"], ("integer", "`cats inner --help` explains.")),
    ],
)
def test_wrong_use_is_one_sentence(
    words: list[str], parts: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, "cats", words) == 2
    err = capsys.readouterr().err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err


def test_a_fault_is_owned_and_shown_only_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, "cats", ["fail", "fault"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("Error: KeyError: 'oops'. This is a fault of the program: please report")
    assert err.count("\n") == 1
    for words in (["--debug", "fail", "fault"], ["fail", "fault", "--debug"]):
        assert run_app(app, "cats", words) == 1
        err = capsys.readouterr().err
        assert err.startswith("Traceback")
        assert "fault of the program" in err
    assert run_app(app, "cats", ["fail", "use", "--debug"]) == 2
    assert "UsageError: A cat has four legs" in capsys.readouterr().err


def test_no_error_and_no_traceback_shows_a_stream_key(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["fail", "stream"], ["fail", "stream", "--debug"]):
        assert run_app(app, "cats", words) == 1
        err = capsys.readouterr().err
        assert "rtmp://a.host/live/***" in err
        assert "s3cr3t" not in err


def test_an_optional_package_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, "cats", ["fail", "module"]) == 1
    assert "nncf.common is not installed; run: " in (err := capsys.readouterr().err)
    assert " -m pip install -c constraints.txt -e '.[int8]'" in err
    assert run_app(app, "cats", ["fail", "own module"]) == 1
    assert "fault of the program" in capsys.readouterr().err


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, "cats", []) == 2
    out, err = capsys.readouterr()
    assert "Usage: cats" in out + err
    assert "Error" not in out + err


PIPE = """
import sys
import typer
from engines.command_line import run_app
app = typer.Typer()
@app.command()
def many():
    for _ in range(100_000):
        print("a line")
sys.exit(run_app(app, "many", []))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows reports a closed pipe differently")
def test_a_closed_pipe_ends_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PIPE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "a line\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


WORK = """
import sys
import typer
from pathlib import Path
from rich.console import Console
from engines.command_line import run_app
from engines.say import say
app = typer.Typer()
@app.command()
def work(result: Path):
    err = Console(stderr=True)
    for _ in range(2000):
        say("a message")
        err.print("another one")
    result.write_text("done")
@app.command()
def tell(rich: bool = False):
    (Console().print if rich else print)("a result")
sys.exit(run_app(app, "work", sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("end", ["2>&1 | head -1", "2>&-", "2>/dev/full", ">&- 2>&-"])
def test_messages_that_cannot_be_written_do_not_stop_the_work(tmp_path: Path, end: str) -> None:
    if "full" in end and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = tmp_path / "done"
    code = tmp_path / "code"
    line = f'{{ "$0" -c "$1" work "$2"; echo $? > "$3"; }} {end}'
    words = [sys.executable, WORK, str(done), str(code)]
    subprocess.run(["sh", "-c", line, *words], check=True, capture_output=True)
    assert done.read_text() == "done"
    assert code.read_text() == "0\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("rich", ["--rich", "--no-rich"])
@pytest.mark.parametrize(
    ("end", "why"), [(">/dev/full", "No space left on device"), (">&-", "it is closed")]
)
def test_results_that_cannot_be_written_are_an_error(rich: str, end: str, why: str) -> None:
    words = ["sh", "-c", f'"$0" -c "$1" tell {rich} {end}', sys.executable, WORK]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: Standard output cannot be written: {why}; send it to another place.\n"
    )
