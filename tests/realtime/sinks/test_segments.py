"""Segments of a video: which count as finished, and when one is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.sinks import SinkError, segments
from realtime.sinks.segments import Segments, finished_parts, workplace
from tests.realtime.fakes import Messages
from tests.realtime.media import read_movie
from tests.realtime.sinks.outputs import SIZE, output


def test_parts_count_up_to_the_first_gap(tmp_path: Path) -> None:
    for name in ("00000000-8", "00000008-5", "00000020-8", "x-8"):
        (tmp_path / f"segment-{name}.nut").write_bytes(b"")
    (tmp_path / "unfinished.nut").write_bytes(b"")
    found = [(part.path.name, part.first, part.count) for part in finished_parts(tmp_path)]
    assert found == [("segment-00000000-8.nut", 0, 8), ("segment-00000008-5.nut", 8, 5)]
    assert finished_parts(tmp_path / "none") == []


def test_a_segment_has_its_name_only_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT", 4)
    sink = Segments(tmp_path, SIZE, 30, first=0)
    sink.open()
    for number in range(6):
        sink.send(output(number))
    assert [path.name for path in tmp_path.glob("segment-*")] == ["segment-00000000-4.nut"]
    sink.close()
    sink.close()
    parts = finished_parts(tmp_path)
    assert [(part.first, part.count) for part in parts] == [(0, 4), (4, 2)]
    assert not (tmp_path / "unfinished.nut").exists()
    assert [len(read_movie(part.path)[0]) for part in parts] == [4, 2]


def test_work_is_kept_for_the_same_job_only(tmp_path: Path) -> None:
    folder = tmp_path / "out.mp4.parts"

    def found_after_a_crash(job: dict[str, str], messages: Messages) -> int:
        work = workplace(folder, job, messages)
        work.__enter__()
        found = len(finished_parts(folder))
        (folder / "segment-00000000-8.nut").write_bytes(b"x")
        (folder / "unfinished.nut").write_bytes(b"x")
        assert not work.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
        return found

    messages = Messages()
    assert found_after_a_crash({"input": "a"}, messages) == 0
    assert found_after_a_crash({"input": "a"}, messages) == 1
    assert messages == []
    assert found_after_a_crash({"input": "b"}, messages) == 0
    assert "Starting over" in messages[0]
    with workplace(folder, {"input": "b"}, messages):
        assert finished_parts(folder)
    assert list(tmp_path.iterdir()) == []


def test_two_do_not_work_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out.mp4.parts"
    with workplace(folder, {}, Messages()):
        (folder / "segment-00000000-8.nut").write_bytes(b"x")
        with (
            pytest.raises(SinkError, match=r"Another program is at work in .*; wait"),
            workplace(folder, {"other": 1}, Messages()),
        ):
            pytest.fail("two at once")
        assert finished_parts(folder)


def test_what_somebody_else_put_there_meanwhile_stays(tmp_path: Path) -> None:
    folder = tmp_path / "out.mp4.parts"
    with workplace(folder, {}, Messages()):
        (folder / "notes.txt").write_text("mine")
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
