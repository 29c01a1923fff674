"""Outputs that are added and taken away by a panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engines.errors import ToonifyError, UsageError
from realtime.clocks import Statistics
from realtime.controls import Controls
from realtime.guard import Guard
from realtime.live.desk import Desk
from realtime.settings import GuardSettings, OutputSettings, Settings, load_settings
from realtime.sinks.outlets import Outlets
from realtime.sinks.switchable import Switchable
from tests.realtime.fakes import FakeSource, MarkerStylizer, Messages
from tests.realtime.sinks.outputs import SIZE, output

Make = Callable[..., Desk]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A desk of a run whose pictures go nowhere yet."""
    made: list[Outlets] = []

    def desk(settings: Settings) -> Desk:
        say = Messages()
        controls = Controls(Guard("pass", GuardSettings(), SIZE, 4), MarkerStylizer(), say)
        desk = Desk(
            cast(Any, None), controls, settings, say, source=None, sinks=(),
            recorder=cast(Switchable, None), folder=tmp_path,
        )  # fmt: skip
        outlets = Outlets([], say, Statistics(), paced=True)
        made.append(outlets)
        desk.pipeline = cast(
            Any, SimpleNamespace(size=SIZE, rate=30.0, source=FakeSource(), outlets=outlets)
        )
        return desk

    yield desk
    for outlets in made:
        outlets.stop(output())


def quiet(mode: str = "auto", audio: str | None = None) -> Settings:
    sinks = ("none",) if audio is None else ("other.ts",)
    return Settings(
        guard=GuardSettings(mode=cast(Any, mode)), output=OutputSettings(sinks=sinks, audio=audio)
    )


def test_a_stream_that_is_added_makes_one_file_and_is_taken_away(
    make: Make, tmp_path: Path
) -> None:
    desk, target = make(quiet()), str(tmp_path / "show.ts")
    desk.add_sink(target)
    assert desk.sinks == [(target, "")]
    desk.pipeline.outlets.deliver(output(1), None)
    desk.remove_sink(target)
    assert desk.sinks == []
    assert [path.name for path in tmp_path.iterdir()] == ["show.ts"]


def test_the_first_output_that_others_watch_makes_an_automatic_guard_hide(
    make: Make, tmp_path: Path
) -> None:
    desk = make(quiet())
    desk.add_sink(f"{tmp_path}/frames/")
    assert desk.controls.guard.mode == "pass"
    desk.add_sink(str(tmp_path / "show.ts"))
    assert desk.controls.guard.mode == "blur"


def test_a_guard_that_was_chosen_stays(make: Make, tmp_path: Path) -> None:
    desk = make(quiet("pass"))
    desk.add_sink(str(tmp_path / "show.ts"))
    assert desk.controls.guard.mode == "pass"


def test_secrets_of_an_address_are_not_shown(make: Make) -> None:
    desk = make(quiet())
    said = desk.add_sink("udp://127.0.0.1:9?localaddr=127.0.0.1")
    shown = "udp://127.0.0.1:9?***"
    assert (said, desk.sinks) == (f"Pictures go to {shown}.", [(shown, "")])
    desk.remove_sink(shown)
    assert desk.sinks == []
    with pytest.raises(UsageError) as refused:
        desk.remove_sink("rtmp://127.0.0.1/live/secret")
    assert "secret" not in str(refused.value)


def test_what_cannot_be_reached_is_told_at_once_and_not_kept(make: Make) -> None:
    desk = make(quiet())
    with pytest.raises(ToonifyError, match="cannot be sent"):
        desk.add_sink("rtmp://127.0.0.1:9/live/secret")
    assert desk.sinks == []


def test_a_microphone_is_saved_only_beside_a_stream(make: Make, tmp_path: Path) -> None:
    desk = make(quiet(audio="desk microphone"))
    desk.add_sink(f"{tmp_path}/frames/")
    desk.save()
    saved = load_settings(tmp_path / "toonify.toml").output
    assert (saved.sinks, saved.audio) == ((f"{tmp_path}/frames/",), None)
