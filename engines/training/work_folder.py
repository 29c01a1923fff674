"""Which training a work folder belongs to, so that two trainings are never mixed in one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch

from engines.errors import ToonifyError
from engines.files import write_atomically

RUN = "run.json"  # the training that a folder belongs to
PICTURES = "pictures.json"  # the pictures it learns from, known once they have been read
T = TypeVar("T")

# Settings under the names that earlier releases wrote, by the part of a run that holds them.
_RENAMED = {
    "style": {
        "people": "num_people",
        "judge_lr": "discriminator_lr",
        "judge_side": "discriminator_side",
        "judge_base": "discriminator_base",
    }
}


def fingerprint(*states: Mapping[str, torch.Tensor]) -> str:
    """sha256 (hex) of the names and values of weights: what a training started from."""
    digest = hashlib.sha256()
    for state in states:
        for name in sorted(state):
            digest.update(name.encode())
            digest.update(state[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def claim(folder: Path, run: Mapping[str, Any], note: str = RUN) -> None:
    """Mark a work folder as that of `run`, or check that it is.

    Args:
        folder: the work folder; it is made if there is none.
        run: plain values that decide the training.
        note: the file in the folder that holds them.

    Raises:
        ToonifyError: when the folder belongs to another run: continuing would mix the two.
    """
    path, mine = folder / note, json.dumps(run, indent=2)
    if path.is_file() and _read(path) != json.loads(mine):
        raise ToonifyError(
            f"{folder} belongs to a training of other pictures or settings; choose another --work "
            f"folder, or delete this one to start again."
        )
    write_atomically(path, mine.encode())


def claimed(folder: Path, run: Mapping[str, Any], read: Callable[[], T]) -> T:
    """What `read` returns, and the work folder marked as that of `run`.

    A new folder is marked only after everything was read: a mistyped folder of pictures must not
    block the right one. A marked folder is checked first, before `read` writes into it.

    Raises:
        ToonifyError: as `claim` or `read` does.
    """
    if (folder / RUN).is_file():
        claim(folder, run)
    got = read()
    claim(folder, run)
    return got


def _read(path: Path) -> Any:
    """The values in a note under their current names; None when it is damaged."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    for part, names in _RENAMED.items():
        if isinstance(run, dict) and isinstance(run.get(part), dict):
            run[part] = {names.get(name, name): value for name, value in run[part].items()}
    return run
