"""What is chosen for one person holds for that person only, and not for longer than they stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from engines.errors import UsageError
from realtime.frame import Frame
from realtime.guard import Guard, Result
from realtime.live.people import ASKED, MEMORY, Choice, People
from realtime.settings import GuardMode, GuardSettings
from tests.realtime.fakes import SIZE, MarkerStylizer, marked, marked_face, raw_pixels

LEFT, RIGHT = (20, 80, 100, 180), (200, 80, 280, 180)


class Room:
    """Two people before a guard; `show` gives what goes out for a frame."""

    def __init__(self, mode: GuardMode = "blur") -> None:
        self.guard = Guard(mode, GuardSettings(grace=0.2), SIZE, 2)
        self.stylizer = MarkerStylizer()
        self.built: list[str] = []
        self.people = People(self.guard, self.stylizer, self.build)
        self.number = 0

    def build(self, style: str) -> Any:
        self.built.append(style)
        return f"engine of {style} {len(self.built)}"

    def show(self, faces: Mapping[int, tuple[int, ...]]) -> Any:
        self.number += 1
        frame = Frame(marked(boxes=tuple(faces.values())), self.number / 30, self.number)
        seen = [marked_face(identity, box) for identity, box in faces.items()]
        drawn = [face for face in seen if not self.bare(face.identity)]
        done = self.stylizer.apply(frame, drawn)
        return self.guard.admit(Result(frame, done.image, done.alpha, seen, done.covered))

    def bare(self, identity: int) -> bool:
        manner = self.stylizer.manners.get(identity)
        return manner is not None and manner.bare


def test_a_face_is_left_as_it_is_when_that_was_asked_for_twice() -> None:
    room = Room()
    both = {1: LEFT, 2: RIGHT}
    assert not room.people.leave(1)
    shown = room.show(both)
    assert (shown.kind, raw_pixels(shown.image)) == ("toon", 0)
    assert room.people.leave(1)
    shown = room.show(both)
    assert shown.kind == "toon"
    assert raw_pixels(shown.image[:, :150]) > 5000
    assert raw_pixels(shown.image[:, 150:]) == 0


def test_asking_again_too_late_is_asking_for_the_first_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    room = Room()
    room.people.leave(1)
    now[0] += ASKED + 1
    assert not room.people.leave(1)
    now[0] += 1
    assert room.people.leave(1)


def test_a_face_that_was_bare_is_not_repeated_once_it_is_hidden_again() -> None:
    room = Room("hold")
    room.people.leave(1)
    room.people.leave(1)
    assert raw_pixels(room.show({1: LEFT}).image) > 5000
    room.people.reset(1)
    held = room.guard.fill(None, room.number / 30)
    assert (held.kind, raw_pixels(held.image)) == ("card", 0)
    assert room.show({1: LEFT}).kind == "toon"


def test_frames_that_wait_with_a_bare_face_are_hidden_once_it_is() -> None:
    room = Room("card")
    room.guard._settings = GuardSettings(look_ahead=2, grace=0.0)
    room.people.leave(1)
    room.people.leave(1)
    for _ in range(3):
        room.show({1: LEFT})
    room.people.reset(1)
    for _ in range(5):
        assert raw_pixels(room.show({1: LEFT}).image) == 0


def test_who_leaves_and_comes_back_is_hidden() -> None:
    room = Room()
    room.people.leave(1)
    room.people.leave(1)
    room.show({1: LEFT, 2: RIGHT})
    room.show({2: RIGHT})
    assert room.people.choice(1) == Choice()
    assert room.guard.bare == frozenset()
    shown = room.show({1: LEFT, 2: RIGHT})  # drawn bare still: the guard hides it all the same
    assert raw_pixels(shown.image) == 0
    room.people.see([1, 2], 1.0)
    shown = room.show({1: LEFT, 2: RIGHT})
    assert (shown.kind, raw_pixels(shown.image)) == ("toon", 0)


def test_a_style_of_one_s_own_is_built_and_renewed_with_everybody_s_swap() -> None:
    room = Room()
    room.people.set_style(2, "comic")
    assert room.stylizer.manners[2].engine == "engine of comic 1"
    assert room.people.styles == {"comic"}
    room.people.renew()
    assert room.stylizer.manners[2].engine == "engine of comic 2"
    room.people.set_style(2, None)
    assert room.stylizer.manners == {}


def test_strength_below_one_needs_the_guard_to_pass_and_ends_with_it() -> None:
    room = Room()
    with pytest.raises(UsageError, match="set the guard from blur to pass first"):
        room.people.set_strength(1, 0.5)
    room.guard.mode = "pass"
    room.people.set_strength(1, 0.5)
    room.people.set_strength(2, 1.0)
    assert room.stylizer.manners[1].strength == 0.5
    room.guard.mode = "blur"
    room.people.guard_changed()
    assert set(room.stylizer.manners) == {2}


def test_choices_of_people_who_are_gone_are_forgotten() -> None:
    room = Room()
    room.people.set_style(1, "comic")
    room.people.set_style(2, "comic")
    for now in range(3):
        room.people.see([1, 2], now)
    room.people.see([2], 2 + MEMORY)
    assert set(room.stylizer.manners) == {1, 2}
    room.people.see([2], 3 + MEMORY)
    assert set(room.stylizer.manners) == {2}
    assert np.array_equal(sorted(room.built), ["comic", "comic"])
