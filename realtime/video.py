"""A whole video, every frame of it; what is done stays done when the work is interrupted.

Beside OUT a folder OUT.parts takes finished segments, each a playable file of its own. The same
command again goes on after the last one. At the end their packets are joined, unchanged, with the
sound of the input, and OUT appears whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Any

import av
import av.error

from engines.card import Card
from engines.errors import ToonifyError, reason
from engines.files import WriteError, atomic_path, write_atomically
from realtime.guard import Output
from realtime.pipeline import Pipeline
from realtime.session import Session, find_chosen
from realtime.settings import Settings
from realtime.sinks import MOVIES
from realtime.sinks.encoding import H264, AudioTrack, MovieWriter
from realtime.sources import Report
from realtime.sources.media import MediaSource, open_media

SEGMENT = 150  # frames; at most so many are done again after a crash
OPTIONS = {**H264, "preset": "faster"}


class VideoError(ToonifyError):
    """A video that cannot be made."""


@dataclass(frozen=True)
class Part:
    """A finished segment: frames `first` to `first + count - 1`."""

    path: Path
    first: int
    count: int


def finished_parts(folder: Path) -> list[Part]:
    """The segments without a gap from frame 0."""
    parts: list[Part] = []
    done = 0
    for path in sorted(folder.glob("segment-*.nut")):
        match = re.fullmatch(r"segment-(\d+)-(\d+)", path.stem)
        if match and int(match[1]) == done:
            parts.append(Part(path, done, int(match[2])))
            done += int(match[2])
    return parts


class Segments:
    """A sink that writes segments, each renamed into place once it is whole."""

    live = False
    local = False

    def __init__(self, folder: Path, size: tuple[int, int], rate: float, first: int) -> None:
        self.name = f"folder {folder}"
        self._folder = folder
        self._size = size
        self._rate = rate
        self._first = first
        self._count = 0
        self._writer: MovieWriter | None = None

    def open(self) -> None:
        """Nothing to do: a file begins with its first frame."""

    def send(self, output: Output) -> None:
        """Add the next frame."""
        if self._writer is None:
            path = self._folder / "unfinished.nut"
            self._writer = MovieWriter(path, self._size, self._rate, options=OPTIONS)
        step = Fraction(self._rate).limit_denominator(1001)
        time = output.media_time
        self._writer.write(
            output.image, (self._first + self._count) / step if time is None else time
        )
        self._count += 1
        if self._count == SEGMENT:
            self.close()

    def close(self) -> None:
        """Finish the segment at hand."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.close()
        name = f"segment-{self._first:08d}-{self._count}.nut"
        os.replace(writer.path, self._folder / name)
        self._first += self._count
        self._count = 0


def convert_video(
    source: Path,
    target: Path,
    settings: Settings,
    report: Report,
    *,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    force: bool = False,
    session: Session | None = None,
) -> dict[str, Any]:
    """Make `target` from `source`: every frame, its time and the sound kept; returns statistics.

    progress: takes frames done and frames in all, if known.
    force: replace a `target` that exists.
    session: one that is ready, instead of one made from the settings.
    Raises `ToonifyError`; what was done by then is kept for the next call.
    """
    _check_target(source, target, force)
    bundle = session.bundle if session else find_chosen(settings.engine)
    folder = target.with_name(target.name + ".parts")
    media = MediaSource(str(source), live=False, loop=False, report=report)
    _begin(folder, _job(source, settings, bundle.card), report)
    parts = finished_parts(folder)
    media.first = first = sum(part.count for part in parts)
    audio = _sound(media.audio_location, target, folder, report)
    if first:
        report(f"Going on after {first} frames that are done.")
    done = first

    def count(_output: Output) -> None:
        nonlocal done
        done += 1
        progress(done, media.total)

    # There is time to look at every face in every frame.
    faces = dataclasses.replace(settings.faces, look_interval=0.0)
    own = session or Session(dataclasses.replace(settings, faces=faces), report, bundle)
    try:
        guard = own.guard(media.size)
        controls = own.controls(guard, report)
        pipeline = Pipeline(
            media,
            own.tracker,
            own.stylizer,
            guard,
            [Segments(folder, media.size, media.rate, first)],
            controls,
            report,
            rate=media.rate,
            paced=False,
            watch=own.watch,
            shared=own.shared,
            about=own.about,
            on_output=count,
        )
        pipeline.run()
    finally:
        if session is None:
            own.close()
    if pipeline.interrupted:
        raise VideoError(f"Stopped after {done} frames; the same command goes on from there.")
    _join(finished_parts(folder), audio, target, report)
    shutil.rmtree(folder)
    return pipeline.snapshot()


