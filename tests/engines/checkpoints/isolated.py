"""Reads hostile and mutated files while an audit hook watches; run in a process of its own.

    python -m tests.engines.checkpoints.isolated FOLDER MUTATIONS

FOLDER holds sound files in `sound/` and hostile ones in `hostile/`. Prints JSON: which hostile
files gave a checkpoint, how many mutations did and how many were refused, and everything that a
reader did beyond opening its file for reading. An audit hook cannot be taken off again, hence the
process of its own.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
from pathlib import Path
from typing import Any

from engines.checkpoints import CheckpointError, read_checkpoint
from engines.checkpoints.neutral import check_state

MEMORY = 400 * 2**20
"""What reading may add to the address space; the files have a few kilobytes."""

HARMLESS = ("builtins.id", "sys._getframe", "sys._getframemodulename")
"""Introspection that later Pythons report as well."""

watching: Path | None = None
deeds: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Notes every audited event during a read but the opening of that file for reading."""
    if watching is None or event in HARMLESS:
        return
    own = event == "open" and arguments[0] in (watching, str(watching))
    if own and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
        return
    deeds.append(f"{watching.name}: {event} {arguments!r:.200}")


def read(path: Path) -> bool:
    """One watched read: True for a checkpoint, False for a refusal; anything else is a failure."""
    global watching
    watching = path
    refusal = str(path)
    try:
        checkpoint = read_checkpoint(path)
    except CheckpointError as error:
        refusal = str(error)
    else:
        check_state(checkpoint.state)
        return True
    finally:
        watching = None
    assert refusal.startswith(f"{path} cannot be read"), refusal
    assert refusal.isprintable(), refusal
    return False


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A few random changes: bits, bytes, pieces cut, repeated, moved or replaced by opcodes."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        # Structure is denser near both ends than in the midst of weights.
        end = max(1, len(changed))
        start = rng.choice(
            (rng.randrange(end), rng.randrange(min(end, 600)), -rng.randrange(1, min(end, 600) + 1))
        )
        start %= end
        length = rng.choice((1, 2, 4, 8, 64))
        match rng.randrange(6):
            case 0:
                changed[start] ^= 1 << rng.randrange(8)
            case 1:
                changed[start : start + length] = rng.randbytes(length)
            case 2:
                del changed[start : start + length]
            case 3:
                changed[start:start] = changed[start : start + length] * rng.choice((1, 2, 50))
            case 4:
                changed[start:start] = bytes(
                    rng.choice(b"().0NR]}abehjoqrstuQ2\x81\x85\x86\x8e\x93\x94")
                    for _ in range(length)
                )
            case 5:
                changed[start : start + 4] = rng.choice(
                    (b"\xff" * 4, b"\xff\xff\xff\x7f", bytes(4))
                )
    return bytes(changed)


def _check_the_watch() -> None:
    """The hook does see what a payload would do."""
    global watching
    watching = Path("self-check")
    eval(compile("1", "", "eval"))
    with open(os.devnull, "wb"):
        pass
    watching = None
    seen = {deed.split()[1] for deed in deeds}
    assert {"compile", "exec", "open"} <= seen, seen
    deeds.clear()


def main(folder: Path, mutations: int) -> None:
    sound = sorted((folder / "sound").iterdir())
    for path in [*sound, *(folder / "warm").iterdir()]:  # loads what Python itself loads lazily
        try:
            read_checkpoint(path)
        except CheckpointError:
            assert path not in sound
    sys.addaudithook(watch)
    _check_the_watch()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    hostile = {path.name: read(path) for path in (folder / "hostile").iterdir()}
    results = {"read": 0, "refused": 0}
    rng = random.Random(0)
    contents = [path.read_bytes() for path in sound]
    for i in range(mutations):
        target = folder / f"mutated{i}"  # a new file: rewriting one waits for the disk
        target.write_bytes(mutate(contents[i % len(sound)], rng))
        results["read" if read(target) else "refused"] += 1
        target.unlink()
    print(json.dumps({"hostile": hostile, **results, "deeds": deeds[:20]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
