"""Sinks that come and go while pictures run."""

from __future__ import annotations

from realtime.sinks.outlets import Outlets
from tests.realtime.fakes import Collector, Messages
from tests.realtime.sinks.outputs import output


def test_a_sink_that_is_added_gets_what_comes_after_and_one_removed_its_farewell() -> None:
    first, second = Collector(), Collector()
    outlets = Outlets([first], Messages(), wait=True)
    outlets.start()
    outlets.put(output(1))
    outlets.add(second)
    outlets.put(output(2))
    outlets.remove(first, output(9))
    outlets.put(output(3))
    assert outlets.stop(output(8)) is None
    assert [len(first.outputs), len(second.outputs)] == [3, 3]
    assert (first.closed, second.closed) == (1, 1)


def test_nothing_is_added_after_the_end() -> None:
    late = Collector()
    outlets = Outlets([], Messages(), wait=True)
    outlets.stop(output(1))
    outlets.add(late)
    outlets.put(output(2))
    assert late.opened == 0


def test_what_a_sink_fails_of_is_known() -> None:
    def fail(count: int) -> None:
        raise OSError("full")

    outlets = Outlets([Collector(fail)], Messages(), wait=True)
    outlets.start()
    outlets.put(output(1))
    assert "full" in str(outlets.stop(output(2)))
