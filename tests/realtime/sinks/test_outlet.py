"""Every picture goes to every sink, and is counted."""

from __future__ import annotations

import time

import numpy as np
import pytest

from engines.errors import ToonifyError
from realtime.clocks import Statistics
from realtime.guard import Output
from realtime.sinks.outlet import Outlet
from tests.realtime.fakes import Collector, Messages, marked


def output(kind: str = "toon", moved: bool = False) -> Output:
    alpha = np.zeros((240, 320), np.uint8)
    return Output(marked(), alpha, kind, before=marked(), under=marked(), moved=moved)  # type: ignore[arg-type]


def test_only_local_sinks_get_the_untooned_picture() -> None:
    own, public, heard = Collector(live=False), Collector(live=False), list[Output]()
    own.local = True
    outlet = Outlet([own, public], Messages(), Statistics(), paced=False, listener=heard.append)
    outlet.start()
    outlet.deliver(output(), None)
    assert outlet.stop(output("card")) is None
    assert [picture.before is not None for picture in own.outputs] == [True]
    assert [picture.before for picture in (*public.outputs, *heard)] == [None, None]
    assert outlet.dropped == {"before collector": 0}
    assert (own.closed, public.closed) == (1, 1)


def test_drawn_and_moved_toons_are_counted_apart() -> None:
    statistics = Statistics()
    outlet = Outlet([], Messages(), statistics, paced=True)
    for kind, moved in (("toon", False), ("toon", True), ("toon", True), ("blur", False)):
        outlet.deliver(output(kind, moved), time.monotonic() - 0.02)
    numbers = statistics.snapshot()
    assert (numbers["toons_drawn"], numbers["toons_moved"]) == (1, 2)
    assert numbers["frames_sent"] == numbers["added_latency"]["count"] == 4


def test_live_sinks_end_with_the_farewell() -> None:
    live, film = Collector(live=True), Collector(live=False)
    outlet = Outlet([live, film], Messages(), Statistics(), paced=True)
    outlet.start()
    outlet.stop(output("card"))
    assert live.kinds == ["card"]
    assert film.kinds == []


def test_where_each_picture_counts_a_failing_sink_is_an_error() -> None:
    def fail(count: int) -> None:
        raise ToonifyError("The disk is full.")

    outlet = Outlet([Collector(fail, live=False)], Messages(), Statistics(), paced=False)
    outlet.start()

    def deliver() -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            outlet.deliver(output(), None)

    with pytest.raises(ToonifyError, match="disk is full"):
        deliver()
    assert isinstance(outlet.stop(output("card")), ToonifyError)
