"""A scene of portraits, and a tracker that knows nobody yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from realtime.faces.tracker import FaceTracker
from realtime.settings import TrackerSettings
from tests.realtime.faces.scene import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


@pytest.fixture(scope="module")
def shared_tracker() -> Iterator[FaceTracker]:
    with FaceTracker(TrackerSettings(max_faces=2)) as tracker:
        yield tracker


@pytest.fixture
def tracker(shared_tracker: FaceTracker) -> FaceTracker:
    shared_tracker.reset()
    return shared_tracker
