"""`convert_video` on real files with the real tracker and engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engines.card import Card
from realtime import video
from realtime.session import Session
from realtime.settings import GuardSettings, OutputSettings, SourceSettings
from realtime.sinks import SinkError, segments
from realtime.sinks.encoding import AudioTrack
from realtime.sinks.segments import finished_parts
from realtime.sources import SourceError
from realtime.sources.demo import DemoSource
from realtime.video import VideoError, convert_video
from tests.realtime.fakes import Messages
from tests.realtime.media import (
    RATE,
    SOUND_RATE,
    damage,
    number_of,
    read_movie,
    tone_begins,
    write_movie,
)

COUNT = 30


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbered pictures without faces, with sound, unevenly timed."""
    return write_movie(tmp_path_factory.mktemp("film") / "in.mp4", COUNT, jitter=True)


def convert(film: Path, target: Path, session: Session, **options: Any) -> dict[str, Any]:
    return convert_video(
        film,
        target,
        session.settings,
        options.pop("say", Messages()),
        session=session,
        **options,
    )


def check(film: Path, made: Path) -> None:
    """Every frame once, in order, at its time, with all of the sound."""
    before, after = read_movie(film), read_movie(made)
    assert [number_of(image) for image in after[0]] == list(range(COUNT))
    assert after[1] == pytest.approx(before[1], abs=1e-3)
    assert len(after[2]) == pytest.approx(len(before[2]), abs=1100)


