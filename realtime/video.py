"""A whole video, every frame of it; finished work is kept when the command is interrupted.

A folder OUT.parts beside OUT takes finished segments, each a playable file of its own. The same
command continues after the last one. At the end their packets are joined, unchanged, with the
sound of the input, and OUT appears whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Any

import av
import av.error

from engines.card import Card
from engines.errors import ToonifyError, UsageError
from engines.files import WriteError, atomic_path, taken
from engines.say import Say
from realtime.guard import Output
from realtime.session import Session, find_chosen, use_session
from realtime.settings import Settings
from realtime.sinks import MOVIES
from realtime.sinks.encoding import AudioTrack
from realtime.sinks.segments import TRIAL, Part, Segments, finished_parts, workplace
from realtime.sources.media import MediaSource, open_media


class VideoError(ToonifyError):
    """A video that cannot be made."""


class VideoUseError(VideoError, UsageError):
    """Paths that can never be a video."""


def convert_video(
    source: Path,
    target: Path,
    settings: Settings,
    say: Say,
    *,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    force: bool = False,
    session: Session | None = None,
) -> dict[str, Any]:
    """Make `target` from `source`: every frame, its time and the sound kept.

    Args:
        progress: takes frames done and frames in all, if known.
        force: replace a `target` that exists.
        session: one that is ready, instead of one made from the settings.

    Returns:
        The statistics of the run.

    Raises:
        ToonifyError: something cannot be used or failed; what was done by then is kept for the next
            call.
    """
    _check_target(source, target, force)
    bundle = session.bundle if session else find_chosen(settings.engine)
    folder = target.with_name(target.name + ".parts")
    media = MediaSource(str(source), live=False, loop=False, tolerant=True)
    with workplace(folder, _job(source, settings, bundle.card), say):
        media.first = first = sum(part.count for part in finished_parts(folder))
        audio = _sound(media.audio_location, target, folder, say)
        if first:
            say(f"Continuing after {first} finished frames.")
        done = first

        def count(_output: Output) -> None:
            nonlocal done
            done += 1
            progress(done, media.total)

        # There is time to detect every face, and to look for more, in every frame.
        faces = dataclasses.replace(settings.faces, refresh_interval=0.0, search_interval=0.0)
        every = dataclasses.replace(settings, faces=faces)
        with use_session(every, say, bundle=bundle, session=session) as own:
            segments = Segments(folder, media.size, media.rate, first)
            pipeline = own.pipeline(media, [segments], say=say, on_output=count)
            pipeline.run()
        if pipeline.interrupted:
            raise VideoError(f"Stopped after {done} frames; the same command continues from there.")
        losses = media.losses()
        for loss in [*losses, f"{target} holds what is there."] if losses else []:
            say(loss)
        _join(finished_parts(folder), audio, target, say)
    return pipeline.snapshot()


def _check_target(source: Path, target: Path, force: bool) -> None:
    if target.suffix.lower() not in MOVIES:
        raise VideoUseError(f"{target} must end in {', '.join(MOVIES)}.")
    if os.path.isdir(source):
        raise VideoUseError(f"{source} is a folder, not a video; give the file itself.")
    if not os.path.isfile(source):
        raise VideoError(f"There is no video {source}; check the path.")
    there = taken(target)
    if there and os.path.samefile(source, target):
        raise VideoError(f"{target} is the input itself; give the output another name.")
    if target.is_dir():
        raise VideoError(f"{target} is a folder; give the name of a file.")
    if there and not force:
        raise VideoError(f"{target} exists; give another name or --force to replace it.")


def _job(source: Path, settings: Settings, model: Card) -> dict[str, Any]:
    """Everything that decides what the pictures are; segments of another job cannot be used."""
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


def _sound(audio: str | None, target: Path, folder: Path, say: Say) -> str | None:
    """`audio` if `target` can hold its sound: tried on a second of it, before hours of drawing."""
    if not audio:
        return None
    trial = folder / f"{TRIAL}{target.suffix}"
    try:
        with av.open(str(trial), "w") as output:
            sound = _track(audio, output, target)
            sound.write(sound.start + 1)
            sound.close()
    except (av.error.FFmpegError, OSError, ValueError) as error:
        say(f"The sound of {audio} cannot be kept ({error}); {target} is made without it.")
        return None
    finally:
        trial.unlink(missing_ok=True)
    return audio


def _track(audio: str, output: Any, target: Path) -> AudioTrack:
    return AudioTrack(audio, output, begin=None if _edits(target) else Fraction(0))


def _edits(target: Path) -> bool:
    """Whether a track may begin before time 0."""
    return target.suffix.lower() != ".mkv"


def _join(parts: list[Part], audio: str | None, target: Path, say: Say) -> None:
    """Put the segments' packets and the sound into `target`, atomically. If only the sound makes
    it fail, leave that out and say so."""
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
                say(f"The sound of {audio} could not be kept ({error}); {target} is without it.")
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
