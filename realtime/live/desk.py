"""All that a panel shows of a running filter, and all that it may ask for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.errors import UsageError
from engines.say import Say
from realtime.addresses import is_watched, redacted, stream_format
from realtime.controls import Controls
from realtime.guard import Output
from realtime.live.source import ChangingSource
from realtime.settings import OutputSettings, Settings, save_settings
from realtime.sinks import Sink, open_sinks
from realtime.sinks.files import unused, write_bgr_png
from realtime.sinks.switchable import Switchable

if TYPE_CHECKING:
    from realtime.pipeline import Pipeline
    from realtime.session import Session


class Desk:
    """What belongs to one run, in one place; every method may be called from any thread.

    Args:
        session: what draws.
        settings: what the run was begun with.
        source: can be exchanged; None if the run's source ends by itself.
        sinks: those of the settings.
        recorder: what the record key starts and stops.
        folder: takes snapshots, and the settings if they came from no file.
        config: the file that the settings came from.

    Attributes:
        latest: the last picture that went out, without the untooned ones.
        pipeline: of the run; set before it begins.
    """

    pipeline: Pipeline

    def __init__(
        self,
        session: Session,
        controls: Controls,
        settings: Settings,
        say: Say,
        *,
        source: ChangingSource | None,
        sinks: Sequence[Sink],
        recorder: Switchable,
        folder: Path,
        config: Path | None = None,
    ) -> None:
        self.session = session
        self.controls = controls
        self.settings = settings
        self.say = say
        self.source = source
        self.recorder = recorder
        self.latest: Output | None = None
        self._folder = folder
        self._config = config
        targets = [target for target in settings.output.sinks if target != "none"]
        self._sinks = dict(zip(targets, sinks, strict=False))  # an overlay's sink comes after them

    def note(self, output: Output) -> None:
        """Take note of a picture that went out, and of who is in it."""
        self.latest = output
        if self.controls.people:
            seen = [face.identity for face in self.pipeline.faces]
            self.controls.people.see(seen, time.monotonic())

    def snapshot(self) -> str:
        """Write the last picture that went out; returns a sentence that says where."""
        if self.latest is None:
            raise UsageError("There is no picture yet.")
        path = unused(self._folder / "snapshot.png")
        write_bgr_png(path, self.latest.image)
        return f"Snapshot in {path}."

    def change_source(self, source: str, size: tuple[int, int] | None = None) -> str:
        """Take pictures from elsewhere, or in another size; returns once they come.

        Raises:
            ToonifyError: there is no such source, or it gives no picture; the old one goes on.
        """
        if self.source is None:
            raise UsageError("A source that ends by itself cannot be changed.")
        now = self.source.settings
        if source == redacted(now.source):  # as the panel shows it
            source = now.source
        self.source.change(replace(now, source=source, size=size or now.size))
        self.controls.changed()
        return f"Pictures come from {redacted(source)}."

    @property
    def sinks(self) -> list[tuple[str, str]]:
        """Where pictures go, as `--sink` takes it but without its secrets, and what keeps it from
        working."""
        failed = {runner.sink: runner.failed or "" for runner in self.pipeline.outlets.runners}
        return [(redacted(to), failed.get(sink, "")) for to, sink in list(self._sinks.items())]

    def add_sink(self, target: str) -> str:
        """Let pictures go to one more place. If it is the first one that others may watch, the
        guard's mode "auto" hides from now on what it would have hidden there from the start.

        Raises:
            ToonifyError: there is no such place, or it is taken.
        """
        shown = redacted(target)
        if target in self._sinks:
            raise UsageError(f"Pictures go to {shown} already.")
        size, rate = self.pipeline.size, self.pipeline.rate
        only = self._output((target,), overlay="none")
        for sink in open_sinks(only, size, rate, self.pipeline.source, paced=True, say=self.say):
            self._hide_for(target, only)
            self.pipeline.outlets.add(sink)
            self._sinks[target] = sink
        self.controls.changed()
        return f"Pictures go to {shown}."

    def remove_sink(self, target: str) -> str:
        """Let no more pictures go to a place; returns once it has finished.

        Args:
            target: as it was added, or as `sinks` has it.

        Raises:
            UsageError: none go there.
        """
        known = next((to for to in list(self._sinks) if target in (to, redacted(to))), None)
        if known is None:
            raise UsageError(f"No pictures go to {redacted(target)}.")
        self.pipeline.outlets.remove(self._sinks.pop(known), self.controls.guard.farewell())
        self.controls.changed()
        return f"No more pictures go to {redacted(target)}."

    def record(self) -> str:
        """Start a recording, or finish it."""
        self.recorder.toggle()
        self.controls.changed()
        return ""  # the recorder says it

    def save(self) -> str:
        """Write the settings as they are now to the run's own file, or to a new one."""
        settings = self.controls.applied(self.settings)
        source = self.source.settings if self.source else settings.source
        settings = replace(
            settings,
            source=replace(source, mirror=self.controls.mirror),
            output=self._output(tuple(self._sinks) or ("none",)),
        )
        path = self._config or unused(self._folder / "toonify.toml")
        save_settings(settings, path)
        self._config = path
        return f"Wrote {path}; `toonify run --config {path}` uses it."

    def _hide_for(self, target: str, only: OutputSettings) -> None:
        """Set the guard as "auto" would have been understood with this sink from the start."""
        auto = self.settings.guard.mode == "auto" and self.controls.guard.mode == "pass"
        if auto and is_watched(target) and not any(map(is_watched, self._sinks)):
            self.controls.set_guard(replace(self.settings, output=only).guard_mode())

    def _output(self, sinks: tuple[str, ...], **others: Any) -> OutputSettings:
        """The settings for these sinks; only streams take a microphone."""
        audio = self.settings.output.audio if any(map(stream_format, sinks)) else None
        return replace(self.settings.output, sinks=sinks, audio=audio, **others)
