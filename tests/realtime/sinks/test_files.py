from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.compositing import GRID
from realtime.guard import Output
from realtime.sinks import SinkError
from realtime.sinks.files import AlphaMovie, PictureSequence, Recording, unused
from realtime.sources.media import MediaSource
from realtime.toons.matting import on_green, with_alpha
from realtime.toons.pasting import paste
from tests.pictures import read_bgr
from tests.realtime.media import (
    RATE,
    number_of,
    numbered,
    read_movie,
    tone_begins,
    write_movie,
)
from tests.realtime.sinks.outputs import SIZE, output


class TestRecording:
    @pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
    def test_keeps_every_picture_its_time_and_the_sound(self, tmp_path: Path, sound: str) -> None:
        suffix = ".mp4" if sound == "aac" else ".mkv"
        film = write_movie(tmp_path / f"in{suffix}", 50, sound=sound, jitter=True)
        source = MediaSource(str(film), live=False, loop=False)
        sink = Recording(
            tmp_path / "out.mp4", source.size, source.rate, audio=source.audio_location, paced=False
        )
        sink.open()
        for frame in source.frames():
            sink.send(replace(output(), image=frame.image, media_time=frame.media_time))
        sink.close()
        before, after = read_movie(film), read_movie(tmp_path / "out.mp4")
        assert [number_of(image) for image in after[0]] == list(range(50))
        assert after[1] == pytest.approx(before[1], abs=1e-3)
        # The sound ends with the last picture's beginning; one packet of 1024 samples may be cut.
        length = float(after[1][-1]) * 48_000
        assert length - 2048 <= len(after[2]) <= length + 4096
        spectrum = np.abs(np.fft.rfft(after[2][4800:52800]))
        assert np.argmax(spectrum) == pytest.approx(440, abs=2)

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
    @pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
    @pytest.mark.parametrize(("first", "sound_from"), [(0, 0.0), (13, 0.0), (2, 0.3)])
    def test_sound_and_pictures_stay_together_however_late_they_come(
        self, tmp_path: Path, suffix: str, sound: str, first: int, sound_from: float
    ) -> None:
        film = write_movie(
            tmp_path / "in.mkv", 30, sound=sound, tone_from=0.8, sound_from=sound_from
        )
        sink = Recording(tmp_path / f"out{suffix}", SIZE, RATE, audio=str(film), paced=True)
        sink.open()
        sink.send(replace(output(), media_time=None))  # the guard's, before the first picture
        for number in range(first, 30):
            sink.send(output(number))  # all at once, as no wall clock has them
        sink.close()
        pictures, times, _ = read_movie(tmp_path / f"out{suffix}")
        assert [number_of(image) for image in pictures] == list(range(first, 30))
        assert times == pytest.approx([n / RATE for n in range(30 - first)], abs=1e-3)
        expected = 0.8 + sound_from - first / RATE
        assert tone_begins(tmp_path / f"out{suffix}") == pytest.approx(expected, abs=3e-3)

    def test_sound_lasts_as_long_as_the_last_picture(self, tmp_path: Path) -> None:
        film = write_movie(tmp_path / "in.mkv", 30, sound="pcm_s16le", rate=5)
        sink = Recording(tmp_path / "out.mkv", SIZE, 5, audio=str(film), paced=True)
        sink.open()
        for number in range(10):
            sink.send(output(number, rate=5))
        sink.close()
        assert 2.0 * 48_000 <= len(read_movie(tmp_path / "out.mkv")[2]) <= 2.0 * 48_000 + 1024

    def test_nothing_is_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        path.write_bytes(b"precious")
        sink = Recording(path, SIZE, RATE, paced=False)
        sink.open()
        sink.send(output(3))
        sink.close()
        assert path.read_bytes() == b"precious"
        assert len(read_movie(tmp_path / "a-2.mp4")[0]) == 1
        assert unused(path).name == "a-3.mp4"

    def test_in_real_time_pictures_lie_where_they_were_sent(self, tmp_path: Path) -> None:
        sink = Recording(tmp_path / "a.mp4", SIZE, 30, paced=True)
        sink.open()
        start = time.monotonic()
        for number in range(3):
            sink.send(output(number))
            time.sleep(0.05)
        elapsed = time.monotonic() - start
        sink.close()
        times = read_movie(tmp_path / "a.mp4")[1]
        assert 0.1 <= float(times[-1] - times[0]) <= elapsed


