"""Prepared frames come at the pace that was asked for."""

from __future__ import annotations

from benchmarks.faces import crowd_frames
from benchmarks.loop_parts import PreparedSource


def test_a_paced_source_keeps_its_pace() -> None:
    frames = crowd_frames((64, 48), 1, 30, 4)
    got = list(PreparedSource(frames, 20, 0.5).frames())
    assert 1 <= len(got) <= 11
    assert [frame.number for frame in got] == list(range(len(got)))
    unpaced = PreparedSource(frames, 0, 0.2)
    assert not unpaced.live
    assert len(list(unpaced.frames())) > 11