def _check_target(source: Path, target: Path, force: bool) -> None:
    if target.suffix.lower() not in MOVIES:
        raise VideoError(f"{target} must end in {', '.join(MOVIES)}.")
    if not source.is_file():
        raise VideoError(f"There is no video {source}; check the path.")
    if target.exists() and os.path.samefile(source, target):
        raise VideoError(f"{target} is the input itself; give the output another name.")
    if target.exists() and not force:
        raise VideoError(f"{target} exists; give another name or --force to replace it.")


def _job(source: Path, settings: Settings, model: Card) -> dict[str, Any]:
    """Everything that decides about the pictures; segments of another job do not fit to ours."""
    card = settings.guard.card
    relevant = {
        **{
            name: dataclasses.asdict(getattr(settings, name))
            for name in ("faces", "engine", "compositing", "guard")
        },
        "program": metadata.version("toonify-live"),
        "model": model.to_json(),  # with the hashes of its parts, whatever its name or place
        "mirror": settings.source.mirror,
        "mode": settings.guard_mode(),
        "card": _state(Path(card)) if card and Path(card).is_file() else None,
    }
    return {
        "input": _state(source),
        "settings": hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest(),
    }


def _state(path: Path) -> list[str | int]:
    """What changes when a file does."""
    status = path.stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]


def _begin(folder: Path, job: dict[str, Any], report: Report) -> None:
    """Make the folder; segments of another job are thrown away."""
    card = folder / "job.json"
    if folder.exists():
        try:
            if json.loads(card.read_text()) == job:
                return
        except (OSError, ValueError):
            if any(folder.iterdir()):
                raise VideoError(
                    f"{folder} is in the way and is not of our making; move it away."
                ) from None
        report(f"Beginning anew: {folder} holds work for another input, model or settings.")
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise VideoError(
            f"The folder {folder} cannot be made: {reason(error)}; give another OUT."
        ) from error
    write_atomically(card, json.dumps(job).encode())


def _sound(audio: str | None, target: Path, folder: Path, report: Report) -> str | None:
    """`audio` if `target` can hold its sound: tried on a second of it, before hours of drawing."""
    if not audio:
        return None
    trial = folder / f"sound{target.suffix}"
    try:
        with av.open(str(trial), "w") as output:
            sound = _track(audio, output, target)
            sound.write(sound.start + 1)
            sound.close()
    except (av.error.FFmpegError, OSError, ValueError) as error:
        report(f"The sound of {audio} cannot be kept ({error}); {target} is made without it.")
        return None
    finally:
        trial.unlink(missing_ok=True)
    return audio


def _track(audio: str, output: Any, target: Path) -> AudioTrack:
    return AudioTrack(audio, output, begin=None if _edits(target) else Fraction(0))


def _edits(target: Path) -> bool:
    """Whether a track may begin before time 0."""
    return target.suffix.lower() != ".mkv"


def _join(parts: list[Part], audio: str | None, target: Path, report: Report) -> None:
    """Put the segments' packets and the sound into `target`, atomically; without the sound, and
    telling so, if only that makes it fail."""
    if not parts:
        raise VideoError("The input holds no frame that can be decoded.")
    try:
        with atomic_path(target) as partial:
            try:
                _mux(parts, audio, target, partial)
            except (av.error.FFmpegError, OSError, ValueError) as error:
                if not audio:
                    raise
                _mux(parts, None, target, partial)
                report(f"The sound of {audio} could not be kept ({error}); {target} is without it.")
    except WriteError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(f"{target} cannot be written: {error}.") from error


def _mux(parts: list[Part], audio: str | None, target: Path, partial: Path) -> None:
    options = {"movflags": "faststart"} if _edits(target) else {}
    with av.open(str(partial), "w", options=options) as output:
        with open_media(str(parts[0].path)) as model:
            stream = output.add_stream_from_template(model.streams.video[0])
        sound = _track(audio, output, target) if audio else None
        for part in parts:
            with open_media(str(part.path)) as segment:
                for packet in segment.demux(segment.streams.video[0]):
                    if packet.dts is None:
                        continue
                    if sound:
                        sound.write(packet.dts * packet.time_base)
                    packet.stream = stream
                    output.mux(packet)
        if sound:
            sound.write(None)
            sound.close()
