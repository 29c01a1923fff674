"""From a folder of portraits to a model: the steps of `toonify train film`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engines.bundle import Bundle
from engines.card import Style
from engines.catalogue import DEFAULT_BUNDLE
from engines.errors import ToonifyError
from engines.finish import PLAIN
from engines.training.export import Description, TrainedModels, export
from engines.training.hardware import Hardware
from engines.training.learn.runs import Deadline, OnStep
from engines.training.learn.stages import TrainSettings
from engines.training.learn.trainer import Trainer
from engines.training.looks import FINISHES
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.prepare import prepare
from engines.training.progress import Progress, silent
from engines.training.recipe import FILM, FILM_VARIANTS, FILM_WORDS
from engines.training.show.previews import pairs_sheet, run_with_sheet


def train_pairs(
    settings: TrainSettings,
    pairs: PairSet,
    folder: Path,
    deadline: Deadline,
    *,
    hardware: Hardware | None = None,
    base: Bundle | None = None,
    report: OnStep = lambda task, losses: None,
) -> bool:
    """Start or continue the face and toon training in `folder`; True once all stages are done.

    Args:
        settings: the recipe.
        pairs: photos and toons of the recipe's size.
        folder: for checkpoint, curves and the sample sheet.
        deadline: when to stop.
        hardware: what to train on.
        base: a model to start from, with its first style as the toon generator.
        report: called with the training and its losses, after every step.

    Raises:
        ToonifyError: when the pairs or the base do not fit the recipe.
    """
    wanted = settings.pair_size
    if pairs.size < wanted:
        raise ToonifyError(
            f"The recipe takes {wanted} px pairs, but these are {pairs.size} px; prepare them with "
            f"--size {wanted}."
        )
    trainer = Trainer(settings, pairs, hardware)
    if base is not None:
        if base.card.generator != settings.size.generator_config() or base.encoder is None:
            raise ToonifyError(
                f"{base.card.name} does not have the recipe's architecture, so training cannot "
                f"start from it; choose a model of that architecture, or leave out --base."
            )
        toon = base.toons[base.styles[0]] if base.styles else base.face
        weights = {"encoder": base.encoder, "face": base.face, "toon": toon}
        trainer.start_from(weights, base.card.name)
    return run_with_sheet(trainer, folder, deadline, pairs_sheet, folder / "sheet.png", report)


class _TimeIsUpError(Exception):
    """Ends the drawing of pairs, which the next run continues."""


@dataclass(frozen=True)
class FilmJob:
    """A model made from portraits alone.

    Attributes:
        people: folder of portraits.
        out: gets `pairs`, `run` and the bundle `NAME.toon`.
        name: the bundle's name.
        look: how the artist draws; also the style's name.
        settings: the training.
        words: what the card says.
        variants: extra pairs with other expressions.
        turned: extra pairs with heads turned further, which need the head model.
        workers: number of drawing processes.
    """

    people: Path
    out: Path
    name: str = DEFAULT_BUNDLE
    look: str = "film"
    settings: TrainSettings = FILM
    words: Description = field(default_factory=lambda: Description.read(FILM_WORDS))
    variants: int = FILM_VARIANTS
    turned: int = 0
    workers: int = 1

    @property
    def bundle(self) -> Path:
        """Where the model is written."""
        return self.out / f"{self.name}.toon"


def film(
    job: FilmJob,
    deadline: Deadline,
    *,
    hardware: Hardware | None = None,
    progress: Progress = silent,
    report: OnStep = lambda task, losses: None,
) -> tuple[str, ...] | None:
    """Start or continue drawing, training and export.

    Finding and aligning the faces is always finished; it takes about a minute for a thousand.

    Args:
        job: what to make.
        deadline: when to stop.
        hardware: what to train on.
        progress: called as `prepare` calls it.
        report: called as `train_pairs` calls it.

    Returns:
        Names of the portraits in which no face was found; None if time was up first.

    Raises:
        ToonifyError: as `prepare` and `train_pairs` do.
    """
    from lightning_fabric.utilities.rank_zero import rank_zero_only

    def advance(phase: str, done: int, total: int) -> None:
        progress(phase, done, total)
        if phase == "draw" and deadline.passed() and done < total:
            raise _TimeIsUpError

    try:
        left_out = prepare(
            job.people,
            job.out / "pairs",
            look=job.look,
            size=job.settings.pair_size,
            variants=job.variants,
            turned=job.turned,
            workers=job.workers,
            progress=advance,
        )
    except _TimeIsUpError:
        return None
    pairs, folder = PairSet.open(job.out / "pairs"), job.out / "run"
    if not train_pairs(job.settings, pairs, folder, deadline, hardware=hardware, report=report):
        return None
    models = TrainedModels.read(folder)
    entry = Style(finish=FINISHES.get(job.look, PLAIN))
    bundle = export(models, job.name, job.words, style=job.look, entry=entry)
    if not getattr(rank_zero_only, "rank", 0):  # only the first of several processes writes
        bundle.save(job.bundle)
    return left_out
