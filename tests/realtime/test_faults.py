"""Whole runs in which something goes wrong, under every guard mode, with a detector on the output:
under any mode but `pass` no pixel of a raw face may be in any picture, from the first to the last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engines.errors import ToonifyError
from realtime.frame import Frame
from realtime.settings import GUARD_MODES
from realtime.sinks import SinkError
from tests.realtime.fakes import (
    BOX,
    Collector,
    FakeSource,
    MarkerStylizer,
    MarkerTracker,
    Messages,
    raw_pixels,
)
from tests.realtime.runs import Run, camera, good, hidden

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.mark.parametrize("mode", GUARD_MODES)
class TestFaults:
    def test_nothing_wrong(self, mode: str) -> None:
        run = Run(mode)
        run.until(lambda: False)
        run.check()
        assert run.count("toon") > 10
        assert run.collector.kinds[-1] == "card"  # the farewell
        assert run.collector.closed

    def test_the_camera_dies_and_comes_back(self, mode: str) -> None:
        def dying() -> Iterator[Any]:
            yield from good(15)
            yield OSError("unplugged")

        messages = Messages()
        run = Run(mode, source=camera([dying(), good(500)], messages))
        run.until(lambda: any("is back" in line for line in messages) and run.count("toon") > 20)
        run.check()
        assert any("unplugged" in line for line in messages)
        assert any("is back" in line for line in messages)

    def test_the_camera_freezes(self, mode: str) -> None:
        released = threading.Event()

        def freezing() -> Iterator[Any]:
            yield from good(10)
            yield lambda: released.wait(20) and None

        messages = Messages()
        run = Run(mode, source=camera([freezing(), good(500)], messages))
        run.until(lambda: any("is back" in line for line in messages))
        released.set()
        run.check()
        assert any("delivers no pictures" in line for line in messages)
        assert sum(run.count(kind) for kind in hidden(mode)) > 5  # the output went on meanwhile

    def test_the_camera_changes_its_size(self, mode: str) -> None:
        def changing() -> Iterator[Any]:
            yield from good(15)
            yield from good(400, (640, 480))

        def see(frame: Frame) -> list[tuple[int, ...]]:
            return [BOX]

        messages = Messages()
        run = Run(mode, source=camera([changing()], messages), tracker=MarkerTracker(see))
        run.until(lambda: any("changed" in line for line in messages) and run.count("toon") > 40)
        run.check()
        assert {picture.image.shape for picture in run.pictures} == {(240, 320, 3)}
        assert any("640x480" in line for line in messages)

    def test_the_camera_returns_garbage(self, mode: str) -> None:
        def garbage() -> Iterator[Any]:
            yield from good(10)
            for _ in range(40):
                yield np.zeros((0, 0, 3), np.uint8)
            while True:
                yield "not a picture"

        messages = Messages()
        run = Run(mode, source=camera([garbage(), good(500)], messages))
        run.until(lambda: any("is back" in line for line in messages))
        run.check()
        assert any("unusable" in line for line in messages)

    def test_a_sink_blocks(self, mode: str) -> None:
        release = threading.Event()
        stuck = Collector(lambda count: count < 3 or release.wait(20))
        run = Run(mode, sinks=[stuck])

        def enough() -> bool:
            if run.count("toon") > 20:
                release.set()
            return release.is_set()

        run.until(enough)
        run.check()
        assert len(stuck.outputs) < 10
        assert len(run.collector.outputs) > 20

    def test_a_sink_raises(self, mode: str) -> None:
        def fail(count: int) -> None:
            raise SinkError("The cable of this sink is loose.")

        run = Run(mode, sinks=[Collector(fail)])
        with pytest.raises(ToonifyError, match="loose"):
            run.until(lambda: len(run.collector.outputs) > 20)
        run.check()
        assert len(run.collector.outputs) > 20
        assert sum("loose" in line for line in run.messages) == 1

    def test_the_engine_raises(self, mode: str) -> None:
        def trouble(frame: Frame) -> None:
            if 10 <= frame.number < 20:
                raise RuntimeError("device lost")

        run = Run(mode, FakeSource(total=60), stylizer=MarkerStylizer(trouble))
        run.until(lambda: False)
        run.check()
        assert sum(run.count(kind) for kind in hidden(mode)) >= 3
        assert run.count("toon") > 10
        assert sum("device lost" in line for line in run.messages) == 1
        assert any("engine works again" in line for line in run.messages)

    def test_the_engine_hangs(self, mode: str) -> None:
        woken = threading.Event()
        enough = 50 if mode == "blur" else 8

        def trouble(frame: Frame) -> None:
            if frame.number >= 10 and not woken.is_set():
                end = time.monotonic() + 15
                while run.count(*hidden(mode)) <= enough and time.monotonic() < end:
                    time.sleep(0.01)
                woken.set()

        run = Run(mode, FakeSource(total=5000), stylizer=MarkerStylizer(trouble))
        run.until(lambda: woken.is_set() and run.count("toon") > 12, 60)
        run.check()
        # The output goes on while the engine hangs.
        assert run.count(*hidden(mode)) > enough

    def test_the_tracker_loses_the_face(self, mode: str) -> None:
        run = Run(
            mode,
            FakeSource(total=60),
            tracker=MarkerTracker(lambda frame: [] if 15 <= frame.number < 40 else [BOX]),
        )
        run.until(lambda: False)
        run.check()
        assert sum(run.count(kind) for kind in hidden(mode)) > 5
        assert run.count("toon") > 10

    def test_the_tracker_raises(self, mode: str) -> None:
        def see(frame: Frame) -> list[tuple[int, ...]]:
            if 15 <= frame.number < 40:
                raise ValueError("bad graph")
            return [BOX]

        run = Run(mode, FakeSource(total=60), tracker=MarkerTracker(see))
        run.until(lambda: False)
        run.check()
        assert any("bad graph" in line for line in run.messages)

    def test_pasting_raises(self, mode: str) -> None:
        class Torn(MarkerStylizer):
            def apply(self, frame: Frame, faces: Any) -> Any:
                if 10 <= frame.number < 20:
                    raise RuntimeError("no room")
                return super().apply(frame, faces)

        run = Run(mode, FakeSource(total=60), stylizer=Torn())
        run.until(lambda: False)
        run.check()
        assert sum(run.count(kind) for kind in hidden(mode)) >= 3
        assert run.count("toon") > 10
        assert sum("no room" in line for line in run.messages) == 1

    def test_finishing_raises(self, mode: str) -> None:
        class Blunt(MarkerStylizer):
            def finishing(self, frame: Frame) -> None:
                if 10 <= frame.number < 20:
                    raise RuntimeError("no paint")

        run = Run(mode, FakeSource(total=60), stylizer=Blunt())
        run.until(lambda: False)
        run.check()
        assert sum(run.count(kind) for kind in hidden(mode)) >= 3
        assert run.count("toon") > 10
        assert run.messages.count("The finisher failed (no paint); going on.") == 1
        assert run.messages.count("The finisher works again.") == 1

    def test_the_toon_is_switched_off(self, mode: str) -> None:
        run = Run(mode, FakeSource(total=60))
        run.controls.toggle_toon()
        run.until(lambda: len(run.pictures) > 20)
        run.check()
        assert run.count("toon") == 0

    def test_no_face_is_ever_found(self, mode: str) -> None:
        run = Run(mode, tracker=MarkerTracker(lambda frame: []))
        run.until(lambda: False)
        run.check()
        assert run.count("toon") == 0
        if mode == "pass":
            assert max(raw_pixels(picture.image) for picture in run.pictures) > 7000

    def test_the_mode_is_changed_while_running(self, mode: str) -> None:
        run = Run("blur", FakeSource(total=2000), tracker=MarkerTracker(lambda frame: []))
        run.guard.mode = mode  # type: ignore[assignment]
        run.until(lambda: len(run.pictures) > 20)
        run.check()
