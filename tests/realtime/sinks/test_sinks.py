from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from realtime.compositing import GRID, paste
from realtime.guard import Output
from realtime.settings import OutputSettings, SettingsError
from realtime.sinks import SinkError, open_sinks
from realtime.sinks.encoding import MovieWriter
from realtime.sinks.files import (
    AlphaMovie,
    PictureSequence,
    Recording,
    on_green,
    unused,
    with_alpha,
)
from realtime.sinks.runner import SinkRunner
from realtime.sinks.virtual_camera import CONVERT, VirtualCamera
from realtime.sources.media import MediaSource
from tests.realtime.fakes import Collector, FakeSource, Messages
from tests.realtime.media import (
    RATE,
    number_of,
    numbered,
    read_movie,
    tone_begins,
    write_movie,
)

SIZE = (160, 120)


def output(number: int = 0, rate: int = RATE, size: tuple[int, int] = SIZE) -> Output:
    """A numbered picture; its left half is a toon."""
    alpha = np.zeros(size[::-1], np.uint8)
    alpha[:, : size[0] // 2] = 255
    return Output(numbered(number, size), alpha, "toon", 0.0, Fraction(number, rate))


class TestVirtualCamera:
    @pytest.fixture
    def device(self) -> Iterator[list[dict[str, Any]]]:
        """A back end of pyvirtualcam's own registry that keeps every frame it is sent."""
        from pyvirtualcam import camera

        opened: list[dict[str, Any]] = []

        class Fake:
            def __init__(self, **options: Any) -> None:
                if options["device"] == "busy":
                    raise RuntimeError("device busy")
                self.state = {**options, "frames": [], "closed": 0}
                opened.append(self.state)

            def close(self) -> None:
                self.state["closed"] += 1

            def send(self, frame: np.ndarray) -> None:
                self.state["frames"].append(frame.copy())

            def device(self) -> str:
                return self.state["device"] or "fake0"

            def native_fourcc(self) -> None:
                return None

        before = dict(camera.BACKENDS)
        camera.BACKENDS.clear()
        camera.register_backend("fake", Fake)
        yield opened
        camera.BACKENDS.clear()
        camera.BACKENDS.update(before)

    @pytest.mark.parametrize("pixel_format", sorted(CONVERT))
    def test_every_frame_arrives_in_the_chosen_format(
        self, device: list[dict[str, Any]], pixel_format: str
    ) -> None:
        sink = VirtualCamera(SIZE, 30, pixel_format=pixel_format)
        sink.open()
        for number in range(20):
            sink.send(output(number))
        sink.close()
        (state,) = device
        assert (state["width"], state["height"], state["closed"]) == (160, 120, 1)
        assert [number_of(back_to_bgr(f, pixel_format)) for f in state["frames"]] == list(range(20))
        assert sink.name == "virtual camera fake0"

    def test_an_odd_size_is_made_even(self, device: list[dict[str, Any]]) -> None:
        sink = VirtualCamera((161, 121), 30)
        sink.open()
        sink.send(output(5, size=(161, 121)))
        sink.close()
        assert (device[0]["width"], device[0]["height"]) == (160, 120)
        assert device[0]["frames"][0].size == 160 * 120 * 3 // 2

    def test_a_busy_device_is_told_of_with_what_to_do(self, device: list[dict[str, Any]]) -> None:
        with pytest.raises(SinkError, match=r"device busy.*install"):
            VirtualCamera(SIZE, 30, device="busy").open()

    def test_every_picture_of_a_run_arrives(self, device: list[dict[str, Any]]) -> None:
        runner = SinkRunner(VirtualCamera(SIZE, 30), Messages(), wait=True)
        runner.start()
        for number in range(200):
            runner.put(output(number))
        assert runner.stop(10)
        assert len(device[0]["frames"]) == 200


def back_to_bgr(frame: np.ndarray, pixel_format: str) -> np.ndarray:
    width, height = SIZE
    flat = {
        "i420": cv2.COLOR_YUV2BGR_I420,
        "nv12": cv2.COLOR_YUV2BGR_NV12,
        "yuyv": cv2.COLOR_YUV2BGR_YUY2,
        "uyvy": cv2.COLOR_YUV2BGR_UYVY,
    }
    if pixel_format in ("i420", "nv12"):
        return cv2.cvtColor(frame.reshape(height * 3 // 2, width), flat[pixel_format])
    if pixel_format in ("yuyv", "uyvy"):
        return cv2.cvtColor(frame.reshape(height, width, 2), flat[pixel_format])
    image = frame.reshape(height, width, 3)
    return image if pixel_format == "bgr" else image[:, :, ::-1]


class TestRecording:
    @pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
    def test_keeps_every_picture_its_time_and_the_sound(self, tmp_path: Path, sound: str) -> None:
        suffix = ".mp4" if sound == "aac" else ".mkv"
        film = write_movie(tmp_path / f"in{suffix}", 50, sound=sound, jitter=True)
        source = MediaSource(str(film), live=False, loop=False, say=Messages())
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

    def test_colours_come_back(self, tmp_path: Path) -> None:
        colours = [(30, 60, 200), (200, 60, 30), (60, 180, 60), (128, 128, 128), (235, 235, 235)]
        writer = MovieWriter(tmp_path / "a.mp4", SIZE, RATE)
        for number, colour in enumerate(colours):
            writer.write(np.full((120, 160, 3), colour, np.uint8), Fraction(number, RATE))
        writer.close()
        found = [picture[60, 80] for picture in read_movie(tmp_path / "a.mp4")[0]]
        assert np.abs(np.array(found, int) - colours).max() <= 6

    def test_odd_sizes_work(self, tmp_path: Path) -> None:
        writer = MovieWriter(tmp_path / "a.mp4", (161, 121), RATE)
        writer.write(numbered(9, (161, 121)), Fraction(0))
        writer.close()
        (picture,) = read_movie(tmp_path / "a.mp4")[0]
        assert picture.shape == (122, 162, 3)

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

    def test_what_was_written_before_a_crash_plays(self, tmp_path: Path) -> None:
        writer = MovieWriter(
            tmp_path / "a.mp4", SIZE, RATE, options={"g": "10", "tune": "zerolatency"}
        )
        for number in range(45):
            writer.write(numbered(number), Fraction(number, RATE))
        crashed = tmp_path / "crashed.mp4"
        crashed.write_bytes((tmp_path / "a.mp4").read_bytes())
        writer.close()
        assert len(read_movie(crashed)[0]) >= 20

    def test_a_place_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(SinkError, match="cannot be written"):
            MovieWriter(tmp_path / "file" / "a.mp4", SIZE, RATE)

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
        picture = cv2.imread(str(tmp_path / "shots" / names[1]), cv2.IMREAD_UNCHANGED)
        assert (picture == with_alpha(output(1))).all()


class TestRunner:
    def test_a_failing_sink_is_told_of_once_and_retried(self) -> None:
        messages = Messages()
        working = threading.Event()

        def trouble(count: int) -> None:
            if sink.opened < 3:
                raise SinkError("The cable is loose.")
            working.set()

        sink = Collector(trouble)
        runner = SinkRunner(sink, messages, wait=False, pauses=(0.01,))
        runner.start()
        while not working.is_set():
            runner.put(output())
            time.sleep(0.002)
        assert runner.stop(5)
        assert messages == [
            "The cable is loose. It is skipped; retrying.",
            "The collector works again.",
        ]
        assert runner.failed is None
        assert sink.closed >= sink.opened

    def test_a_slow_sink_skips_to_the_newest(self) -> None:
        sink = Collector(lambda count: time.sleep(0.02))
        runner = SinkRunner(sink, Messages(), wait=False)
        runner.start()
        for number in range(50):
            runner.put(output(number))
            time.sleep(0.002)
        assert runner.stop(5)
        numbers = [number_of(o.image) for o in sink.outputs]
        assert numbers == sorted(numbers)
        assert numbers[-1] == 49
        assert runner.dropped + len(numbers) == 50
        assert runner.dropped > 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"sinks": ("virtuel",)},
        {"sinks": ("/dev/null",)},
        {"sinks": ("none", "film.txt")},
        {"overlay": "gren"},
        {"overlay": "toon.mp4"},
    ],
)
def test_what_is_no_sink_is_refused_and_not_guessed_at(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"There is no (sink|overlay) '.*': choose"):
        open_sinks(OutputSettings(**wrong), SIZE, 30, FakeSource(), paced=True)


def test_settings_name_sinks(tmp_path: Path) -> None:
    film = write_movie(tmp_path / "in.mp4", 3)
    source = MediaSource(str(film), live=True, loop=False, say=Messages())
    settings = OutputSettings(
        sinks=("virtual:/dev/video10", str(tmp_path / "a.mp4"), f"{tmp_path}/shots/", "none"),
        overlay=str(tmp_path / "a.mov"),
    )
    sinks = open_sinks(settings, SIZE, 30, source, paced=True)
    kinds = [type(sink).__name__ for sink in sinks]
    assert kinds == ["VirtualCamera", "Recording", "PictureSequence", "AlphaMovie"]
    assert [sink.live for sink in sinks] == [True, False, False, False]
    # What is cut out needs to know from what; nothing else is given an untooned picture.
    assert [sink.local for sink in sinks] == [False, False, False, True]
