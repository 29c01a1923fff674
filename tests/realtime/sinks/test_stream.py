"""Live streams, taken by real servers and real receivers on this machine."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from realtime.addresses import stream_format
from realtime.frame import as_uint8
from realtime.guard import Output
from realtime.sinks import SinkError
from realtime.sinks.runner import SinkRunner
from realtime.sinks.stream import StreamSink
from tests.realtime.fakes import SIZE, Collector, FakeSource, Messages, raw_pixels
from tests.realtime.media import time_of
from tests.realtime.microphones import Desk
from tests.realtime.runs import Run
from tests.realtime.servers import free_port, receiver, require_ffmpeg, rtmp_server, wait_for

KEY = "k3y-0f-m1ne"
RATE = 25.0


def stream(target: str, messages: Messages | None = None, **options: Any) -> StreamSink:
    container = stream_format(target)
    assert container
    return StreamSink(target, container, SIZE, RATE, messages or Messages(), **options)


def picture(level: int, **fields: Any) -> Output:
    image = np.full((SIZE[1], SIZE[0], 3), level, np.uint8)
    return Output(image, np.zeros(SIZE[::-1], np.uint8), "toon", **fields)


@contextmanager
def fed(sink: Any, make: Callable[[float], Output], pause: float = 0.02) -> Iterator[SinkRunner]:
    """A sink that is given pictures by a thread of its own, as in a run."""
    messages = Messages()
    runner = SinkRunner(sink, messages, wait=False, pauses=(0.1, 0.2))
    runner.messages = messages  # type: ignore[attr-defined]
    ended = threading.Event()

    def feed() -> None:
        while not ended.wait(pause):
            runner.put(make(time.monotonic()))

    thread = threading.Thread(target=feed)
    runner.start()
    thread.start()
    try:
        yield runner
    finally:
        ended.set()
        thread.join()
        runner.stop(10.0)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_a_file_holds_what_services_ask_for(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    sink = stream(str(path))
    sink.open()
    for level in range(0, 240, 5):  # slower than the stream's rate
        sink.send(picture(level))
        time.sleep(0.09)
    sink.send(picture(255))
    sink.close()
    with av.open(str(path)) as film:
        video, sound = film.streams.video[0], film.streams.audio[0]
        assert (video.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height) == SIZE
        frames = list(film.decode(video))
    times = [float(time_of(frame)) for frame in frames]
    assert np.diff(times) == pytest.approx(1 / RATE, abs=1e-3)  # a constant rate
    keys = [at - times[0] for at, frame in zip(times, frames, strict=True) if frame.key_frame]
    assert keys == pytest.approx([2.0 * n for n in range(len(keys))], abs=1e-3)
    assert len(keys) >= 2
    levels = [float(frame.to_ndarray(format="gray").mean()) for frame in frames]
    assert levels[0] < 30  # black until the first picture
    assert levels[-1] > 230  # the last one is there
    with av.open(str(path)) as film:
        heard = [frame.to_ndarray() for frame in film.decode(audio=0)]
    assert len(heard) * 1024 / 48_000 == pytest.approx(times[-1] - times[0], abs=0.1)
    assert np.abs(np.concatenate(heard, axis=1)).max() < 1e-3


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"mine")
    sink = stream(str(tmp_path / "a.ts"))
    sink.open()
    sink.close()
    assert (tmp_path / "a.ts").read_bytes() == b"mine"
    assert (tmp_path / "a-2.ts").stat().st_size > 1000


def test_the_panic_key_counts_also_for_pictures_that_are_sent_late(tmp_path: Path) -> None:
    sink = stream(str(tmp_path / "a.ts"))
    sink.open()
    earlier = time.monotonic()
    sink.send(picture(200))
    assert sink._shown_at(earlier - 1) is None
    sink.send(replace(picture(50), kind="card"))
    shown = sink._shown_at(earlier - 1)
    sink.close()
    assert shown
    assert shown.kind == "card"


def test_a_run_streams_toons_over_rtmp(tmp_path: Path) -> None:
    port = free_port()
    address = f"rtmp://127.0.0.1:{port}/live/{KEY}"
    taken = tmp_path / "taken.flv"
    with rtmp_server(tmp_path, port):
        messages = Messages()
        sink = stream(address, messages)
        run = Run("blur", FakeSource(total=10**6, rate=30), sinks=[sink])
        ended = threading.Event()
        words = ["-rw_timeout", "5000000", "-i", address]

        def take() -> None:
            wait_for(lambda: run.count("toon") > 10, "a toon")
            with receiver(words, taken):
                wait_for(lambda: size_of(taken) > 50_000, "the stream")
            ended.set()

        thread = threading.Thread(target=take)
        thread.start()
        run.until(ended.is_set, limit=40)
        thread.join()
    run.check()
    with av.open(str(taken)) as film:
        shown = [as_uint8(frame.to_ndarray(format="bgr24")) for frame in film.decode(video=0)]
    assert len(shown) > 20
    assert max(raw_pixels(image) for image in shown) == 0
    blue, green, red = shown[-1][130, 160].astype(int)
    assert blue > 200
    assert max(green, red) < 90
    said = [*messages, *run.messages, *map(str, run.pipeline.snapshot()["frames_dropped"])]
    assert any("rtmp://127.0.0.1" in line for line in said)
    assert not any(KEY in line for line in said)


def test_a_receiver_that_is_killed_and_comes_back_is_streamed_to_again(tmp_path: Path) -> None:
    port = free_port()
    address = f"rtmp://127.0.0.1:{port}/live/{KEY}"
    words = ["-rw_timeout", "5000000", "-i", address]
    with fed(stream(address), lambda now: picture(200)) as runner:
        wait_for(lambda: runner.failed, "the failure")  # nobody is there yet
        for number in range(2):
            film = tmp_path / f"{number}.flv"
            with rtmp_server(tmp_path, port) as server:
                wait_for(lambda: not runner.failed, "the stream")
                with receiver(words, film):
                    wait_for(lambda film=film: size_of(film) > 20_000, "pictures")
                server.kill()
                wait_for(lambda: runner.failed, "the failure")
        messages = runner.messages  # type: ignore[attr-defined]
    for number in range(2):
        with av.open(str(tmp_path / f"{number}.flv")) as taken:
            last = [frame.to_ndarray(format="gray").mean() for frame in taken.decode(video=0)][-1]
        assert last > 150
    assert sum(line.endswith("works again.") for line in messages) == 2
    assert not any(KEY in line for line in messages)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a program for a while")
def test_ffmpeg_as_a_listener_that_stalls_slows_nothing_else(tmp_path: Path) -> None:
    port = free_port()
    address = f"rtmp://127.0.0.1:{port}/live/{KEY}"
    film = tmp_path / "a.flv"
    other = Collector()
    noise = np.random.default_rng(0).integers(0, 256, (8, SIZE[1], SIZE[0], 3), np.uint8)
    with (
        receiver(["-listen", "1", "-i", address], film) as listener,
        fed(stream(address), lambda now: replace(picture(0), image=noise[int(now * 50) % 8])),
        fed(other, lambda now: picture(1)),
    ):
        wait_for(lambda: size_of(film) > 50_000, "the stream")
        os.kill(listener.pid, signal.SIGSTOP)
        before, gaps, last = len(other.outputs), [], time.monotonic()
        while len(other.outputs) < before + 300:
            time.sleep(0.002)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
        os.kill(listener.pid, signal.SIGCONT)
        taken = size_of(film)
        wait_for(lambda: size_of(film) > taken + 50_000, "more of the stream")
    # Sending holds the interpreter's lock for no noticeable time; a lost receiver would for 5 s.
    assert max(gaps) < 2.0


def test_a_server_that_never_answers_fails_and_holds_nothing_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sink = stream(f"rtmp://127.0.0.1:{mute.getsockname()[1]}/live/{KEY}")
        failures: list[SinkError] = []

        def connect() -> None:
            with pytest.raises(SinkError, match=r"/live/\*\*\* cannot be sent") as caught:
                sink.open()
            failures.append(caught.value)

        thread = threading.Thread(target=connect)
        thread.start()
        turns = 0
        while thread.is_alive():
            time.sleep(0.01)
            turns += 1
        sink.close()
    assert turns > 50  # other threads went on all the time
    assert KEY not in str(failures[0])


def test_datagrams_carry_a_transport_stream(tmp_path: Path) -> None:
    require_ffmpeg()
    address = f"udp://127.0.0.1:{free_port()}"
    film = tmp_path / "a.ts"
    with fed(stream(address), lambda now: picture(180)), receiver(["-i", address], film):
        wait_for(lambda: size_of(film) > 60_000, "the stream")
    with av.open(str(film)) as taken:
        levels = [frame.to_ndarray(format="gray").mean() for frame in taken.decode(video=0)]
    assert levels[-1] > 140


def test_sound_is_as_late_as_the_picture(tmp_path: Path) -> None:
    """A device beeps while the picture is white; the picture comes out 0.4 s late."""
    path = tmp_path / "a.ts"
    begun: list[float] = []

    def beeps(at: np.ndarray) -> np.ndarray:
        begun[:] = begun or [at[0]]
        return np.where((at - begun[0]) % 1 < 0.3, np.sin(2764 * at), 0)

    def shown(now: float) -> Output:
        captured = now - 0.4
        white = bool(begun) and captured >= begun[0] and (captured - begun[0]) % 1 < 0.3
        return picture(235 if white else 20, captured=captured)

    def open_device(name: str) -> Any:
        return Desk(beeps, stamped=True)

    sink = stream(str(path), audio="desk", open_device=open_device)
    with fed(sink, shown, pause=0.01):
        wait_for(lambda: begun and time.monotonic() > begun[0] + 9, "the beeps")
    with av.open(str(path)) as film:
        seen = [
            (float(time_of(frame)), frame.to_ndarray(format="gray").mean() > 128)
            for frame in film.decode(video=0)
        ]
    flashes = [at for (_, before), (at, now) in pairwise(seen) if now > before]
    starts = []
    with av.open(str(path)) as film:
        silent_since = 0.0
        for frame in film.decode(audio=0):
            at = float(time_of(frame))
            for place in np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.2):
                moment = at + place / frame.sample_rate
                if moment - silent_since > 0.3:
                    starts.append(moment)
                silent_since = moment
    flashes = [flash for flash in flashes if flash > flashes[0] + 1.5]  # once the latency is known
    assert len(flashes) >= 3
    errors = [np.abs(np.array(starts) - flash).min() for flash in flashes]
    # A machine that is busy shows single pictures late; the sound follows the usual latency.
    assert np.median(errors) < 0.06, errors