class TestOverlay:
    def test_alpha_is_all_that_shows(self) -> None:
        picture = with_alpha(output(255))
        assert picture.shape == (120, 160, 4)
        assert (picture[60, 90:] == 0).all()
        assert picture[60, 10, 3] == 255
        green = on_green(output(255))
        assert (green[60, 90] == (0, 255, 0)).all()
        assert (green[60, 10] == 235).all()

    @pytest.mark.parametrize("room", [0, 90, 255])
    def test_soft_edges_hold_nothing_of_the_room(self, room: int) -> None:
        before = np.full((200, 200, 3), room, np.uint8)
        image, alpha = before.copy(), np.zeros((200, 200), np.uint8)
        mask = np.tile(np.linspace(0, 1, GRID, dtype=np.float32), (GRID, 1))
        toon = np.full((GRID, GRID, 3), (200, 120, 30), np.uint8)
        paste(image, alpha, toon, mask, np.array([[1.0, 0, 36], [0, 1.0, 36]]))
        assert len(np.unique(alpha)) > 100
        mixed = Output(image, alpha, "toon", under=before)

        weight = alpha[..., None] / 255
        picture = with_alpha(mixed)
        assert (picture[..., 3] == alpha).all()
        for ground in (0, 255):
            laid = picture[..., :3] * weight + ground * (1 - weight)
            wanted = np.array([200, 120, 30]) * weight + ground * (1 - weight)
            assert np.abs(laid - wanted).max() <= 1.5
        wanted = np.array([200, 120, 30]) * weight + np.array([0, 255, 0]) * (1 - weight)
        assert np.abs(on_green(mixed) - wanted).max() <= 1.5

    def test_a_picture_that_is_no_toon_shows_nothing(self) -> None:
        hidden = replace(output(255), alpha=np.zeros((120, 160), np.uint8), kind="blur")
        hidden = replace(hidden, before=numbered(7))
        assert not with_alpha(hidden).any()
        assert (on_green(hidden) == (0, 255, 0)).all()

    @pytest.mark.parametrize("name", ["a.mov", "a.webm"])
    def test_movies_carry_alpha(self, tmp_path: Path, name: str) -> None:
        sink = AlphaMovie(tmp_path / name, SIZE, RATE, paced=False)
        sink.open()
        for number in range(5):
            sink.send(output(number))
        sink.close()
        with av.open(str(tmp_path / name)) as container:
            stream = container.streams.video[0]
            if name.endswith("webm"):  # FFmpeg's own VP9 decoder leaves alpha out
                decoder = av.CodecContext.create("libvpx-vp9", "r")
                packets = [packet for packet in container.demux(stream) if packet.size]
                frames = [f for packet in packets for f in decoder.decode(packet)]
            else:
                frames = list(container.decode(stream))
        assert len(frames) == 5
        picture = frames[3].to_ndarray(format="rgba")
        assert picture[60, 20, 3] > 250
        assert picture[60, 140, 3] < 5

    def test_a_movie_without_alpha_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match=r"\.mov, \.webm"):
            AlphaMovie(tmp_path / "a.mp4", SIZE, RATE, paced=False).open()

    def test_sequences_continue(self, tmp_path: Path) -> None:
        for _ in range(2):
            sink = PictureSequence(tmp_path / "shots", alpha=True)
            sink.open()
            for number in range(3):
                sink.send(output(number))
            sink.close()
        names = sorted(path.name for path in (tmp_path / "shots").iterdir())
        assert names == [f"frame-{number:06d}.png" for number in range(1, 7)]
        picture = read_bgr(tmp_path / "shots" / names[1], cv2.IMREAD_UNCHANGED)
        assert (picture == with_alpha(output(1))).all()
