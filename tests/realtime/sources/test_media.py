from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from realtime.settings import SourceSettings
from realtime.sources import SourceError, open_source
from realtime.sources.media import UNSPECIFIED, MediaSource
from tests.realtime.fakes import Messages
from tests.realtime.media import damage, number_of, write_movie


def source(what: str, **settings: Any) -> Any:
    return open_source(SourceSettings(source=what, **settings), Messages(), every_frame=True)


class TestMedia:
    def test_every_frame_comes_once_and_in_order(self, tmp_path: Path) -> None:
        opened = source(str(write_movie(tmp_path / "a.mp4", 60, jitter=True)))
        assert opened.size == (160, 120)
        assert opened.rate == pytest.approx(25, rel=0.05)
        assert opened.total == 60
        assert opened.audio_location
        frames = list(opened.frames())
        assert [number_of(frame.image) for frame in frames] == list(range(60))
        assert [frame.number for frame in frames] == list(range(60))
        expected = [Fraction(n * 40 + n % 3 * 5, 1000) for n in range(60)]
        assert [frame.media_time for frame in frames] == expected

    def test_may_begin_later(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 30))
        media = MediaSource(path, live=False, loop=False, first=20)
        assert [number_of(frame.image) for frame in media.frames()] == list(range(20, 30))

    def test_read_frame_by_frame_the_timestamps_follow_the_media_time(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 12, jitter=True))
        first, again = (list(source(path).frames()) for _ in range(2))
        assert [frame.timestamp for frame in first] == [float(f.media_time) for f in first]
        assert [frame.timestamp for frame in first] == [frame.timestamp for frame in again]
        assert first[-1].captured < again[0].captured <= time.monotonic()

    def test_timestamps_rise_from_one_pass_of_a_loop_to_the_next(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 5))
        frames = MediaSource(path, live=False, loop=True).frames()
        steps = np.diff([next(frames).timestamp for _ in range(14)])
        assert steps == pytest.approx(1 / 25, abs=2e-3)

    def test_in_real_time_the_timestamp_is_the_moment_of_capture(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 3))
        for frame in MediaSource(path, live=True, loop=False).frames():
            assert frame.timestamp == frame.captured

    def test_loops(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 10))
        frames = MediaSource(path, live=False, loop=True).frames()
        numbers = [number_of(next(frames).image) for _ in range(25)]
        assert numbers == [n % 10 for n in range(25)]

    def test_in_real_time_frames_leave_when_they_are_due(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 8, rate=100))
        media = MediaSource(path, live=True, loop=False)
        start = time.monotonic()
        frames = list(media.frames())
        assert frames[-1].number == 7
        assert all(frame.timestamp - start >= frame.number / 100 - 0.005 for frame in frames)

    @pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
    @pytest.mark.parametrize(
        ("size", "matrix", "tag"),
        [
            ((1280, 720), "ITU709", UNSPECIFIED),
            ((1280, 720), "ITU709", 1),
            ((1280, 720), "ITU601", 5),
            ((640, 360), "ITU601", UNSPECIFIED),
        ],
    )
    def test_colours_are_those_that_players_show(
        self, tmp_path: Path, size: tuple[int, int], matrix: str, tag: int, full: bool
    ) -> None:
        colour = (40, 40, 200)
        with av.open(str(tmp_path / "a.mkv"), "w") as container:
            stream: Any = container.add_stream("libx264", rate=25, options={"crf": "1"})
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if full else "yuv420p"
            stream.codec_context.colorspace = tag
            image = np.full((size[1], size[0], 3), colour, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(
                format=stream.pix_fmt,
                dst_colorspace=matrix,
                dst_color_range="JPEG" if full else "MPEG",
            )
            frame.colorspace, frame.pts = tag, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
        (frame_read,) = source(str(tmp_path / "a.mkv")).frames()
        assert np.abs(frame_read.image[100, 100].astype(int) - colour).max() <= 4

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("missing.mp4", None, "no file .*missing.mp4"),
            ("broken.mp4", b"not a movie" * 99, "cannot be opened as a video"),
        ],
    )
    def test_that_cannot_be_read_is_refused(
        self, tmp_path: Path, name: str, content: bytes | None, message: str
    ) -> None:
        if content:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=message):
            source(str(tmp_path / name))

    def test_that_is_damaged_is_refused(self, tmp_path: Path) -> None:
        path = damage(write_movie(tmp_path / "a.mp4", 10), tmp_path / "b.mp4")
        with pytest.raises(SourceError, match=r"no picture that can be decoded \(.+\)"):
            source(str(path))

    def test_without_pictures_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "sound.wav"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        with pytest.raises(SourceError, match="no video stream"):
            source(str(path))
