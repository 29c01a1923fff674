"""Runs cases in a process of its own, so that a crash or a hang is a result like any other."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from engines.errors import ToonifyError
from tests.fuzz.targets import Target, targets

SECONDS = 20.0
"""Time for one case; the slowest good file takes some hundredths."""
MEBIBYTES = 300.0
"""Memory that one case may add to the peak of the process."""
LONGEST = 1_000
"""Characters of a refusal, its path left out."""


@dataclass(frozen=True)
class Result:
    """What came of one case.

    Attributes:
        number: of the case.
        kind: of the file.
        fault: what went wrong, "" if nothing did.
        refused: the file was refused, rather than read.
        seconds, mebibytes: that it took; memory is what it added to the peak of the process.
    """

    number: int
    kind: str
    fault: str = ""
    refused: bool = False
    seconds: float = 0.0
    mebibytes: float = 0.0


def make(number: int, seed: int, known: tuple[Target, ...]) -> tuple[Target, bytes]:
    """The file of a case: always the same for the same seed and number."""
    rng = random.Random(f"{seed}:{number}")
    (target,) = rng.choices(known, [target.share for target in known])
    return target, target.make(rng)


def read(target: Target, path: Path) -> str | None:
    """What the reader says when it refuses a file; None if it takes it.

    Raises:
        AssertionError: the sentence is not one line of printable text.
        Exception: whatever a faulty reader raises.
    """
    try:
        target.read(path)
    except ToonifyError as error:
        sentence = str(error).replace(str(path), "")
        assert sentence.isprintable(), f"the refusal is not printable: {sentence!r:.300}"
        assert len(sentence) <= LONGEST, f"the refusal has {len(sentence)} characters"
        return sentence
    return None


def run_cases(
    first: int, count: int, seed: int, known: Callable[[], tuple[Target, ...]] = targets
) -> Iterator[Result]:
    """Results in order.

    Args:
        first: number of the first case.
        count: how many cases.
        seed: makes other files of the same numbers.
        known: what is tried; a function of a module, as it runs in another process.
    """
    context = multiprocessing.get_context("spawn")
    number, end = first, first + count
    while number < end:
        ours, theirs = context.Pipe()
        worker = context.Process(target=_work, args=(theirs, number, end, seed, known), daemon=True)
        worker.start()
        theirs.close()
        try:
            ours.recv()  # it has started, however long its imports took
            while number < end:
                if not ours.poll(3 * SECONDS):
                    fault = f"no end after {3 * SECONDS:.0f} s"
                    break
                yield ours.recv()
                number += 1
            else:
                continue
        except EOFError:
            worker.join()
            fault = f"the process died with {worker.exitcode}"
        finally:
            worker.kill()
            worker.join()
            ours.close()
        yield Result(number, make(number, seed, known())[0].name, fault)
        number += 1


def _work(
    connection: Connection,
    first: int,
    end: int,
    seed: int,
    find: Callable[[], tuple[Target, ...]],
) -> None:
    known = find()
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "case"
        for target in known:  # what is imported at first use is no case's doing
            path.write_bytes(target.make(random.Random(0)))
            with contextlib.suppress(Exception):  # the cases will tell
                target.read(path)
        connection.send("started")
        for number in range(first, end):
            target, data = make(number, seed, known)
            path.write_bytes(data)
            connection.send(_judge(number, target, path))


def _judge(number: int, target: Target, path: Path) -> Result:
    peak, start = _peak(), time.perf_counter()
    fault, refused = "", False
    try:
        refused = read(target, path) is not None
    except Exception as error:  # whatever it is, it is the finding
        fault = f"{type(error).__name__}: {error!s:.300}"
    seconds, added = time.perf_counter() - start, _peak() - peak
    if not fault and seconds > SECONDS:
        fault = f"it took {seconds:.0f} s"
    if not fault and added > MEBIBYTES:
        fault = f"it took {added:.0f} MiB"
    return Result(number, target.name, fault, refused, seconds, added)


def _peak() -> float:
    """Most memory that this process has held, MiB; 0 on Windows, which does not tell so."""
    if sys.platform == "win32":
        return 0.0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)
