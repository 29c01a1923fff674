"""The `toonify` command: parses, builds settings, calls. Exit codes: 0 done, 1 the task failed,
2 wrong use."""

from __future__ import annotations

import importlib
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engines.errors import ToonifyError, install
from realtime.cli.models import Precision, Style, blend, engines_app, models_app
from realtime.process import early_panic

# The libraries below MediaPipe log to standard error by default; errors reach us as exceptions.
os.environ.setdefault("GLOG_minloglevel", "2")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

app = typer.Typer(
    name="toonify",
    help="Turns the face in a webcam stream into an animated-film character, live.",
    epilog="--debug with any command shows the traceback of an error.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(models_app, name="models")
app.add_typer(engines_app, name="engines")


def parse_size(text: str) -> tuple[int, int]:
    """ "1280x720" as (1280, 720)."""
    match = re.fullmatch(r"(\d+)[x×](\d+)", text)
    if not match:
        raise typer.BadParameter(f"a size looks like 1280x720, not {text!r}")
    return int(match[1]), int(match[2])


Model = Annotated[
    str | None, typer.Option("--model", help="An installed model's name, or the path of one.")
]
Swap = Annotated[
    int | None, typer.Option(help="Resolution from which layers are the person's own: 4 to 1024.")
]
Strength = Annotated[float | None, typer.Option(help="Share of the toon, 0 to 1.")]
Mode = Annotated[str | None, typer.Option(help="What is pasted: head, face or crop.")]
GuardFlag = Annotated[
    str | None,
    typer.Option("--guard", help="Shown when there is no toon: pass, hold, blur or card."),
]
EngineFlag = Annotated[
    str | None,
    typer.Option("--engine", help="auto, or a back end: tensorrt-rtx, tensorrt, cuda, openvino, "
                 "torch; asked for by name, none other is taken."),
]  # fmt: skip
Faces = Annotated[int | None, typer.Option(help="How many faces are made toons.")]
Config = Annotated[Path | None, typer.Option(help="Settings file (TOML); flags win over it.")]
Stats = Annotated[Path | None, typer.Option(help="Write the numbers of the run as JSON.")]
Size = Annotated[str | None, typer.Option(help="Pixels asked of the camera, like 1280x720.")]


def settings_from(config: Path | None, **flags: Any) -> Any:
    """Settings from a file and short-named flags."""
    from realtime.settings import flags_of, load_settings

    return load_settings(config, flags_of(flags))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the film.")] = Path("demo-out"),
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of the film.")] = 8.0,
    model: Model = None,
    style: Style = None,
    swap: Swap = None,
    strength: Strength = None,
    mode: Mode = None,
    engine: EngineFlag = None,
    precision: Precision = None,
    size: Size = None,
) -> None:
    """Make a film of the built-in demo, before beside after; needs no camera."""
    from realtime.commands.demo import run_demo

    settings = settings_from(
        None, source="demo", size=parse_size(size) if size else None, guard="pass", bundle=model,
        style=style, swap=swap, strength=strength, mode=mode, engine=engine, precision=precision,
    )  # fmt: skip
    run_demo(out, settings, seconds=seconds)


