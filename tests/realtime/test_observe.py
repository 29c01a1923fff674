"""The guarded order and who counts as a stranger; `test_faults` holds whole runs against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from realtime.frame import Frame
from realtime.guard import Guard
from realtime.observe import LOOKOUTS, PARTS, Observer
from realtime.settings import GUARD_MODES, GuardSettings
from tests.realtime.fakes import (
    BOX,
    SIZE,
    MarkerStrangers,
    MarkerStylizer,
    MarkerTracker,
    Messages,
    marked,
    raw_pixels,
)

HIDING = [mode for mode in GUARD_MODES if mode != "pass"]


def frame(number: int = 0) -> Frame:
    return Frame(marked(), number / 30, number)


def fail(*_: object) -> Any:
    raise RuntimeError("device lost")


def quiet(frame: Frame) -> bool:
    return False


def observer(
    mode: str = "blur",
    tracker: Any = None,
    stylizer: Any = None,
    strangers: Any = None,
    **options: Any,
) -> tuple[Observer, Messages]:
    messages = Messages()
    made = Observer(
        tracker or MarkerTracker(),
        stylizer or MarkerStylizer(),
        Guard(mode, GuardSettings(), SIZE, 2),  # type: ignore[arg-type]
        messages,
        strangers=strangers,
        **options,
    )
    return made, messages


def test_one_frame_goes_through_all_steps_in_order() -> None:
    steps: list[str] = []

    def note(step: str, answer: Any) -> Callable[[Frame], Any]:
        def noted(frame: Frame) -> Any:
            steps.append(step)
            return answer

        return noted

    class Tracker(MarkerTracker):
        def refresh(self, late: bool = False) -> bool:
            steps.append("refresh")
            return super().refresh(late)

    tracker = Tracker(note("track", [BOX]), note("search", False))
    stylizer, strangers = MarkerStylizer(note("draw", None)), MarkerStrangers(note("watch", False))
    made, messages = observer(tracker=tracker, stylizer=stylizer, strangers=strangers)
    result = made.observe(frame())
    assert steps == ["track", "draw", "search", "watch", "refresh"]
    assert (result.stranger, result.covered, len(result.faces)) == (False, {0}, 1)
    assert result.image is not None
    assert raw_pixels(result.image) == 0
    assert messages == []
    counts = {name: clock.count for name, clock in made.statistics.stages.items()}
    assert {name for name, count in counts.items() if count == 1} == {
        "track", "stylize", "finish", "paste", "search", "refresh", "watch",
    }  # fmt: skip


@pytest.mark.parametrize("mode", HIDING)
@pytest.mark.parametrize("tolerated", [PARTS, LOOKOUTS])
@pytest.mark.parametrize("call", ["observe", "still"])
def test_a_stranger_detector_that_fails_counts_as_having_seen_one(
    mode: str, tolerated: tuple[str, ...], call: str
) -> None:
    made, messages = observer(mode, strangers=MarkerStrangers(fail), tolerated=tolerated)
    for number in range(3):
        assert getattr(made, call)(frame(number)).stranger
    assert messages == ["The stranger detector failed (device lost); going on."]


def test_a_search_that_fails_counts_as_having_seen_one() -> None:
    made, messages = observer(tracker=MarkerTracker(find=fail), tolerated=LOOKOUTS)
    assert made.observe(frame()).stranger
    assert messages == ["The search failed (device lost); going on."]


def test_what_is_not_tolerated_is_raised_with_the_doubt_set() -> None:
    made, _ = observer(strangers=MarkerStrangers(fail), tolerated=())
    seen = made.track(frame())
    with pytest.raises(RuntimeError, match="device lost"):
        made.watch(seen)
    assert seen.watch.result(0)
    for broken in ({"tracker": MarkerTracker(fail)}, {"stylizer": MarkerStylizer(fail)}):
        made, _ = observer(tolerated=LOOKOUTS, **broken)
        with pytest.raises(RuntimeError, match="device lost"):
            made.observe(frame())


def test_a_failure_is_told_once_and_so_is_its_end() -> None:
    def sometimes(frame: Frame) -> None:
        if 2 <= frame.number < 5:
            fail()

    made, messages = observer(stylizer=MarkerStylizer(sometimes), strangers=MarkerStrangers(quiet))
    results = [made.observe(frame(number)) for number in range(8)]
    assert messages == ["The engine failed (device lost); going on.", "The engine works again."]
    assert [result.image is None for result in results] == [2 <= n < 5 for n in range(8)]


@pytest.mark.parametrize("call", ["observe", "still"])
def test_under_pass_nobody_watches_and_the_frame_is_in_doubt(call: str) -> None:
    asked: list[Frame] = []

    def see(frame: Frame) -> bool:
        asked.append(frame)
        return False

    made, messages = observer("pass", strangers=MarkerStrangers(see))
    assert getattr(made, call)(frame()).stranger
    assert (asked, messages) == ([], [])
    without, _ = observer("pass")
    assert not getattr(without, call)(frame()).stranger


def test_the_search_is_told_whom_the_detector_suspects() -> None:
    told: list[Any] = []

    class Tracker(MarkerTracker):
        def search(self, suspected: Any = (), late: bool = False) -> bool:
            told.append((suspected, late))
            return False

    strangers = MarkerStrangers(quiet)
    strangers.suspected = ["somebody"]
    made, _ = observer(tracker=Tracker(), strangers=strangers)
    made.search(made.track(frame()), late=True)
    open_, _ = observer("pass", tracker=Tracker(), strangers=strangers)
    open_.search(open_.track(frame()))
    assert told == [(["somebody"], True), ((), False)]


def test_a_verdict_that_comes_too_late_counts_as_a_stranger() -> None:
    made, _ = observer(strangers=MarkerStrangers(quiet))
    seen = made.track(frame())
    made.search(seen)
    assert seen.conclude(0.01).stranger
    made.watch(seen)
    assert not seen.conclude(0.01).stranger
    seen.doubt()  # too late: the verdict stands
    assert not seen.conclude(0.01).stranger
