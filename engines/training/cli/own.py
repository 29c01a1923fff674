"""`toonify train style`, `distil` and `refit`: new models from an existing one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engines.catalogue import DEFAULT_BUNDLE
from engines.errors import ToonifyError
from engines.options import grouped
from engines.training.cli.options import (
    Base,
    Blend,
    Name,
    Out,
    People,
    Pictures,
    Run,
    RunOptions,
    Work,
    beside,
    paused,
    portraits,
)

if TYPE_CHECKING:
    from torch import Tensor

    from engines.blending import BlendSpec
    from engines.bundle import Bundle
    from engines.training.learn.encoder import DistilSettings, EncoderTrainer
    from engines.training.pairs.pair_set import PairSet


@grouped
def style(
    *,
    pictures: Annotated[Path, typer.Argument(help="Folder of about 300 pictures of the style.")],
    out: Out,
    people: People = None,
    base: Annotated[str, Base] = DEFAULT_BUNDLE,
    start: Annotated[
        str | None,
        typer.Option(help="Which of its generators: face or a style; else its first style."),
    ] = None,
    name: Name = "own",
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are square face crops already.")
    ] = False,
    blend: Blend = Blend(low="face"),  # noqa: B008
    work: Work = None,
    length: Pictures = None,
    options: RunOptions,
) -> None:
    """Learn a style from a folder of pictures; the model runs live."""
    folder = portraits(people, "the generator learns the style on pictures of people")
    from engines.catalogue.models import find_bundle
    from engines.say import say
    from engines.training.learn.style import StyleSettings
    from engines.training.own.job import DEFAULT_BLEND, StyleJob, train_style

    job = StyleJob(
        pictures=pictures,
        people=folder,
        out=out,
        work=beside(out, work),
        name=name,
        aligned=aligned,
        blend=blend.spec(DEFAULT_BLEND),
        start=start,
        style=options.change(StyleSettings(), length),
    )
    job = replace(job, encoder=options.change(job.encoder))
    with options.start() as now:
        bundle = train_style(
            job,
            find_bundle(base),
            now.deadline,
            hardware=now.hardware,
            say=say,
            track=now.meter.each,
            progress=now.meter.show,
            report=now.meter.task,
        )
    if bundle is None:
        return paused(job.work)
    say(f"Wrote {out}; `toonify run --model {out}` shows it live.")


@grouped
def distil(
    *,
    model: Annotated[str, typer.Argument(help="Name or path.")],
    out: Out,
    people: People = None,
    style: Annotated[str | None, typer.Option(help="The style that --swap applies to.")] = None,
    blend: Blend,
    work: Work = None,
    pictures: Pictures = None,
    options: RunOptions,
) -> None:
    """Change how a model is blended, and adapt its encoder to that and to webcam pictures."""
    from engines.catalogue.models import find_bundle
    from engines.training.learn.distil import distiller, with_encoder
    from engines.training.learn.encoder import DistilSettings

    bundle = find_bundle(model)
    folder = portraits(people, "the encoder learns on them")
    bundle.check(style, spec=blend.spec(None))
    chosen = style or bundle.styles[0]
    blends = {name: look.blend for name, look in bundle.card.styles.items()}
    blends[chosen] = blend.spec(blends[chosen])
    settings = options.change(DistilSettings(), pictures)
    place = beside(out, work)
    with options.start() as now:
        weights = (bundle.encoder or {}, bundle.face, *bundle.toons.values())
        crops = people_of(
            folder,
            bundle.network().input_size,
            place,
            encoder_run(bundle, weights, folder, settings, blends),
            now,
        )
        trainer = distiller(bundle, crops, blends, settings, now.hardware)
        if not train(trainer, place, now):
            return paused(place)
    note = (
        f"Distilled for {', '.join(blends)} on {trainer.drawn} augmented "
        f"crops of {len(crops)} people."
    )
    if trainer.fabric.is_global_zero:
        with_encoder(bundle, trainer, note, blends).save(out)


@grouped
def refit(
    *,
    model: Annotated[str, typer.Argument(help="Name or path of a model without an encoder.")],
    people: People = None,
    out: Annotated[Path | None, typer.Option(help="The model itself if not given.")] = None,
    size: Annotated[int, typer.Option(help="Side of the encoder's input, pixels.")] = 256,
    work: Work = None,
    pictures: Pictures = None,
    options: RunOptions,
) -> None:
    """Train an encoder for a model made of public generators, so that it runs live."""
    from engines.bundle import Bundle, shipped_bundle
    from engines.catalogue.models import find_model
    from engines.training.learn.distil import (
        check_refittable,
        encoder_config,
        refitter,
        with_encoder,
    )
    from engines.training.learn.encoder import REFIT

    path = find_model(model)
    if out is None and path.resolve() == shipped_bundle().resolve():
        raise ToonifyError(
            f"{model} belongs to the package and is not changed; give --out for the refitted copy."
        )
    bundle = Bundle.load(path)
    check_refittable(bundle)
    folder = portraits(people, "the encoder learns to reconstruct them")
    settings = options.change(REFIT, pictures)
    target = out or path
    place = beside(target, work)
    with options.start() as now:
        run = encoder_run(bundle, (bundle.face,), folder, settings, {})
        crops = people_of(folder, size, place, run, now)
        trainer = refitter(bundle, crops, settings, now.hardware, encoder_config(size))
        if not train(trainer, place, now):
            return paused(place)
    note = (
        f"Trained for the face generator on {trainer.drawn} augmented crops of {len(crops)} people."
    )
    if trainer.fabric.is_global_zero:
        with_encoder(bundle, trainer, note).save(target)


def encoder_run(
    bundle: Bundle,
    weights: Sequence[Mapping[str, Tensor]],
    people: Path,
    settings: DistilSettings,
    blends: Mapping[str, BlendSpec],
) -> dict[str, Any]:
    """What decides the result of an encoder's training; its work folder is known by this.

    Args:
        bundle: the model.
        weights: those of its networks that the training reads and does not change.
        people: folder of portraits.
        settings: of the training.
        blends: blend by style.
    """
    from engines.training.work_folder import fingerprint

    return {
        "model": bundle.card.name,
        "weights": fingerprint(*weights),
        "people": str(people.resolve()),
        "blends": {name: asdict(spec) for name, spec in blends.items()},
        "settings": asdict(settings),
    }


def people_of(folder: Path, size: int, work: Path, run: dict[str, Any], now: Run) -> PairSet:
    """The people of a training as pairs, which never change within a work folder.

    Args:
        folder: portraits, or a prepared folder.
        size: side of the pictures, pixels.
        work: the work folder, which is marked as belonging to `run`.
        run: see `encoder_run`.
        now: shows the progress.
    """
    from engines.training.pairs.portraits import listing, people_files, read_people
    from engines.training.work_folder import PICTURES, claim, claimed

    def read() -> PairSet:
        pairs = read_people(folder, size, work / "people.npz", track=now.meter.each)
        claim(work, {"people": listing(people_files(folder))}, PICTURES)
        return pairs

    return claimed(work, run, read)


def train(trainer: EncoderTrainer, work: Path, now: Run) -> bool:
    """Start or continue training an encoder; True when it is done."""
    from engines.training.show.previews import encoder_sheet, run_with_sheet

    picture = work / "sheet.png"
    return run_with_sheet(trainer, work, now.deadline, encoder_sheet, picture, now.meter.task)
