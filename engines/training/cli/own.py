"""`toonify train style`, `distil` and `refit`: new models from an existing one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from engines.catalogue import DEFAULT_BUNDLE
from engines.errors import ToonifyError
from engines.options import grouped
from engines.training.cli.options import (
    Base,
    Blend,
    LiveFinish,
    Name,
    Out,
    People,
    Pictures,
    RunOptions,
    Work,
    beside,
    paused,
    portraits,
)


@grouped
def style(
    *,
    pictures: Annotated[
        Path, typer.Argument(metavar="PICTURES", help="Folder of about 300 pictures of the style.")
    ],
    out: Out,
    people: People = None,
    base: Annotated[str, Base] = DEFAULT_BUNDLE,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Which of its generators: face or a style; else its first style."
        ),
    ] = None,
    name: Name = "own",
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are square face crops already.")
    ] = False,
    live: LiveFinish,
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
        finish=live.finish(),
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
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name or path.")],
    out: Out,
    people: People = None,
    style: Annotated[
        str | None, typer.Option(metavar="NAME", help="The style that --swap applies to.")
    ] = None,
    blend: Blend,
    work: Work = None,
    pictures: Pictures = None,
    options: RunOptions,
) -> None:
    """Change how a model is blended, and adapt its encoder to that and to webcam pictures."""
    from engines.catalogue.models import find_bundle
    from engines.training.encoder_runs import identity, read_once, train
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
        run = identity(bundle, weights, folder, settings, blends)
        size = bundle.network().input_size
        crops = read_once(folder, size, place, run, now.meter.each)
        trainer = distiller(bundle, crops, blends, settings, now.hardware)
        if not train(trainer, place, now.deadline, now.meter.task):
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
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Name or path of a model without an encoder.")
    ],
    people: People = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The model itself if not given.")
    ] = None,
    size: Annotated[
        int, typer.Option(metavar="PIXELS", help="Side of the encoder's input, pixels.")
    ] = 256,
    work: Work = None,
    pictures: Pictures = None,
    options: RunOptions,
) -> None:
    """Train an encoder for a model made of public generators, so that it runs live."""
    from engines.bundle import Bundle, shipped_bundle
    from engines.catalogue.models import find_model
    from engines.training.encoder_runs import identity, read_once, train
    from engines.training.learn.distil import (
        check_refittable,
        encoder_config,
        refitter,
        with_encoder,
    )
    from engines.training.learn.encoder import REFIT

    path = find_model(model)
    if out is None and path.resolve().parent == shipped_bundle().resolve().parent:
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
        run = identity(bundle, (bundle.face,), folder, settings, {})
        crops = read_once(folder, size, place, run, now.meter.each)
        trainer = refitter(bundle, crops, settings, now.hardware, encoder_config(size))
        if not train(trainer, place, now.deadline, now.meter.task):
            return paused(place)
    note = (
        f"Trained for the face generator on {trainer.drawn} augmented crops of {len(crops)} people."
    )
    if trainer.fabric.is_global_zero:
        with_encoder(bundle, trainer, note).save(target)
