"""Live streams from real servers on this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from realtime.frame import Frame
from realtime.settings import SourceSettings
from realtime.sources import SourceError, open_source
from realtime.sources.media import MediaSource
from realtime.sources.network import NetworkSource, _Packets
from tests.realtime.fakes import Messages
from tests.realtime.media import number_of, write_movie
from tests.realtime.servers import free_port, require_ffmpeg, rtmp_server, running, wait_for
from tests.realtime.stream_servers import PhoneServer, phone, rtsp_server

SECRET = "s3cr3t"


@contextmanager
def read(source: NetworkSource) -> Iterator[list[Frame]]:
    """All frames, collected by a thread of its own."""
    frames: list[Frame] = []

    def run() -> None:
        for frame in source.frames():
            frames.append(frame)  # one by one, while the test looks on

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield frames
    finally:
        source.close()
        thread.join(10)
        assert not thread.is_alive()


def test_a_phone_shows_its_pictures_with_the_time_of_their_arrival() -> None:
    with phone() as server:
        what = f"http://127.0.0.1:{server.port}/video"
        source = open_source(SourceSettings(source=what), Messages())
        assert isinstance(source, NetworkSource)
        assert source.live
        assert source.size == (160, 120)
        with read(source) as frames:
            wait_for(lambda: len(frames) > 30, "pictures")
    assert [frame.number for frame in frames] == list(range(len(frames)))
    steps = [b.timestamp - a.timestamp for a, b in pairwise(frames)]
    assert min(steps) > 0
    assert all(frame.timestamp == frame.captured for frame in frames)


def test_a_slow_reader_gets_the_newest_picture_and_no_lag_grows() -> None:
    with phone(rate=100.0) as server:
        source = NetworkSource(f"http://127.0.0.1:{server.port}/video", Messages())
        frames = source.frames()
        behind = []
        for _ in range(12):
            time.sleep(0.25)  # a loop that is many times slower than the source
            behind.append((server.sent - number_of(next(frames).image)) % 256)
        source.close()
    assert max(behind[2:]) < 25  # of about 300 that came


def test_a_phone_that_goes_away_and_comes_back_is_read_again() -> None:
    messages = Messages()
    first = PhoneServer()
    port = first.port
    source = NetworkSource(f"http://127.0.0.1:{port}/video?token={SECRET}", messages, pauses=(0.1,))
    with read(source) as frames:
        wait_for(lambda: len(frames) > 5, "pictures")
        first.close()
        wait_for(lambda: messages, "the message")
        before = len(frames)
        with phone(port=port):
            wait_for(lambda: len(frames) > before + 5, "pictures")
    assert messages[0].startswith(f"The stream http://127.0.0.1:{port}/video?*** broke off: ")
    assert messages[1] == f"The stream http://127.0.0.1:{port}/video?*** is back."
    assert not any(SECRET in line for line in messages)


def test_a_stream_that_stalls_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.sources.network.SILENCE", 0.5)
    messages = Messages()
    with phone() as server:
        source = NetworkSource(f"http://127.0.0.1:{server.port}/", messages, pauses=(0.1,))
        with read(source) as frames:
            wait_for(lambda: len(frames) > 5, "pictures")
            server.stalled = True
            wait_for(lambda: messages, "the message")
            server.stalled = False
            wait_for(lambda: messages[-1].endswith("is back."), "pictures")


def test_name_and_password_are_used_and_never_shown() -> None:
    with phone(account=f"me:{SECRET}") as server:
        source = NetworkSource(f"http://me:{SECRET}@127.0.0.1:{server.port}/video", Messages())
        assert source.name == f"stream http://***@127.0.0.1:{server.port}/video"
        with pytest.raises(SourceError, match="cannot be opened: ") as caught:
            NetworkSource(f"http://me:wrong-{SECRET}@127.0.0.1:{server.port}/video", Messages())
    assert SECRET not in str(caught.value)
    assert "http://***@127.0.0.1" in str(caught.value)


def test_opening_has_a_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        what = f"rtsp://me:{SECRET}@127.0.0.1:{mute.getsockname()[1]}/a"
        start = time.monotonic()
        with pytest.raises(SourceError, match=r"no picture came within 0\.3 seconds") as caught:
            NetworkSource(what, Messages(), opening=0.3)
        assert time.monotonic() - start < 5
    assert SECRET not in str(caught.value)


def test_what_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(SourceError, match="cannot be opened: Connection refused; check"):
        NetworkSource(f"http://127.0.0.1:{free_port()}/video", Messages())


def test_rtsp_is_read() -> None:
    with rtsp_server() as port:
        source = NetworkSource(f"rtsp://127.0.0.1:{port}/camera", Messages())
        with read(source) as frames:
            wait_for(lambda: len(frames) > 20, "pictures")
    numbers = [number_of(frame.image) for frame in frames]
    assert sum(b > a for a, b in pairwise(numbers)) > len(numbers) * 0.8


@pytest.mark.parametrize("scheme", ["rtmp", "udp"])
def test_what_ffmpeg_sends_is_read(scheme: str, tmp_path: Path) -> None:
    port = free_port()
    address = f"{scheme}://127.0.0.1:{port}" + (f"/live/{SECRET}" if scheme == "rtmp" else "")
    picture = ["-re", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25"]
    coding = ["-c:v", "libx264", "-g", "25", "-tune", "zerolatency", "-pix_fmt", "yuv420p"]
    container = ["-f", "flv" if scheme == "rtmp" else "mpegts"]
    server = rtmp_server(tmp_path, port) if scheme == "rtmp" else nullcontext()
    with server, running([require_ffmpeg(), *picture, *coding, *container, address]):
        source = NetworkSource(address, Messages(), opening=30.0)
        with read(source) as frames:
            wait_for(lambda: len(frames) > 10, "pictures")
    assert SECRET not in source.name
    assert source.size == (160, 120)


def test_a_film_at_an_address_is_played_as_a_film(tmp_path: Path) -> None:
    write_movie(tmp_path / "a.mp4", 20)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        what = f"http://127.0.0.1:{server.server_port}/a.mp4"
        source = open_source(SourceSettings(source=what), Messages(), every_frame=True)
        assert isinstance(source, MediaSource)
        assert [number_of(frame.image) for frame in source.frames()] == list(range(20))
    finally:
        server.shutdown()
        server.server_close()


class _Packet:
    def __init__(self, key: bool) -> None:
        self.is_keyframe = key


def test_a_decoder_that_is_late_goes_on_at_the_next_key_frame() -> None:
    packets = _Packets()
    key, other = _Packet(True), _Packet(False)
    for now in (0.0, 0.1, 0.2):
        packets.put(key if now == 0 else other, now)
    assert packets.get() == (key, 0.0)
    packets.put(key, 0.3)  # the two that wait are not needed any more
    assert packets.get() == (key, 0.3)
    packets.put(other, 0.4)
    packets.put(other, 1.5)  # the decoder is a second late
    packets.put(other, 1.6)
    packets.put(key, 1.7)
    packets.close()
    assert packets.get() == (key, 1.7)
    assert packets.get() is None
    assert (packets.received, packets.skipped) == (8, 5)
