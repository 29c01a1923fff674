from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from realtime.settings import OutputSettings, SettingsError
from realtime.sinks import open_sinks
from realtime.sources.media import MediaSource
from tests.realtime.fakes import FakeSource, Messages
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
    source = MediaSource(str(film), live=True, loop=False, say=Messages())
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
