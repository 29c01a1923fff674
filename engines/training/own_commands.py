"""`toonify train style`, `distil` and `refit`: models of one's own from a model that is there."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from engines.training.options import (
    Batch,
    Device,
    Devices,
    Low,
    Minutes,
    Name,
    Out,
    People,
    Pictures,
    Precision,
    Run,
    Swap,
    Threads,
    Work,
    beside,
    blend_spec,
    changed,
    paused,
    portraits,
    slice_of,
)


def style(
    pictures: Annotated[Path, typer.Argument(help="Folder of about 300 pictures of the style.")],
    out: Out,
    people: People = None,
    base: Annotated[str, typer.Option(help="Model to start from, by name or path.")] = "film-256",
    name: Name = "own",
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are square face crops already.")
    ] = False,
    swap: Swap = None,
    low: Low = "face",
    work: Work = None,
    lasts: Annotated[int | None, typer.Option("--pictures", min=1, help="Pictures drawn.")] = None,
    minutes: Minutes = None,
    batch: Batch = None,
    threads: Threads = None,
    device: Device = "auto",
    devices: Devices = "1",
    precision: Precision = "bf16-mixed",
) -> None:
    """Learn a style from a folder of pictures, ready to run live."""
    folder = portraits(people, "the generator learns the style on people whom the encoder shows it")
    from engines.catalogue.models import find_bundle
    from engines.training.own_style import DEFAULT_BLEND, StyleJob, train_style
    from engines.training.screen import say
    from engines.training.style import StyleSettings

    job = StyleJob(
        pictures=pictures,
        people=folder,
        out=out,
        work=beside(out, work),
        name=name,
        aligned=aligned,
        blend=blend_spec(swap, low, DEFAULT_BLEND),
        style=changed(StyleSettings(), lasts, batch),
    )
    if batch:
        job = replace(job, encoder=replace(job.encoder, batch_size=batch))
    with slice_of(minutes, threads, device, devices, precision) as now:
        bundle = train_style(
            job,
            find_bundle(base),
            now.deadline,
            hardware=now.hardware,
            say=say,
            progress=now.meter.each,
            report=now.meter.task,
        )
    if bundle is None:
        return paused(job.work)
    say(f"Wrote {out}; `toonify run --model {out}` shows it live.")


def distil(
    model: Annotated[str, typer.Argument(help="Name or path.")],
    out: Out,
    people: People = None,
    style: Annotated[str | None, typer.Option(help="The style that --swap is for.")] = None,
    swap: Swap = None,
    low: Low = "toon",
    work: Work = None,
    pictures: Pictures = None,
    minutes: Minutes = None,
    batch: Batch = None,
    threads: Threads = None,
    device: Device = "auto",
    devices: Devices = "1",
    precision: Precision = "bf16-mixed",
) -> None:
    """Blend a model's layers and make its encoder steady for that, as webcams deliver faces."""
    from engines.catalogue.models import find_bundle
    from engines.training.distil import DistilSettings, distiller, with_encoder
    from engines.training.portraits import read_people

    bundle = find_bundle(model)
    folder = portraits(people, "the encoder learns on them")
    chosen = style or bundle.styles[0]
    blends = {name: look.blend for name, look in bundle.card.styles.items()}
    blends[chosen] = blend_spec(swap, low, blends.get(chosen))
    settings = changed(DistilSettings(), pictures, batch)
    place = beside(out, work)
    with slice_of(minutes, threads, device, devices, precision) as now:
        claim_encoder(place, bundle, folder, settings, blends)
        crops = read_people(
            folder, bundle.network().input_size, place / "people.npz", progress=now.meter.each
        )
        trainer = distiller(bundle, crops, blends, settings, now.hardware)
        if not train_encoder(trainer, place, now):
            return paused(place)
    note = (
        f"Distilled for {', '.join(blends)} on {trainer.step * settings.batch_size} augmented "
        f"crops of {len(crops)} people."
    )
    if trainer.fabric.is_global_zero:
        with_encoder(bundle, trainer, note, blends).save(out)


def refit(
    model: Annotated[str, typer.Argument(help="A model that has no encoder: name or path.")],
    people: People = None,
    out: Annotated[Path | None, typer.Option(help="If not given, the model itself.")] = None,
    size: Annotated[int, typer.Option(help="Side of the crops the encoder takes.")] = 256,
    work: Work = None,
    pictures: Pictures = None,
    minutes: Minutes = None,
    batch: Batch = None,
    threads: Threads = None,
    device: Device = "auto",
    devices: Devices = "1",
    precision: Precision = "bf16-mixed",
) -> None:
    """Give an encoder to a model made of public generators, so that it runs live."""
    from engines.bundle import Bundle
    from engines.catalogue.models import find_model
    from engines.training.distil import REFIT, encoder_config, refitter, with_encoder
    from engines.training.portraits import read_people

    path = find_model(model)
    bundle = Bundle.load(path)
    folder = portraits(people, "the encoder learns to reconstruct them")
    settings = changed(REFIT, pictures, batch)
    target = out or path
    place = beside(target, work)
    with slice_of(minutes, threads, device, devices, precision) as now:
        claim_encoder(place, bundle, folder, settings, {})
        crops = read_people(folder, size, place / "people.npz", progress=now.meter.each)
        trainer = refitter(bundle, crops, settings, now.hardware, encoder_config(size))
        if not train_encoder(trainer, place, now):
            return paused(place)
    note = (
        f"Trained for the face generator on {trainer.step * settings.batch_size} augmented crops "
        f"of {len(crops)} people."
    )
    if trainer.fabric.is_global_zero:
        with_encoder(bundle, trainer, note).save(target)


def claim_encoder(
    work: Path, bundle: Any, people: Path, settings: Any, blends: dict[str, Any]
) -> None:
    """Mark the working folder, so that two trainings of an encoder are never mixed."""
    from engines.training.slices import claim

    looks = {name: asdict(spec) for name, spec in blends.items()}
    run = {"model": bundle.card.name, "people": str(people.resolve()), "blends": looks}
    claim(work, {**run, "settings": asdict(settings)})


def train_encoder(trainer: Any, work: Path, now: Run) -> bool:
    """Go on with an encoder; True when it is done."""
    from engines.training.previews import encoder_sheet
    from engines.training.sheets import write_png
    from engines.training.slices import run_slice

    return run_slice(
        trainer,
        work,
        now.deadline,
        report=lambda step, losses: now.meter.task("encoder", trainer, step, losses),
        on_save=lambda: write_png(work / "sheet.png", encoder_sheet(trainer)),
    )
