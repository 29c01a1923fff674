"""Sample sheets during training: what the averaged networks draw now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from engines.pictures import Image, write_png
from engines.training.learn.encoder import EncoderTrainer
from engines.training.learn.runs import Deadline, OnStep, Task, run
from engines.training.learn.style import StyleTrainer
from engines.training.learn.trainer import Trainer
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.sampler import shrunk, to_tensor
from engines.training.show.sheets import contact_sheet

ROWS = 6
TaskT = TypeVar("TaskT", bound=Task)


def run_with_sheet(
    task: TaskT,
    folder: Path,
    deadline: Deadline,
    sheet: Callable[[TaskT], Image],
    path: Path,
    report: OnStep = lambda task, losses: None,
) -> bool:
    """`engines.training.learn.runs.run`, with a sample sheet written after each checkpoint.

    Args:
        task, folder, deadline, report: as `run` takes them.
        sheet: draws the sheet, RGB.
        path: the PNG file that it goes to.
    """
    return run(task, folder, deadline, report=report, on_save=lambda: write_png(path, sheet(task)))


@torch.no_grad()
def pairs_sheet(trainer: Trainer) -> Image:
    """Rows of photo, face generator's picture, artist's toon, toon generator's picture."""
    models, device = trainer.ema.module, trainer.fabric.device
    pairs = trainer.sampler.pairs
    rows = chosen(pairs)
    photo = [shrunk(picture, trainer.sampler.crop) for picture in pairs.photo[rows]]
    codes = models.encoder(to_tensor(photo).to(device))
    resolution = trainer.stage.resolution
    face, toon = (
        as_pictures(generator.synthesis(*codes, resolution=resolution))
        for generator in (models.face, models.toon)
    )
    cells = zip(photo, face, pairs.toon[rows], toon, strict=True)
    labels = ("photo", "face model", "goal", "toon model")
    return contact_sheet(list(cells), labels=labels, side=max(trainer.sampler.crop, resolution))


@torch.no_grad()
def style_sheet(trainer: StyleTrainer) -> Image:
    """Rows of person, face generator's picture, new generator's picture, one of the style."""
    people = trainer.sampler.pairs
    photo = people.photo[chosen(people)]
    crops = to_tensor(list(photo)).to(trainer.fabric.device)
    codes = trainer.encoder(crops)
    face = as_pictures(trainer.face.synthesis(*codes))
    drawn = as_pictures(trainer.ema.module.synthesis(*codes))
    cells = zip(photo, face, drawn, trainer.style, strict=False)
    return contact_sheet(list(cells), labels=("person", "face", "new style", "example"))


@torch.no_grad()
def encoder_sheet(trainer: EncoderTrainer) -> Image:
    """Rows of person, and the picture of each generator behind the trained encoder."""
    people = trainer.sampler.pairs
    photo = people.photo[chosen(people)]
    codes = trainer.ema.module(to_tensor(list(photo)).to(trainer.fabric.device))
    drawn = [as_pictures(g.synthesis(*codes)) for g in trainer.generators]
    return contact_sheet(list(zip(photo, *drawn, strict=True)))


def as_pictures(images: torch.Tensor) -> NDArray[np.uint8]:
    """float [N, 3, S, S] in about -1..1 -> uint8 [N, S, S, 3]."""
    scaled = (images.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).cpu().numpy()


def chosen(pairs: PairSet) -> list[int]:
    """The rows that every sheet of a training shows, spread over the set."""
    return list(range(0, len(pairs), max(1, len(pairs) // ROWS)))[:ROWS]
