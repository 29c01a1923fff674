from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engines.backends.remote.engine import FILE_DEADLINE, LIVE_DEADLINE, RemoteEngine
from engines.errors import UsageError
from engines.networks.generator_config import GeneratorConfig
from realtime.session import Session, find_chosen, use_session
from realtime.settings import (
    EngineSettings,
    GuardSettings,
    Settings,
    SettingsError,
    check_settings,
    flags_of,
    load_settings,
)
from realtime.toons.shapes.reshape import EYES_UNKNOWN
from tests.realtime.fakes import Collector, FakeSource, MarkerStylizer, Messages


def test_a_session_that_is_given_is_used_and_left_open(session: Session) -> None:
    with use_session(Settings(), Messages(), session=session) as used:
        assert used is session
    assert session.tracker.still(FakeSource().picture(0)) == []  # its graphs are still there


def test_a_session_that_is_made_is_closed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Session] = []
    close = Session.close

    def noted(self: Session) -> None:
        closed.append(self)
        close(self)

    monkeypatch.setattr(Session, "close", noted)
    with (
        pytest.raises(ZeroDivisionError),
        use_session(session.settings, Messages(), bundle=session.bundle) as made,
    ):
        raise ZeroDivisionError
    assert closed == [made]


@pytest.mark.parametrize("live", [True, False])
def test_a_run_has_the_pace_of_its_source(session: Session, live: bool) -> None:
    sink, said = Collector(live=live), Messages()
    sent: list[object] = []
    source = FakeSource(total=5, live=live)
    pipeline = session.pipeline(source, [sink], say=said, on_output=sent.append)
    pipeline.run()
    numbers = pipeline.snapshot()
    assert numbers["style"] == session.bundle.styles[0]
    assert numbers["frames_captured"] == 5
    assert len(sent) >= 1
    assert {output.image.shape for output in sink.outputs} == {(240, 320, 3)}
    if not live:
        assert numbers["frames_sent"] == len(sink.outputs) == 5


@pytest.mark.parametrize(("live", "seconds"), [(True, LIVE_DEADLINE), (False, FILE_DEADLINE)])
def test_a_live_run_waits_less_for_a_server_than_a_file_does(
    session: Session, monkeypatch: pytest.MonkeyPatch, live: bool, seconds: float
) -> None:
    server = RemoteEngine.__new__(RemoteEngine)  # nothing of it is used but these
    server.name, server.device, server.deadline = "remote", "a server", 0.0
    monkeypatch.setattr(session, "engine", server)
    session.pipeline(FakeSource(total=1, live=live), [])
    assert server.deadline == seconds


def test_a_stylizer_of_one_s_own_runs_without_engine_and_detector(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> bool:
        raise AssertionError("nobody should ask")

    monkeypatch.setattr(session, "settings", replace(session.settings, guard=GuardSettings("blur")))
    monkeypatch.setattr(session.strangers, "alarmed", asked)
    monkeypatch.setattr(session.stylizer, "draw", asked)
    sink = Collector(live=False)
    session.pipeline(FakeSource(total=4, live=False), [sink], stylizer=MarkerStylizer()).run()
    assert len(sink.outputs) == 4


def test_a_new_run_knows_nothing_of_the_one_before(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    reset: list[str] = []
    for part in ("tracker", "stylizer", "strangers"):
        monkeypatch.setattr(
            getattr(session, part), "reset", lambda part=part: reset.append(part), raising=True
        )
    session.pipeline(FakeSource(total=0), [])
    assert reset == ["tracker", "stylizer", "strangers"]


def test_the_guard_of_a_still_does_not_look_ahead(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = GuardSettings("blur", look_ahead=3)
    monkeypatch.setattr(session, "settings", replace(session.settings, guard=ahead))
    assert session.guard((64, 48))._settings.look_ahead == 3
    assert session.guard((64, 48), still=True)._settings.look_ahead == 0


def test_what_a_model_does_not_have_is_refused_before_anything_is_begun(session: Session) -> None:
    path = session.settings.engine.model
    assert find_chosen(EngineSettings(path)).styles == session.bundle.styles
    with pytest.raises(UsageError, match="has no style 'clay'"):
        find_chosen(EngineSettings(path, style="clay"))
    with pytest.raises(UsageError):
        find_chosen(EngineSettings(path, swap=1024))


def test_eyes_that_keep_their_size_are_said(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = flags_of({"model": str(model), "engine": "torch:cpu", "eyes": 1.2})
    for gives_plan in (True, False):
        monkeypatch.setattr(GeneratorConfig, "gives_plan", gives_plan)
        said = Messages()
        Session(load_settings(flags=flags), said).close()
        assert (EYES_UNKNOWN in said) == (not gives_plan)


def test_part_of_the_real_face_needs_the_guard_to_pass() -> None:
    flags = {"compositing": {"strength": 0.5}}
    with pytest.raises(SettingsError, match="guard 'blur' never lets out"):
        check_settings(load_settings(flags=flags))
    check_settings(load_settings(flags={**flags, "guard": {"mode": "pass"}}))
