"""The newest drawing goes into the frames until the next one is there."""

from __future__ import annotations

from dataclasses import replace

from realtime.frame import Frame
from realtime.guard import Result
from realtime.observe import Observation
from realtime.toons.latest import STALE, LatestDrawing
from tests.realtime.fakes import MarkerStylizer, marked, marked_face


def seen(captured: float, drawn: bool = False) -> Observation:
    """A frame, drawn or not."""
    frame = Frame(marked(), captured, int(captured * 30), captured=captured)
    observation = Observation(Result(frame, None, None, [marked_face()], frozenset()), moving=True)
    drawing = MarkerStylizer().draw(frame, [marked_face()]) if drawn else None
    return replace(observation, drawing=drawing)


def test_a_drawing_is_new_once_and_then_moved() -> None:
    latest, first, second = LatestDrawing(), seen(0.0, drawn=True), seen(0.1, drawn=True)
    assert latest.give(seen(0.0)).drawing is None
    latest.put(first)
    given = [latest.give(seen(time)) for time in (0.03, 0.06)]
    assert [one.drawing for one in given] == [first.drawing] * 2
    assert [one.result.moved for one in given] == [False, True]
    latest.put(second)
    given = [latest.give(seen(time)) for time in (0.13, 0.16)]
    assert [one.drawing for one in given] == [second.drawing] * 2
    assert [one.result.moved for one in given] == [False, True]


def test_an_old_drawing_and_a_frame_without_one_end_the_moving() -> None:
    latest = LatestDrawing()
    latest.put(seen(0.0, drawn=True))
    assert latest.give(seen(STALE - 0.01)).drawing is not None
    assert latest.give(seen(STALE + 0.01)).drawing is None
    latest.put(seen(2.0, drawn=True))
    latest.put(seen(2.1))
    assert latest.give(seen(2.2)).drawing is None
