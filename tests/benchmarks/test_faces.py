"""Frames and crops with as many faces as asked for."""

from __future__ import annotations

import pytest

from benchmarks.faces import crowd_frames
from engines.errors import ToonifyError
from engines.faces.landmarker import Landmarker


@pytest.mark.parametrize("faces", [1, 2, 4])
def test_the_crowd_has_as_many_faces(faces: int) -> None:
    (frame,) = crowd_frames((1280, 720), faces, 30, 1)
    assert frame.shape == (720, 1280, 3)
    halves = [frame] if faces == 1 else [frame[:, :640], frame[:, 640:]]
    parts = halves if faces < 4 else [part for h in halves for part in (h[:360], h[360:])]
    with Landmarker(blendshapes=False, pose=False) as landmarker:
        assert all(len(landmarker.detect(part[:, :, ::-1].copy())) == 1 for part in parts)


def test_other_crowds_are_refused() -> None:
    with pytest.raises(ToonifyError, match="1, 2 or 4 faces, not 3"):
        crowd_frames((320, 240), 3, 30, 1)
