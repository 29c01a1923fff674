"""The switches of a running filter."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from engines.errors import UsageError
from realtime.controls import Controls
from realtime.guard import Guard
from realtime.live.blends import Blend
from realtime.settings import GuardMode, GuardSettings, Settings
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
        assert controls.refused == ("" if count == 2 else messages[0])
    assert asked == [16, None]
    assert messages == [
        "The style stays as it is: out of memory", "Style default, swap at default.",
    ]  # fmt: skip


def test_the_size_of_the_eyes_is_a_setting_that_is_kept() -> None:
    stylizer = MarkerStylizer()
    controls = Controls(guard("blur"), stylizer, Messages())
    controls.set_eyes(1.2)
    assert controls.eyes == stylizer.settings.eyes == 1.2
    assert controls.applied(Settings()).compositing.eyes == 1.2


def test_a_childs_proportions_are_a_setting_that_is_kept() -> None:
    stylizer = MarkerStylizer()
    controls = Controls(guard("blur"), stylizer, Messages())
    controls.set_childlike(0.8)
    assert controls.childlike == stylizer.settings.childlike == 0.8
    assert controls.applied(Settings()).compositing.childlike == 0.8
    with pytest.raises(UsageError, match=r"between 0 and 1, not 1\.2"):
        controls.set_childlike(1.2)
    assert controls.childlike == 0.8


def test_a_painted_room_is_a_setting_that_is_kept() -> None:
    stylizer = MarkerStylizer()
    controls = Controls(guard("blur"), stylizer, Messages())
    assert not controls.paint_room
    controls.set_paint_room(True)
    assert controls.paint_room
    assert stylizer.settings.paint_room
    assert controls.applied(Settings()).compositing.paint_room


def test_a_guard_that_hides_makes_the_toon_whole_again() -> None:
    stylizer = MarkerStylizer()
    controls = Controls(guard("pass"), stylizer, Messages())
    controls.set_strength(0.4)
    controls.set_guard("card")
    assert stylizer.strength == 1.0


@pytest.mark.parametrize(
    ("act", "value"),
    [
        ("set_strength", 1.5),
        ("set_strength", float("nan")),
        ("set_guard", "none"),
        ("set_region", "nose"),
        ("set_eyes", 0.5),
        ("set_eyes", float("nan")),
        ("set_faces", 0),
        ("set_faces", 3),
        ("set_blend", Blend("clay")),
        ("set_blend", Blend("film", 7)),
    ],
)
def test_what_there_is_not_is_refused(act: str, value: Any) -> None:
    controls = Controls(guard("pass"), MarkerStylizer(), Messages(), styles=["film"])
    with pytest.raises(UsageError):
        getattr(controls, act)(value)
    assert controls.blend == ("film", None, None)


def test_the_last_blend_asked_for_wins_and_none_between_is_built() -> None:
    built: list[int | None] = []
    begun, go_on, told = threading.Event(), threading.Event(), threading.Event()

    def switch(blend: Blend) -> None:
        built.append(blend.swap)
        begun.set()
        assert go_on.wait(20)

    controls = Controls(
        guard("pass"), MarkerStylizer(), Messages(),
        styles=["film"], swaps=[None, 8, 16, 32], switch=switch,
    )  # fmt: skip
    controls.set_blend(Blend("film", 8))
    assert begun.wait(20)
    controls.set_blend(Blend("film", 16))
    controls.set_blend(Blend("film", 32))
    assert controls.building == "film, swap at 32"
    controls.watch(lambda: None if controls.building else told.set())
    go_on.set()
    assert told.wait(20)
    assert built == [8, 32]
    assert controls.blend == ("film", 32, None)


def test_what_was_changed_can_be_kept_as_settings() -> None:
    controls = Controls(
        guard("pass"), MarkerStylizer(), Messages(), styles=["film"], swaps=[16], mirror=True
    )
    controls.set_strength(0.5)
    controls.set_region("face")
    controls.set_faces(1)
    kept = controls.applied(Settings())
    assert kept.compositing.strength == 0.5
    assert kept.compositing.mode == "face"
    assert kept.faces.max_faces == 1
    assert kept.source.mirror
    assert (kept.engine.style, kept.engine.swap, kept.guard.mode) == ("film", 16, "pass")