@app.command()
@early_panic()
def run(
    source: Annotated[
        str | None,
        typer.Option(help="Camera index, name or path; file; URL; folder; picture; or demo."),
    ] = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(help="virtual, virtual:DEVICE, a movie, a folder/ or none; several times."),
    ] = None,
    preview: Annotated[
        bool | None, typer.Option("--preview/--no-preview", help="Open a window (h: keys).")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Also record to this movie.")] = None,
    overlay: Annotated[
        str | None,
        typer.Option(help="green: toons on green; or a .mov, .webm or folder/ with alpha."),
    ] = None,
    model: Model = None,
    style: Style = None,
    swap: Swap = None,
    strength: Strength = None,
    mode: Mode = None,
    guard: GuardFlag = None,
    look_ahead: Annotated[
        int | None, typer.Option(help="Frames the guard waits to see a face that enters.")
    ] = None,
    card: Annotated[str | None, typer.Option(help="Picture shown by the guard's card.")] = None,
    engine: EngineFlag = None,
    precision: Precision = None,
    size: Size = None,
    fps: Annotated[float | None, typer.Option(help="Rate asked of the camera.")] = None,
    faces: Faces = None,
    mirror: Annotated[
        bool | None, typer.Option("--mirror/--no-mirror", help="Flip left and right.")
    ] = None,
    loop: Annotated[
        bool | None, typer.Option("--loop/--no-loop", help="Start a file again at its end.")
    ] = None,
    pixel_format: Annotated[
        str | None, typer.Option(help="For the virtual camera: i420, nv12, yuyv, bgr, ...")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after this time.")] = None,
    config: Config = None,
    save: Annotated[
        Path | None, typer.Option(help="Write these settings to a file and end.")
    ] = None,
    stats: Stats = None,
) -> None:
    """Camera to virtual camera, until Ctrl-C."""
    settings = settings_from(
        config, source=source, sinks=sink or None, preview=preview, overlay=overlay, bundle=model,
        style=style, swap=swap, strength=strength, mode=mode, guard=guard, look_ahead=look_ahead,
        card=card, engine=engine, precision=precision, size=parse_size(size) if size else None,
        fps=fps, faces=faces, mirror=mirror, loop=loop, pixel_format=pixel_format,
    )  # fmt: skip
    if record:
        from dataclasses import replace

        output = replace(settings.output, sinks=(*settings.output.sinks, str(record)))
        settings = replace(settings, output=output)
    if save:
        from realtime.commands.screen import say
        from realtime.settings import save_settings

        save_settings(settings, save)
        say(f"Wrote {save}; `toonify run --config {save}` uses it.")
        return
    from realtime.commands.run import run_live

    run_live(settings, stats=stats, seconds=seconds)


@app.command()
def image(
    pictures: Annotated[list[Path], typer.Argument(metavar="IN...", help="Pictures or folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    model: Model = None,
    style: Style = None,
    swap: Swap = None,
    strength: Strength = None,
    mode: Mode = None,
    guard: GuardFlag = "pass",
    engine: EngineFlag = None,
    precision: Precision = None,
    faces: Faces = 16,
) -> None:
    """Toons of pictures: every face, any size; transparency and orientation kept."""
    from realtime.api import Toonifier
    from realtime.commands.files import convert_images
    from realtime.commands.screen import say

    settings = settings_from(
        None, bundle=model, style=style, swap=swap, strength=strength, mode=mode, guard=guard,
        engine=engine, precision=precision, faces=faces,
    )  # fmt: skip
    with Toonifier(settings=settings, say=say) as toonify:
        if failed := convert_images(pictures, out, toonify, say):
            raise ToonifyError(
                f"{failed} of the pictures could not be made; the reasons are above."
            )


@app.command()
def video(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A video.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A .mp4, .mov or .mkv.")],
    model: Model = None,
    style: Style = None,
    swap: Swap = None,
    strength: Strength = None,
    mode: Mode = None,
    guard: GuardFlag = None,
    engine: EngineFlag = None,
    precision: Precision = None,
    faces: Faces = None,
    config: Config = None,
    stats: Stats = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
) -> None:
    """Every frame of a video, sound kept; the same command goes on after an interruption."""
    from engines.files import check_writable
    from realtime.clocks import write_statistics
    from realtime.commands.screen import frame_progress, out, say, statistics_table
    from realtime.video import convert_video

    settings = settings_from(
        config, bundle=model, style=style, swap=swap, strength=strength, mode=mode, guard=guard,
        engine=engine, precision=precision, faces=faces,
        sinks=[str(target)],  # the only one, so that the guard is open unless a mode is set
    )  # fmt: skip
    if stats:
        check_writable(stats)
    with frame_progress() as bar:
        task = bar.add_task(source.name, total=None)
        numbers = convert_video(
            source, target, settings, say, force=force,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    if stats:
        write_statistics(stats, numbers)
    out.print(statistics_table(numbers))
    say(f"Wrote {target}.")


@app.command()
def devices() -> None:
    """Cameras and virtual cameras: names, sizes, what is wrong with each."""
    from realtime.commands.machine import show_devices

    show_devices()


@app.command()
def doctor() -> None:
    """Whether `toonify run` can work here, and the command that mends each problem."""
    from realtime.commands.machine import show_doctor

    if not show_doctor():
        raise typer.Exit(1)


def _forward(name: str, module: str, summary: str) -> None:
    """Offer the Typer app of another package as a command, imported only when it is used."""

    @app.command(
        name,
        help=summary,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        add_help_option=False,
    )
    def command(context: typer.Context) -> None:
        sub = importlib.import_module(module).app
        sub(args=context.args, prog_name=f"toonify {name}")


app.command()(blend)
_forward("bench", "benchmarks.cli", "How fast and how good: engines, the whole loop, quality.")
_forward("train", "engines.training.cli.app", "Train a model, or one of your own style.")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code and never raises."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        app(args=[word for word in arguments if word != "--debug"], prog_name="toonify")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except KeyboardInterrupt:
        return 1
    except Exception as error:
        if debug:
            raise
        return _explain(error)
    return 0


def _explain(error: Exception) -> int:
    from realtime.commands.screen import say

    if isinstance(error, ToonifyError):
        say(f"Error: {error}")
        return error.exit_code
    if isinstance(error, ModuleNotFoundError):
        say(f"Error: {error.name} is not installed; run: {install('train,bench')}.")
    else:
        say(f"Error: {type(error).__name__}: {error}. This is a fault of the program; run the "
            "command again with --debug and report what it shows.")  # fmt: skip
    return 1
