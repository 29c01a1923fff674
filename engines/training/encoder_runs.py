"""What `toonify train distil` and `refit` share: one encoder trained in one work folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.training.learn.encoder import DistilSettings, EncoderTrainer
from engines.training.learn.runs import Deadline, OnStep
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.portraits import listing, people_files, read_people
from engines.training.progress import Track
from engines.training.show.previews import encoder_sheet, run_with_sheet
from engines.training.work_folder import PICTURES, claim, claimed, fingerprint


def identity(
    bundle: Bundle,
    weights: Sequence[Mapping[str, Tensor]],
    people: Path,
    settings: DistilSettings,
    blends: Mapping[str, BlendSpec],
) -> dict[str, Any]:
    """What decides the result of an encoder's training. A work folder belongs to one identity.

    Args:
        bundle: the model.
        weights: those of its networks that the training reads and does not change.
        people: folder of portraits.
        settings: of the training.
        blends: blend by style.
    """
    return {
        "model": bundle.card.name,
        "weights": fingerprint(*weights),
        "people": str(people.resolve()),
        "blends": {name: asdict(spec) for name, spec in blends.items()},
        "settings": asdict(settings),
    }


def read_once(
    folder: Path, size: int, work: Path, run: Mapping[str, Any], track: Track[Path] = iter
) -> PairSet:
    """The people of a training as pairs, which never change within a work folder.

    Args:
        folder: portraits, or a prepared folder.
        size: side of the pictures, pixels.
        work: the work folder, which is marked as belonging to `run`.
        run: see `identity`.
        track: wraps the list of files, for a progress bar.

    Raises:
        ToonifyError: when the work folder belongs to another run, or the folder holds no people.
    """

    def read() -> PairSet:
        pairs = read_people(folder, size, work / "people.npz", track=track)
        claim(work, {"people": listing(people_files(folder))}, PICTURES)
        return pairs

    return claimed(work, run, read)


def train(
    trainer: EncoderTrainer,
    work: Path,
    deadline: Deadline,
    report: OnStep = lambda task, losses: None,
) -> bool:
    """Start or continue training an encoder in a work folder; True when it is done."""
    return run_with_sheet(trainer, work, deadline, encoder_sheet, work / "sheet.png", report)
