"""The switches of a running filter."""

from __future__ import annotations

import threading

from realtime.controls import Controls
from realtime.guard import Guard
from realtime.live.blends import Blend
from realtime.settings import GuardMode, GuardSettings
from tests.realtime.fakes import SIZE, MarkerStylizer, Messages


def guard(mode: GuardMode) -> Guard:
    return Guard(mode, GuardSettings(grace=0.0), SIZE, max_faces=2)


def test_strength_below_one_needs_the_guard_to_pass() -> None:
    messages = Messages()
    door = guard("blur")
    stylizer = MarkerStylizer()
    controls = Controls(door, stylizer, messages)
    controls.change_strength(-0.3)
    assert stylizer.strength == 1.0
    assert "pass" in messages[-1]
    door.mode = "pass"
    controls.change_strength(-0.3)
    assert stylizer.strength == 0.7


def test_the_controls_go_through_all_modes_and_styles() -> None:
    switched = threading.Event()
    asked = []

    def switch(blend: Blend) -> None:
        asked.append(blend)
        switched.set()

    messages = Messages()
    door = guard("pass")
    controls = Controls(
        door, MarkerStylizer(), messages, styles=["film", "comic"], swaps=[None, 16], switch=switch
    )
    modes = []
    for _ in range(4):
        controls.next_guard()
        modes.append(door.mode)
    assert modes == ["hold", "blur", "card", "pass"]
    controls.next_style()
    assert switched.wait(5)
    assert asked == [("comic", None, None)]
    controls.toggle_panic()
    assert door.panic


def test_toon_mirror_and_panic_are_switched_and_switched_back() -> None:
    messages = Messages()
    controls = Controls(guard("blur"), MarkerStylizer(), messages, mirror=True)
    states = []
    for _ in range(2):
        controls.toggle_toon()
        controls.toggle_mirror()
        controls.toggle_panic()
        states.append((controls.toon, controls.mirror, controls.guard.panic))
    assert states == [(False, False, True), (True, True, False)]
    assert messages == ["Toon off.", "Card shown.", "Toon on.", "Card hidden."]


def test_without_a_choice_the_controls_say_so() -> None:
    messages = Messages()
    controls = Controls(guard("pass"), MarkerStylizer(), messages, styles=["film"])
    controls.next_style()
    controls.next_swap()
    assert messages == ["This model has one style only.", "This model's layers cannot be swapped."]


def test_a_switch_that_fails_is_told_and_the_next_one_works() -> None:
    asked: list[int | None] = []

    def switch(blend: Blend) -> None:
        asked.append(blend.swap)
        if len(asked) == 1:
            raise RuntimeError("out of memory")

    messages = Messages()
    controls = Controls(guard("pass"), MarkerStylizer(), messages, swaps=[None, 16], switch=switch)
    for count in (1, 2):
        controls.next_swap()
        for thread in threading.enumerate():
            if thread.name.endswith("(_change_to)"):
                thread.join(5)
        assert len(messages) == count
    assert asked == [16, None]
    assert messages == [
        "The style stays as it is: out of memory", "Style default, swap at default.",
    ]  # fmt: skip
