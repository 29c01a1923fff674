"""Every picture goes to every sink, and is counted; sinks come and go while pictures run."""

from __future__ import annotations

import time

import numpy as np
import pytest

from engines.errors import ToonifyError
from realtime.clocks import Statistics
from realtime.guard import Output
from realtime.sinks.outlets import Outlets
from tests.realtime.fakes import Collector, Messages, marked


def output(kind: str = "toon", moved: bool = False) -> Output:
    alpha = np.zeros((240, 320), np.uint8)
    return Output(marked(), alpha, kind, before=marked(), under=marked(), moved=moved)  # type: ignore[arg-type]


def full(count: int) -> None:
    raise OSError("full")


def test_only_local_sinks_get_the_untooned_picture() -> None:
    own, public, heard = Collector(live=False), Collector(live=False), list[Output]()
    own.local = True
    outlets = Outlets([own, public], Messages(), Statistics(), paced=False, listener=heard.append)
    outlets.start()
    outlets.deliver(output(), None)
    assert outlets.stop(output("card")) is None
    assert [picture.before is not None for picture in own.outputs] == [True]
    assert [picture.before for picture in (*public.outputs, *heard)] == [None, None]
    assert outlets.dropped == {"before collector": 0}
    assert (own.closed, public.closed) == (1, 1)


def test_drawn_and_moved_toons_are_counted_apart() -> None:
    statistics = Statistics()
    outlets = Outlets([], Messages(), statistics, paced=True)
    for kind, moved in (("toon", False), ("toon", True), ("toon", True), ("blur", False)):
        outlets.deliver(output(kind, moved), time.monotonic() - 0.02)
    numbers = statistics.snapshot()
    assert (numbers["toons_drawn"], numbers["toons_moved"]) == (1, 2)
    assert numbers["frames_sent"] == numbers["added_latency"]["count"] == 4


def test_live_sinks_end_with_the_farewell() -> None:
    live, film = Collector(live=True), Collector(live=False)
    outlets = Outlets([live, film], Messages(), Statistics(), paced=True)
    outlets.start()
    outlets.stop(output("card"))
    assert live.kinds == ["card"]
    assert film.kinds == []


def test_where_each_picture_counts_a_failing_sink_is_an_error() -> None:
    def fail(count: int) -> None:
        raise ToonifyError("The disk is full.")

    outlets = Outlets([Collector(fail, live=False)], Messages(), Statistics(), paced=False)
    outlets.start()

    def deliver() -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            outlets.deliver(output(), None)

    with pytest.raises(ToonifyError, match="disk is full"):
        deliver()
    assert isinstance(outlets.stop(output("card")), ToonifyError)


def test_a_sink_that_is_added_gets_what_comes_after_and_one_removed_its_farewell() -> None:
    first, second = Collector(), Collector()
    outlets = Outlets([first], Messages(), Statistics(), paced=False)
    outlets.start()
    outlets.deliver(output("raw"), None)
    outlets.add(second)
    outlets.deliver(output("toon"), None)
    outlets.remove(first, output("card"))
    outlets.deliver(output("blur"), None)
    assert outlets.stop(output("hold")) is None
    assert (first.kinds, second.kinds) == (["raw", "toon", "card"], ["toon", "blur", "hold"])
    assert (first.opened, second.opened) == (first.closed, second.closed) == (1, 1)


def test_a_sink_that_cannot_be_opened_is_not_added() -> None:
    class Taken(Collector):
        def open(self) -> None:
            raise ToonifyError("The device is taken.")

    outlets = Outlets([], Messages(), Statistics(), paced=True)
    with pytest.raises(ToonifyError, match="is taken"):
        outlets.add(Taken())
    assert outlets.runners == ()


def test_nothing_is_added_after_the_end() -> None:
    late = Collector()
    outlets = Outlets([], Messages(), Statistics(), paced=False)
    outlets.stop(output())
    outlets.add(late)
    outlets.deliver(output(), None)
    assert late.opened == 0


def test_what_a_sink_fails_of_is_known() -> None:
    outlets = Outlets([Collector(full)], Messages(), Statistics(), paced=True)
    outlets.start()
    outlets.deliver(output(), None)
    assert "full" in str(outlets.stop(output()))
