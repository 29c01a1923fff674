from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from realtime.settings import OutputSettings, SettingsError
from realtime.sinks import open_sinks
from realtime.sinks.stream_writer import has_srt
from realtime.sources.media import MediaSource
from tests.realtime.fakes import FakeSource
from tests.realtime.media import (
    write_movie,
)
from tests.realtime.sinks.outputs import SIZE


@pytest.mark.parametrize(
    "wrong",
    [
        {"sinks": ("virtuel",)},
        {"sinks": ("/dev/null",)},
        {"sinks": ("none", "film.txt")},
        {"overlay": "gren"},
        {"overlay": "toon.mp4"},
    ],
)
def test_what_is_no_sink_is_refused_and_not_guessed_at(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"There is no (sink|overlay) '.*': choose"):
        open_sinks(OutputSettings(**wrong), SIZE, 30, FakeSource(), paced=True)


def test_settings_name_sinks(tmp_path: Path) -> None:
    film = write_movie(tmp_path / "in.mp4", 3)
    source = MediaSource(str(film), live=True, loop=False)
    settings = OutputSettings(
        sinks=("virtual:/dev/video10", str(tmp_path / "a.mp4"), f"{tmp_path}/shots/", "none"),
        overlay=str(tmp_path / "a.mov"),
    )
    sinks = open_sinks(settings, SIZE, 30, source, paced=True)
    kinds = [type(sink).__name__ for sink in sinks]
    assert kinds == ["VirtualCamera", "Recording", "PictureSequence", "AlphaMovie"]
    assert [sink.live for sink in sinks] == [True, False, False, False]
    # What is cut out needs to know from what; nothing else is given an untooned picture.
    assert [sink.local for sink in sinks] == [False, False, False, True]


def test_streams_are_no_place_for_untooned_pictures(tmp_path: Path) -> None:
    targets = ("rtmp://a.host/live/k3y", "RTMPS://a.host/live/k3y", "udp://10.0.0.1:5000",
               str(tmp_path / "live.ts"))  # fmt: skip
    settings = OutputSettings(sinks=targets, audio="desk")
    sinks = open_sinks(settings, SIZE, 30, FakeSource(), paced=True)
    assert [type(sink).__name__ for sink in sinks] == ["StreamSink"] * 4
    assert not any(sink.local for sink in sinks)
    assert all(sink.live for sink in sinks)
    assert not any("k3y" in sink.name for sink in sinks)


@pytest.mark.skipif(has_srt(), reason="this PyAV has SRT")
def test_srt_is_refused_in_one_sentence() -> None:
    settings = OutputSettings(sinks=("srt://a.host:9000?passphrase=k3y",))
    with pytest.raises(SettingsError, match="cannot send SRT; stream to rtmp:// or udp://"):
        open_sinks(settings, SIZE, 30, FakeSource(), paced=True)


def test_a_mistyped_stream_is_refused_without_its_key() -> None:
    settings = OutputSettings(sinks=("rtnp://a.host/live/k3y",))
    with pytest.raises(SettingsError, match=r"no sink 'rtnp://a\.host/live/\*\*\*'") as caught:
        open_sinks(settings, SIZE, 30, FakeSource(), paced=True)
    assert "k3y" not in str(caught.value)
