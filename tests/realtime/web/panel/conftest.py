"""A whole run with a panel: real engines of a small model, stand-ins for camera, tracker, paint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from realtime.frame import Frame
from realtime.live.desk import Desk
from realtime.live.source import ChangingSource
from realtime.pipeline import Pipeline
from realtime.session import Session
from realtime.settings import SourceSettings
from realtime.sinks.files import Recording
from realtime.sinks.switchable import Switchable
from realtime.stylizer import Manner, StylizedFrame
from realtime.web.panel.feed import Feed
from realtime.web.panel.routes import OVERLAY, panel_routes
from realtime.web.server import WebServer
from tests.realtime.fakes import (
    SIZE,
    TOON,
    Collector,
    FakeSource,
    MarkerStylizer,
    MarkerTracker,
    Messages,
    marked,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

OTHER_TOON = (40, 200, 255)  # BGR, of any engine but the first
OTHER_ROOM = 200  # grey of the other camera's room


class Painter(MarkerStylizer):
    """Paints faces in a colour that tells the engine, as strongly as it is asked to."""

    def __init__(self, engine: Any) -> None:
        super().__init__()
        self.engine = self._first = engine

    def apply(self, frame: Frame, faces: Sequence[Any]) -> StylizedFrame:
        image, covered = frame.image.copy(), set()
        alpha = np.zeros(image.shape[:2], np.uint8)
        for face in faces:
            manner = self.manners.get(face.identity, Manner())
            if manner.bare:
                continue
            own = self.strength if manner.strength is None else manner.strength
            first = (manner.engine or self.engine) is self._first
            left, top, right, bottom = (int(v) for v in face.box)
            spot = np.s_[top:bottom, left:right]
            colour = np.array(TOON if first else OTHER_TOON)
            image[spot] = image[spot] * (1 - own) + colour * own
            alpha[spot] = round(255 * own)
            covered |= {face.identity} if own == 1 else set()
        return StylizedFrame(image, alpha, frozenset(covered), {}, {})


class PanelRun:
    """A run in a thread, its panel, and all that came out of it."""

    def __init__(self, session: Session, folder: Path, serve: Callable[..., WebServer]) -> None:
        self.messages = Messages()
        self.collector = Collector()
        self.stylizer = session.stylizer
        self.pausing = threading.Event()  # set, the camera gives no pictures
        bright = np.where(marked() == 90, OTHER_ROOM, marked()).astype(np.uint8)
        self.source = ChangingSource(
            FakeSource(total=10**9, rate=30, picture=self._picture),
            SourceSettings("0", size=SIZE),
            lambda _: FakeSource(total=10**9, rate=30, picture=lambda number: bright),
        )
        self.guard = session.guard(SIZE)
        self.guard.mode = "blur"
        self.controls = session.controls(self.guard, self.messages)
        recorder = Switchable(
            lambda: Recording(folder / "recording.mp4", SIZE, 30, paced=True), self.messages
        )
        self.desk = Desk(
            session, self.controls, session.settings, self.messages, source=self.source, sinks=(),
            recorder=recorder, folder=folder,
        )  # fmt: skip
        self.feed = Feed()
        self.pipeline = self.desk.pipeline = Pipeline(
            self.source, MarkerTracker(), self.stylizer, [self.collector, recorder, self.feed],
            self.controls, self.messages, rate=30, on_output=self.desk.note,
        )  # fmt: skip
        self.routes = panel_routes(self.desk, self.feed, lambda: self.server.guest_url("/overlay"))
        self.server = serve(self.routes, guests=OVERLAY)
        self._thread = threading.Thread(target=self.pipeline.run)
        self._thread.start()

    def stop(self) -> None:
        self.controls.stop()
        self._thread.join()

    def _picture(self, _: int) -> Any:
        while self.pausing.is_set() and not self.controls.stopped.is_set():
            time.sleep(0.01)
        return marked()

    @property
    def last(self) -> Any:
        """The last picture that went out."""
        return self.collector.outputs[-1]

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for something that pictures show."""
        end = time.monotonic() + 30
        while not (self.collector.outputs and done()):
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.01)


@pytest.fixture
def run(
    session: Session,
    tmp_path: Path,
    serve: Callable[..., WebServer],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[PanelRun]:
    monkeypatch.setattr(session, "stylizer", Painter(session.engine))
    made = PanelRun(session, tmp_path, serve)
    made.until(lambda: made.last.kind == "toon")
    yield made
    made.stop()


def opened(tab: Page, run: PanelRun) -> Page:
    """The panel of a run, once it shows a picture."""
    tab.goto(run.server.url())
    tab.wait_for_selector("#after[data-number]")
    return tab
