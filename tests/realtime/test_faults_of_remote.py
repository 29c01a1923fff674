"""Whole runs whose engine is in another room: the server is late, dies, comes back, is another one.

The engine, the connection and the server are real; see `tests/realtime/test_faults.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from engines.backends.registry import create_engine
from engines.backends.remote.engine import RemoteEngine
from realtime.frame import Frame
from realtime.settings import GUARD_MODES
from tests.engines.backends.remote.server import Service, serving
from tests.engines.factory import tiny_network
from tests.realtime.fakes import FakeSource, MarkerStylizer
from tests.realtime.runs import Run, hidden

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

CROPS = np.full((1, 64, 64, 3), 128, np.uint8)


class Remote:
    """A run whose frames get a toon only when a server has answered."""

    def __init__(self, mode: str, deadline: float = 5.0) -> None:
        self.service = Service(tiny_network(), "tiny")
        self.servers = ExitStack()
        self.server = self.servers.enter_context(serving(self.service))
        engine = create_engine(tiny_network(), f"remote:{self.server}/tiny", say=lambda line: None)
        assert isinstance(engine, RemoteEngine)
        self.engine = engine
        self.engine.deadline = deadline
        self.run = Run(mode, FakeSource(total=10_000), stylizer=MarkerStylizer(self._ask))

    def _ask(self, frame: Frame) -> None:
        self.engine.run(CROPS)

    def follow(self, story: Iterator[None]) -> None:
        """Run until the story is over; every look at the run takes it one step on."""
        with self.servers:
            self.run.until(lambda: next(story, "over") == "over")
        self.engine.close()
        assert next(story, "over") == "over", "the run ended before its story"
        self.run.check()

    def toons(self, count: int) -> Iterator[None]:
        """Until `count` more toons went out."""
        enough = self.run.count("toon") + count
        while self.run.count("toon") < enough:
            yield

    def pictures(self, count: int) -> Iterator[None]:
        """Until `count` more pictures of any kind went out."""
        enough = len(self.run.pictures) + count
        while len(self.run.pictures) < enough:
            yield

    def said(self, words: str) -> int:
        return sum(words in line for line in self.run.messages)


@pytest.mark.parametrize("mode", GUARD_MODES)
def test_the_server_dies_and_comes_back(mode: str) -> None:
    remote = Remote(mode)

    def story() -> Iterator[None]:
        yield from remote.toons(10)
        remote.servers.close()
        yield from remote.pictures(30)
        remote.servers.enter_context(serving(remote.service, int(remote.server.split(":")[1])))
        yield from remote.toons(10)

    remote.follow(story())
    assert sum(remote.run.count(kind) for kind in hidden(mode)) >= 5
    assert remote.said("cannot be reached") == 1
    assert remote.said("engine works again") >= 1


@pytest.mark.parametrize("mode", GUARD_MODES)
def test_the_server_is_late_for_a_while(mode: str) -> None:
    remote = Remote(mode, deadline=0.2)

    def story() -> Iterator[None]:
        yield from remote.toons(10)
        remote.service.free.clear()
        yield from remote.pictures(30)
        remote.service.free.set()
        yield from remote.toons(10)

    remote.follow(story())
    assert sum(remote.run.count(kind) for kind in hidden(mode)) >= 5
    assert remote.said("gave no answer in time") >= 1
    assert remote.said("engine works again") >= 1


def test_another_model_after_a_restart_is_never_shown() -> None:
    remote = Remote("blur")

    def story() -> Iterator[None]:
        yield from remote.toons(10)
        remote.servers.close()
        yield from remote.pictures(10)
        remote.service.network = tiny_network(seed=1)
        remote.servers.enter_context(serving(remote.service, int(remote.server.split(":")[1])))
        while not remote.said("draws something else"):
            yield
        shown.append(remote.run.count("toon"))
        yield from remote.pictures(30)

    shown: list[int] = []
    remote.follow(story())
    assert shown == [remote.run.count("toon")]
