"""What browsers may do that no page of ours does."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest

from engines.networks.generator_config import GeneratorConfig
from realtime.toons.shapes.reshape import EYES_UNKNOWN
from tests.realtime.web.client import ask, enter, listen
from tests.realtime.web.panel.conftest import PanelRun


def next_of(socket: Any, kind: str) -> Any:
    """The next message of a kind; pictures are `bytes`."""
    while True:
        message = socket.recv(timeout=30)
        if isinstance(message, bytes):
            if kind == "picture":
                length = int.from_bytes(message[:4], "big")
                return json.loads(message[4 : 4 + length])
        elif kind in (found := json.loads(message)):
            return found[kind]


def test_a_browser_that_does_not_acknowledge_gets_one_picture_and_slows_nobody(
    run: PanelRun,
) -> None:
    with listen(run.server, "/panel/live", enter(run.server)) as slow:
        first = next_of(slow, "picture")
        sent = run.pipeline.statistics.sent.count
        run.until(lambda: run.pipeline.statistics.sent.count > sent + 20)
        slow.send(json.dumps({"do": "mirror", "value": True}))
        while not next_of(slow, "switches")["mirror"]:
            pass  # no picture came in between, or `next_of` would have met it and we count below
        slow.send(json.dumps({"ack": first["number"]}))
        assert next_of(slow, "picture")["number"] > first["number"] + 10


def test_panels_that_read_nothing_at_all_slow_nobody(run: PanelRun) -> None:
    headers = enter(run.server)
    with ExitStack() as stack:
        for path in ("/panel/live", "/panel/overlay") * 3:
            stack.enter_context(listen(run.server, path, headers))
        sent = run.pipeline.statistics.sent.count
        run.until(lambda: run.pipeline.statistics.sent.count > sent + 40)
    run.until(lambda: not run.feed._waiting)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("strength", 2, "between 0 and 1"),
        ("strength", "all", "Expected a number"),
        ("eyes", 2, "0.8 to 1.4 times"),
        ("childlike", 1.5, "between 0 and 1"),
        ("panic", "yes", "Expected true or false"),
        ("paint-room", 1, "Expected true or false"),
        ("guard", "none", "must be one of"),
        ("region", ["head"], "must be one of"),
        ("style", "clay", "has no blend clay"),
        ("swap", 7, "has no blend"),
        ("faces", 9, "Faces must be 1 to"),
        ("source", "1", "Expected a source"),
        ("source", {"source": "1", "size": [1, 1]}, "source.size must lie between"),
        ("add-sink", "nonsense", "There is no sink 'nonsense'"),
        ("remove-sink", "virtual", "No pictures go to virtual"),
        ("person-leave", {"id": 99}, "not in the picture any more"),
        ("person-style", {"id": 0, "style": "clay"}, "no style 'clay'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    run: PanelRun, name: str, value: Any, words: str
) -> None:
    with listen(run.server, "/panel/live", enter(run.server)) as socket:
        socket.send(json.dumps({"do": name, "value": value}))
        assert words in next_of(socket, "said")
    assert run.controls.strength == 1
    assert not run.guard.panic


def test_a_model_that_does_not_say_where_its_eyes_are_refuses_their_size(
    run: PanelRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GeneratorConfig, "gives_plan", False)
    with listen(run.server, "/panel/live", enter(run.server)) as socket:
        socket.send(json.dumps({"do": "eyes", "value": 1.2}))
        assert EYES_UNKNOWN in next_of(socket, "said")
    assert run.controls.eyes == 1


@pytest.mark.parametrize("text", ["no json", "[]", '{"view": 3}', '{"view": {"width": []}}'])
def test_nonsense_ends_the_connection_and_nothing_else(run: PanelRun, text: str) -> None:
    with listen(run.server, "/panel/live", enter(run.server)) as socket:
        socket.send(text)
        for _ in socket:
            pass  # ends when the server closes it
    sent = run.pipeline.statistics.sent.count
    run.until(lambda: run.pipeline.statistics.sent.count > sent)
    assert not [line for line in run.messages if "failed" in line]


def test_the_untooned_picture_is_not_sent_unless_asked_for(run: PanelRun) -> None:
    with listen(run.server, "/panel/live", enter(run.server)) as socket:
        first = next_of(socket, "picture")
        assert len(first["parts"]) == 1
        socket.send(json.dumps({"view": {"width": 320, "before": True}}))
        socket.send(json.dumps({"ack": first["number"]}))
        assert len(next_of(socket, "picture")["parts"]) == 2


def test_each_style_has_a_picture_and_others_do_not(run: PanelRun) -> None:
    headers = enter(run.server)
    assert ask(run.server, "/panel/styles/clay", headers).status == 404