def test_every_frame_its_time_and_the_sound_are_kept(
    film: Path, tmp_path: Path, session: Session
) -> None:
    seen = []
    numbers = convert(
        film, tmp_path / "out.mp4", session, progress=lambda *state: seen.append(state)
    )
    check(film, tmp_path / "out.mp4")
    assert numbers["frames_sent"] == COUNT
    assert seen[-1] == (COUNT, COUNT)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_an_interrupted_conversion_goes_on(
    film: Path, tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT", 8)
    target = tmp_path / "out.mkv"
    real = session.stylizer.apply
    calls = 0

    def dying(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 21:
            raise RuntimeError("power cut")
        return real(*arguments)

    # Frames without faces do not reach the engine, so the tracker stands in for the failure.
    update = session.tracker.update
    monkeypatch.setattr(
        session.tracker, "update", lambda frame: (dying(frame, []), update(frame))[1]
    )
    with pytest.raises(RuntimeError, match="power cut"):
        convert(film, target, session)
    assert not target.exists()
    done = sum(part.count for part in finished_parts(tmp_path / "out.mkv.parts"))
    assert 16 <= done <= 20

    messages = Messages()
    numbers = convert(film, target, session, say=messages)
    assert f"Continuing after {done} finished frames." in messages
    assert numbers["frames_sent"] == COUNT - done
    check(film, target)
    assert not (tmp_path / "out.mkv.parts").exists()


def test_work_for_another_input_is_begun_anew(film: Path, tmp_path: Path, session: Session) -> None:
    folder = tmp_path / "out.mp4.parts"
    folder.mkdir()
    (folder / "job.json").write_text('{"input": "another"}')
    (folder / "segment-00000000-30.nut").write_bytes(b"junk")
    messages = Messages()
    convert(film, tmp_path / "out.mp4", session, say=messages)
    assert any("Starting over" in line for line in messages)
    check(film, tmp_path / "out.mp4")


def test_work_with_another_model_or_other_settings_is_begun_anew(
    film: Path, tmp_path: Path, session: Session
) -> None:
    def job(model: Card = session.bundle.card, **changes: Any) -> dict[str, Any]:
        return video._job(film, replace(session.settings, **changes), model)

    card = tmp_path / "card.png"
    guard = GuardSettings(mode="card", card=str(card))
    jobs = [
        job(),
        job(replace(session.bundle.card, parts={"face.safetensors": "0" * 64})),
        job(source=SourceSettings(mirror=True)),
        job(guard=GuardSettings(), output=OutputSettings(sinks=("virtual",))),
        job(guard=GuardSettings(), output=OutputSettings(sinks=("a.mp4",))),
        job(guard=guard),
    ]
    card.write_bytes(b"x")
    jobs.append(job(guard=guard))
    assert all(jobs.count(one) == 1 for one in jobs)
    assert job() == jobs[0]


def test_nothing_of_the_user_s_is_touched(film: Path, tmp_path: Path, session: Session) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"precious")
    with pytest.raises(VideoError, match="exists; give another name or --force"):
        convert(film, target, session)
    with pytest.raises(VideoError, match="the input itself"):
        convert(film, film, session, force=True)
    with pytest.raises(VideoError, match=r"must end in \.mp4"):
        convert(film, tmp_path / "out.gif", session)
    folder = tmp_path / "new.mp4.parts"
    folder.mkdir()
    for other in ("mine.txt", "job.json"):  # any JSON makes no folder ours
        (folder / other).write_text("{}")
        with pytest.raises(SinkError, match="this command did not make it"):
            convert(film, tmp_path / "new.mp4", session)
    (tmp_path / "new.mkv").mkdir()
    with pytest.raises(VideoError, match=r"new\.mkv is a folder; give the name of a file"):
        convert(film, tmp_path / "new.mkv", session, force=True)
    with pytest.raises(VideoError, match="no video"):
        convert(tmp_path / "missing.mp4", tmp_path / "new2.mp4", session)
    assert target.read_bytes() == b"precious"
    assert (folder / "mine.txt").exists()


def test_faces_are_changed_and_only_they(tmp_path: Path, session: Session) -> None:
    demo = DemoSource((640, 360), 25, live=False)
    pictures = [demo.render(step) for step in range(6)]
    film = write_movie(tmp_path / "in.mp4", 6, size=(640, 360), pictures=pictures, sound=None)
    convert(film, tmp_path / "out.mp4", session)
    before, after = read_movie(film), read_movie(tmp_path / "out.mp4")
    assert after[1][:2] == pytest.approx([Fraction(0), Fraction(1, 25)])
    for old, new in zip(before[0], after[0], strict=True):
        change = np.abs(old.astype(int) - new).max(axis=2)
        assert change[60:220, 230:350].mean() > 10  # the face
        assert change[:, 450:].mean() < 4  # the shelf: the codec's losses only


@pytest.mark.parametrize(
    ("sound", "before", "after"),
    [
        ("pcm_s16le", ".avi", ".mp4"),
        ("pcm_s16le", ".mkv", ".mov"),
        ("pcm_alaw", ".avi", ".mp4"),
        ("pcm_alaw", ".avi", ".mkv"),
        ("libopus", ".mkv", ".mov"),
        ("pcm_s16le", ".mkv", ".mkv"),
    ],
)
def test_common_sound_is_kept_in_every_container(
    sound: str, before: str, after: str, tmp_path: Path, session: Session
) -> None:
    film = write_movie(tmp_path / f"in{before}", COUNT, sound=sound, tone_from=0.4)
    target = tmp_path / f"out{after}"
    convert(film, target, session, say=(messages := Messages()))
    assert not any("sound" in line for line in messages)
    assert tone_begins(target) == pytest.approx(0.4, abs=0.03)
    pictures, _, samples = read_movie(target)
    assert len(pictures) == COUNT
    assert len(samples) == pytest.approx(COUNT * SOUND_RATE / RATE, abs=2100)
    with av.open(str(target)) as made:
        codec = made.streams.audio[0].codec_context.name
    assert codec == ("pcm_s16le" if after == before == ".mkv" else "aac")


@pytest.mark.parametrize("late", [False, True], ids=["at once", "at the join"])
def test_sound_that_cannot_be_kept_costs_only_itself(
    late: bool, film: Path, tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    told_after: list[int] = []

    class Failing(AudioTrack):
        def write(self, until: Fraction | None) -> None:
            if until is None or not late:
                raise ValueError("no such sound")
            super().write(until)

    class Noting(Messages):
        def __call__(self, line: str) -> None:
            super().__call__(line)
            told_after.append(len(drawn))

    monkeypatch.setattr(video, "AudioTrack", Failing)
    messages = Noting()
    target = tmp_path / "out.mp4"
    convert(film, target, session, say=messages, progress=lambda *_: drawn.append(1))
    (told,) = [i for i, line in enumerate(messages) if "(no such sound)" in line]
    assert told_after[told] == (COUNT if late else 0)
    pictures, _, sound = read_movie(target)
    assert [number_of(image) for image in pictures] == list(range(COUNT))
    assert len(sound) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_damaged_video_is_told_and_leaves_nothing(
    film: Path, tmp_path: Path, session: Session
) -> None:
    damaged = damage(film, tmp_path / "damaged.mp4")
    with pytest.raises(SourceError, match=r"holds no picture that can be decoded \(.+\)"):
        convert(damaged, tmp_path / "out.mp4", session)
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.mp4"]


def test_a_place_that_cannot_be_written_is_told(
    film: Path, tmp_path: Path, session: Session
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SinkError, match=r"out\.mp4\.parts cannot be made: Not a directory; give"):
        convert(film, tmp_path / "file/out.mp4", session)


@pytest.mark.parametrize("mode", ["pass", "blur"])
def test_the_pictures_do_not_depend_on_the_speed_of_the_machine(
    mode: str, tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = DemoSource((320, 180), RATE, live=False)
    pictures = [demo.render(step) for step in range(4 * RATE, 4 * RATE + 24)]  # somebody comes in
    film = write_movie(tmp_path / "in.mp4", len(pictures), size=(320, 180), pictures=pictures)
    guard = GuardSettings(mode=mode)  # type: ignore[arg-type]
    monkeypatch.setattr(session, "settings", replace(session.settings, guard=guard))
    convert(film, tmp_path / "fast.mp4", session)

    draw, alarmed = session.stylizer.draw, session.strangers.alarmed

    def slowly(action: Callable[..., Any], *arguments: Any) -> Any:
        time.sleep(0.03)
        return action(*arguments)

    monkeypatch.setattr(session.stylizer, "draw", partial(slowly, draw))
    monkeypatch.setattr(session.strangers, "alarmed", partial(slowly, alarmed))
    convert(film, tmp_path / "slow.mp4", session)
    fast, slow = (read_movie(tmp_path / name)[0] for name in ("fast.mp4", "slow.mp4"))
    assert len(fast) == len(pictures)
    assert all(np.array_equal(one, other) for one, other in zip(fast, slow, strict=True))


def test_latency_is_counted_from_the_moment_of_capture(
    film: Path, tmp_path: Path, session: Session
) -> None:
    numbers = convert(film, tmp_path / "out.mp4", session)
    assert numbers["added_latency"]["count"] == COUNT
    assert 0 < numbers["added_latency"]["p50_ms"] < 1e3 * numbers["seconds"]
    assert numbers["source_fps"] == pytest.approx(COUNT / numbers["seconds"], rel=0.9)
