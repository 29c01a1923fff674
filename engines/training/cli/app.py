"""The commands of `toonify train`, also of `python -m engines.training`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from engines.catalogue import DEFAULT_BUNDLE
from engines.command_line import DEBUG_HELP
from engines.options import grouped
from engines.training.cli import own as own_commands
from engines.training.cli.options import (
    Base,
    Blend,
    LiveFinish,
    Look,
    Name,
    Out,
    People,
    Recipe,
    RunOptions,
    Turned,
    Variants,
    Workers,
    paused,
    portraits,
    tell_left_out,
)

app = typer.Typer(
    name="train",
    help="Train a model, or a style of your own. Every training stops cleanly after --minutes or "
    "on Ctrl-C; give the same command again to continue.",
    epilog=DEBUG_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(own_commands.style)
app.command()(own_commands.distil)
app.command()(own_commands.refit)


@app.command()
def prepare(
    people: Annotated[
        Path, typer.Argument(metavar="PEOPLE", help="Folder of portraits, or an aligned set.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the pairs.")],
    look: Look = "film",
    size: Annotated[
        int, typer.Option(metavar="PIXELS", help="Side of the pictures, pixels.")
    ] = 256,
    variants: Variants = None,
    turned: Turned = None,
    workers: Workers = None,
) -> None:
    """Draw photo/toon pairs from a folder of portraits."""
    from engines.training.cli.screen import meter
    from engines.training.pairs.prepare import prepare as draw

    processes = workers or os.cpu_count() or 1
    with meter() as bars:
        left_out = draw(
            people,
            out,
            look=look,
            size=size,
            variants=variants or 0,
            turned=turned or 0,
            workers=processes,
            progress=bars.show,
        )
    tell_left_out(left_out)


@app.command()
@grouped
def film(
    *,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for pairs, training and model.")
    ],
    people: People = None,
    recipe: Recipe = DEFAULT_BUNDLE,
    look: Look = "film",
    variants: Variants = None,
    turned: Turned = None,
    workers: Workers = None,
    options: RunOptions,
) -> None:
    """Make the model film from portraits alone: draw pairs, train, export."""
    folder = portraits(people, "the artist draws them, and the model learns from the drawings")
    from engines.say import say
    from engines.training.film import FilmJob
    from engines.training.film import film as make
    from engines.training.looks import SOLID
    from engines.training.recipe import FILM_TURNED, FILM_VARIANTS, find_recipe

    if turned is None:
        turned = FILM_TURNED if look in SOLID else 0

    job = FilmJob(
        folder,
        out,
        look=look,
        settings=options.change(find_recipe(recipe)),
        variants=FILM_VARIANTS if variants is None else variants,
        turned=turned,
        workers=workers or os.cpu_count() or 1,
    )
    with options.start() as now:
        left_out = make(
            job,
            now.deadline,
            hardware=now.hardware,
            progress=now.meter.show,
            report=now.meter.task,
        )
    if left_out is None:
        return paused(out)
    tell_left_out(left_out)
    say(f"Wrote {job.bundle}; `toonify run --model {job.bundle}` shows it live.")


@app.command()
@grouped
def run(
    *,
    pairs: Annotated[
        Path, typer.Argument(metavar="PAIRS", help="Folder of pairs, from prepare or unpack.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for checkpoint, curves and sample sheet.")
    ],
    recipe: Recipe = DEFAULT_BUNDLE,
    base: Annotated[str | None, Base] = None,
    options: RunOptions,
) -> None:
    """Train the face model and the toon model on photo/toon pairs."""
    from engines.catalogue.models import find_bundle
    from engines.training.film import train_pairs
    from engines.training.pairs.pair_set import PairSet
    from engines.training.recipe import find_recipe

    settings = options.change(find_recipe(recipe))
    start = find_bundle(base) if base else None
    with options.start() as now:
        done = train_pairs(
            settings,
            PairSet.open(pairs),
            out,
            now.deadline,
            hardware=now.hardware,
            base=start,
            report=now.meter.task,
        )
    if not done:
        paused(out)


@app.command()
@grouped
def export(
    *,
    trained: Annotated[
        Path, typer.Argument(metavar="TRAINED", help="Folder of `toonify train run`.")
    ],
    out: Out,
    style: Name = "film",
    blend: Blend,
    describe: Annotated[str, typer.Option(metavar="TEXT", help="The style in one sentence.")] = "",
    words: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON file for the card: title, summary, licence, training, metrics, limits.",
        ),
    ] = None,
    live: LiveFinish,
    add_to: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Add the style to this model, given by name or path."),
    ] = None,
) -> None:
    """Make a model from the weights of a training."""
    from engines.card import Style
    from engines.catalogue.models import find_bundle
    from engines.say import say
    from engines.training.export import (
        WHOLE_TOON,
        Description,
        TrainedModels,
        add_trained_style,
    )
    from engines.training.export import export as to_bundle

    models = TrainedModels.read(trained)
    entry = Style(describe, blend.spec(WHOLE_TOON.blend), live.finish())
    if add_to:
        bundle = add_trained_style(find_bundle(add_to), models, style, entry)
    else:
        about = Description.read(words) if words else Description()
        bundle = to_bundle(models, out.stem, about, style=style, entry=entry)
    bundle.save(out)
    say(f"Wrote {out} with the styles {', '.join(bundle.styles)}.")


@app.command()
def pack(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="Folder of pairs.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    quality: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="N", help="WebP quality.")
    ] = None,
) -> None:
    """Pack training pairs into one small file, to copy to another machine."""
    from engines.say import say
    from engines.training.cli.screen import meter
    from engines.training.pairs.pack import write_pack
    from engines.training.pairs.pair_set import PairSet

    with meter() as bars:
        size = write_pack(PairSet.open(pairs), file, quality=quality, track=bars.each)
    say(f"Wrote {file}, {size / 1e6:.1f} MB.")


@app.command()
def unpack(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File made by `toonify train pack`.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New or empty folder.")],
) -> None:
    """Unpack training pairs."""
    from engines.say import say
    from engines.training.cli.screen import meter
    from engines.training.pairs.pack import read_pack

    with meter() as bars:
        pairs = read_pack(file, folder, track=bars.each)
    say(f"Unpacked {len(pairs)} pairs of {pairs.size} px into {folder}.")


@app.command()
def sheets(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or path.")],
    pairs: Annotated[
        Path, typer.Argument(metavar="PAIRS", help="Folder of pairs of people not trained on.")
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder for people.png and swaps.png.")
    ],
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many people.")] = 16,
) -> None:
    """Draw two sheets: people beside the artist's and the model's toons, and all layer swaps."""
    from engines.catalogue.models import find_bundle
    from engines.say import say
    from engines.training.pairs.pair_set import PairSet
    from engines.training.show.gallery import write_gallery

    seen = PairSet.open(pairs)
    for path in write_gallery(find_bundle(model), seen.photo[:count], seen.toon[:count], folder):
        say(f"Wrote {path}.")
