"""`toonify demo`: a film of the built-in demo, before beside after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engines.errors import ToonifyError
from engines.files import check_writable
from engines.say import Say, say
from realtime.clocks import write_statistics
from realtime.commands.screen import frame_progress, print_statistics
from realtime.session import Session, use_session
from realtime.settings import Settings
from realtime.sinks.before_after import BeforeAfter
from realtime.sources.demo import DemoSource


def run_demo(
    folder: Path,
    settings: Settings,
    *,
    seconds: float = 8.0,
    say: Say = say,
    session: Session | None = None,
) -> dict[str, Any]:
    """Make the demo film, its contact sheet and stats.json in `folder`.

    After an interruption the files hold what was made by then.

    Args:
        session: one that is ready, instead of one made from the settings.

    Returns:
        The statistics of the run.

    Raises:
        ToonifyError: something cannot be used or failed, or the run was interrupted.
    """
    check_writable(folder / "stats.json")
    size, rate = settings.source.size, settings.source.fps
    total = max(1, round(seconds * rate))
    source = DemoSource(size, rate, live=False, total=total)
    film = BeforeAfter(folder, size, rate, total)
    with use_session(settings, say, session=session) as own:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stats.json").unlink(missing_ok=True)  # an earlier demo's, as its film
        with frame_progress() as bar:
            task = bar.add_task("Demo", total=total)
            pipeline = own.pipeline(source, [film], say=say, on_output=lambda _: bar.advance(task))
            pipeline.run()
    numbers = pipeline.snapshot()
    write_statistics(folder / "stats.json", numbers)
    print_statistics(numbers)
    if pipeline.interrupted:
        raise ToonifyError(
            f"The demo was interrupted after {numbers['frames_sent']} of {total} pictures; run it "
            "again for the whole film."
        )
    say(f"Film: {film.film}. Contact sheet: {film.sheet}. Numbers: {folder / 'stats.json'}.")
    return numbers
