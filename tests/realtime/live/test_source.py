"""One camera after the other: the new one is there before the old one is let go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engines.errors import ToonifyError
from realtime.live.source import ChangingSource
from realtime.settings import SourceSettings
from realtime.sources.camera import CameraSource
from tests.realtime.fakes import SIZE, FakeDevice, FakeSource, Messages
from tests.realtime.runs import Run

GREY, BRIGHT = 90, 200


def picture(level: int) -> Callable[[int], Any]:
    return lambda number: np.full((SIZE[1], SIZE[0], 3), level, np.uint8)


class Reader:
    """Reads the frames of a source in a thread, as the loop does."""

    def __init__(self, source: ChangingSource) -> None:
        self.levels: list[int] = []
        self.streams: list[int] = []
        self.numbers: list[int] = []
        self.first = threading.Event()
        self.source = source
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        assert self.first.wait(20)

    def _read(self) -> None:
        for frame in self.source.frames():
            self.levels.append(int(frame.image[0, 0, 0]))
            self.streams.append(frame.stream)
            self.numbers.append(frame.number)
            self.first.set()
            if self.streams.count(1) > 3:
                return


def test_another_source_goes_on_with_the_numbers_and_says_that_it_is_another() -> None:
    old = FakeSource(total=10_000, rate=200, picture=picture(GREY))
    new = FakeSource(total=10_000, rate=200, picture=picture(BRIGHT))
    source = ChangingSource(old, SourceSettings("0"), lambda settings: new)
    reader = Reader(source)
    source.change(SourceSettings("1"))
    reader.thread.join(20)
    assert set(reader.levels) == {GREY, BRIGHT}
    assert reader.numbers == list(range(len(reader.numbers)))
    assert [level == BRIGHT for level in reader.levels] == [s == 1 for s in reader.streams]
    assert old._closed.is_set()
    assert not new._closed.is_set()
    assert (source.settings.source, source.changing) == ("1", "")


def test_the_sound_of_a_file_is_found_and_only_its_own_frames_belong_to_it() -> None:
    old = FakeSource(total=10_000, rate=200)
    old.audio_location = "talk.mp4"  # type: ignore[attr-defined]
    new = FakeSource(total=3, rate=200)
    source = ChangingSource(old, SourceSettings("talk.mp4"), lambda settings: new)
    assert source.audio_location == "talk.mp4"
    frames = source.frames()
    assert next(frames).media_time is not None
    source.change(SourceSettings("other.mp4"))
    assert [frame.media_time for frame in frames if frame.stream == 1] == [None, None]


def test_a_source_that_gives_no_picture_is_given_up_and_the_old_one_goes_on() -> None:
    old = FakeSource(total=10_000, rate=200, picture=picture(GREY))

    def silent(settings: SourceSettings) -> CameraSource:
        def fail(_: SourceSettings) -> FakeDevice:
            raise OSError("no such device")

        return CameraSource(settings, Messages(), fail, pauses=(0.02,))

    source = ChangingSource(old, SourceSettings("0"), silent, patience=0.2)
    reader = Reader(source)
    with pytest.raises(ToonifyError, match=r"No picture came from camera 7 within 0\.2 s; fake"):
        source.change(SourceSettings("7"))
    assert not old._closed.is_set()
    assert source.settings.source == "0"
    source.close()
    reader.thread.join(20)
    assert set(reader.streams) == {0}


def test_a_camera_that_hangs_is_let_go_once_another_one_is_there() -> None:
    hang = threading.Event()

    def script() -> Iterator[Any]:
        yield np.full((SIZE[1], SIZE[0], 3), GREY, np.uint8)
        yield lambda: hang.wait(20)

    camera = CameraSource(
        SourceSettings("0", size=SIZE), Messages(), lambda _: FakeDevice(script()), silence=60
    )
    new = FakeSource(total=10_000, rate=200, picture=picture(BRIGHT))
    source = ChangingSource(camera, SourceSettings("0"), lambda settings: new)
    reader = Reader(source)
    source.change(SourceSettings("demo"))
    reader.thread.join(20)
    hang.set()
    assert reader.levels[-1] == BRIGHT


def test_a_camera_asked_for_another_size_is_let_go_first() -> None:
    open_at_once: list[int] = []
    held: set[FakeDevice] = set()

    def opener(settings: SourceSettings) -> FakeDevice:
        def endless() -> Iterator[Any]:
            while True:
                yield np.full((*settings.size[::-1], 3), GREY, np.uint8)

        device = FakeDevice(endless())
        held.difference_update([d for d in held if d.released.is_set()])
        held.add(device)
        open_at_once.append(len(held))
        return device

    def open_source(settings: SourceSettings) -> CameraSource:
        return CameraSource(settings, Messages(), opener, pauses=(0.02,))

    first = SourceSettings("0", size=SIZE)
    source = ChangingSource(open_source(first), first, open_source)
    reader = Reader(source)
    source.change(SourceSettings("0", size=(160, 120)))
    reader.thread.join(20)
    assert open_at_once == [1, 1]
    source.close()


def test_the_guard_fills_the_gap_and_no_old_face_is_missed() -> None:
    old = FakeSource(total=100_000, rate=100)
    new = FakeSource(total=100_000, rate=100)
    source = ChangingSource(old, SourceSettings("0"), lambda settings: new)
    run = Run("blur", source=source)

    def done() -> bool:
        if run.count("toon") > 20 and source.settings.source == "0" and not source.changing:
            source.change(SourceSettings("1"))
            changed.append(run.count("toon"))
        return bool(changed) and run.count("toon") > changed[0] + 20

    changed: list[int] = []
    run.until(done).check()
    assert changed
    assert run.count("toon") > changed[0] + 20
