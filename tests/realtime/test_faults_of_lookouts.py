"""Whole runs in which whoever looks out for strangers fails, hangs or finds one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engines.pictures import Image
from realtime import pace
from realtime.frame import Frame
from realtime.settings import GUARD_MODES
from tests.realtime.fakes import (
    BOX,
    FakeSource,
    MarkerStrangers,
    MarkerTracker,
    marked,
)
from tests.realtime.runs import Run, hidden

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


def go_step_by_step(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame is filmed when the one before has gone out, and the first one when the slate has,
    however slow the machine is: none is dropped, and the guard fills in for none that is late."""
    source: Any = run.pipeline.source
    draw: Callable[[int], Image] = source.picture

    def film(number: int) -> Image:
        while len(run.pictures) <= number and not run.controls.stopped.is_set():
            time.sleep(0.001)
        return draw(number)

    monkeypatch.setattr(source, "picture", film)
    monkeypatch.setattr(run.pipeline, "rate", 1 / 60)  # how often it fills in before the first toon
    monkeypatch.setattr(pace, "PATIENCE", (60.0, 60.0))


@pytest.mark.parametrize("mode", GUARD_MODES)
class TestFaultsOfLookouts:
    def test_a_stranger_whom_only_the_watch_sees(
        self, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stranger = (240, 20, 300, 90)
        watched = []

        def see(frame: Frame) -> bool:
            watched.append(frame.number)
            time.sleep(0.005)  # later than the toons are drawn
            return 20 <= frame.number < 50

        run = Run(
            mode,
            FakeSource(80, picture=lambda n: marked(boxes=[BOX, stranger][: 1 + (20 <= n < 50)])),
            strangers=MarkerStrangers(see),
        )
        go_step_by_step(run, monkeypatch)
        run.until(lambda: False, 120)
        if mode == "pass":
            assert watched == []
            assert {"toon"} == {picture.kind for picture in run.pictures if picture.timestamp}
            assert run.count("toon") == 80
        else:
            run.check()
            assert watched == list(range(80))
            assert run.count(*hidden(mode, early=True)) >= 30
            assert run.count("toon") == 50

    def test_the_watch_raises(self, mode: str) -> None:
        def see(frame: Frame) -> bool:
            if frame.number < 30:
                raise ValueError("no detector")
            return False

        run = Run(mode, FakeSource(total=60), strangers=MarkerStrangers(see))
        run.until(lambda: False)
        run.check()
        told = sum("no detector" in line for line in run.messages)
        assert told == (0 if mode == "pass" else 1)
        assert run.count("toon") > 10

    def test_the_watch_hangs(self, mode: str) -> None:
        woken = threading.Event()

        def see(frame: Frame) -> bool:
            if frame.number >= 10 and not woken.is_set():
                time.sleep(1.1)
                woken.set()
            return False

        run = Run(mode, FakeSource(total=1000), strangers=MarkerStrangers(see))
        run.until(lambda: (woken.is_set() or mode == "pass") and run.count("toon") > 20)
        run.check()
        if mode != "pass":
            assert run.count(*hidden(mode, early=True)) > 3

    def test_somebody_is_found_when_the_toons_are_on_their_way(
        self, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stranger = (240, 20, 300, 90)

        def find(frame: Frame) -> bool:
            time.sleep(0.005)  # later than the toons are drawn
            return 20 <= frame.number < 50

        run = Run(
            mode,
            FakeSource(80, picture=lambda n: marked(boxes=[BOX, stranger][: 1 + (20 <= n < 50)])),
            tracker=MarkerTracker(find=find),
        )
        go_step_by_step(run, monkeypatch)
        run.until(lambda: False, 120)
        if mode != "pass":
            run.check()
            assert run.count(*hidden(mode, early=True)) >= 30
        assert run.count("toon") == (80 if mode == "pass" else 50)

    def test_the_search_raises(self, mode: str) -> None:
        def find(frame: Frame) -> bool:
            if frame.number < 30:
                raise ValueError("no detector")
            return False

        run = Run(mode, FakeSource(total=60), tracker=MarkerTracker(find=find))
        run.until(lambda: False)
        run.check()
        assert sum("no detector" in line for line in run.messages) == 1
        assert any("search works again" in line for line in run.messages)
        assert run.count("toon") > 10
        if mode != "pass":  # there is no toon to hold yet
            assert run.count("card" if mode == "hold" else mode) > 5

    def test_the_search_hangs(self, mode: str) -> None:
        woken = threading.Event()

        def find(frame: Frame) -> bool:
            if frame.number >= 10 and not woken.is_set():
                time.sleep(0.8)
                woken.set()
            return False

        run = Run(mode, FakeSource(total=1000), tracker=MarkerTracker(find=find))
        run.until(lambda: woken.is_set() and run.count("toon") > 20)
        run.check()
        assert run.count(*hidden(mode, early=True)) > 3
