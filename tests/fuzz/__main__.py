"""`python -m tests.fuzz`: throw bad files at every reader and count what goes wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.fuzz.run import Result, make, read, run_cases
from tests.fuzz.targets import targets

SHOWN = 20


def main() -> int:
    """Exit code: 0 without a fault, 1 with one."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, metavar="N", help="how many")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other files")
    parser.add_argument("--case", type=int, metavar="N", help="one case, with its traceback")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the file of --case")
    asked = parser.parse_args()
    if asked.case is not None:
        return _repeat(asked.case, asked.seed, asked.write)
    start = time.monotonic()
    results: dict[str, list[Result]] = defaultdict(list)
    faults = 0
    for result in run_cases(asked.first, asked.cases, asked.seed):
        results[result.kind].append(result)
        if result.fault:
            faults += 1
            if faults <= SHOWN:
                print(f"case {result.number} ({result.kind}): {result.fault}", flush=True)
    print(f"\n| {asked.cases} cases, seed {asked.seed} | read | refused | faults | slowest |")
    print("|---|---|---|---|---|")
    for kind in sorted(results):
        some = results[kind]
        wrong = sum(bool(result.fault) for result in some)
        refused = sum(result.refused for result in some)
        slowest = max(result.seconds for result in some)
        taken = len(some) - wrong - refused
        print(f"| {kind} | {taken} | {refused} | {wrong} | {slowest:.2f} s |")
    print(f"\n{faults} faults in {(time.monotonic() - start) / 60:.1f} minutes.")
    if faults:
        print(f"`python -m tests.fuzz --seed {asked.seed} --case N` repeats one.")
    return int(faults > 0)


def _repeat(number: int, seed: int, keep: Path | None) -> int:
    target, data = make(number, seed, targets())
    if keep:
        keep.write_bytes(data)
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "case"
        path.write_bytes(data)
        said = read(target, path)
    print(f"{target.name}, {len(data)} bytes: {'read' if said is None else said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
