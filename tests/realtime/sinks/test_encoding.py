from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime.sinks import SinkError
from realtime.sinks.encoding import MovieWriter
from tests.realtime.media import (
    RATE,
    numbered,
    read_movie,
)
from tests.realtime.sinks.outputs import SIZE


class TestMovieWriter:
    def test_colours_come_back(self, tmp_path: Path) -> None:
        colours = [(30, 60, 200), (200, 60, 30), (60, 180, 60), (128, 128, 128), (235, 235, 235)]
        writer = MovieWriter(tmp_path / "a.mp4", SIZE, RATE)
        for number, colour in enumerate(colours):
            writer.write(np.full((120, 160, 3), colour, np.uint8), Fraction(number, RATE))
        writer.close()
        found = [picture[60, 80] for picture in read_movie(tmp_path / "a.mp4")[0]]
        assert np.abs(np.array(found, int) - colours).max() <= 6

    def test_odd_sizes_work(self, tmp_path: Path) -> None:
        writer = MovieWriter(tmp_path / "a.mp4", (161, 121), RATE)
        writer.write(numbered(9, (161, 121)), Fraction(0))
        writer.close()
        (picture,) = read_movie(tmp_path / "a.mp4")[0]
        assert picture.shape == (122, 162, 3)

    def test_what_was_written_before_a_crash_plays(self, tmp_path: Path) -> None:
        writer = MovieWriter(
            tmp_path / "a.mp4", SIZE, RATE, options={"g": "10", "tune": "zerolatency"}
        )
        for number in range(45):
            writer.write(numbered(number), Fraction(number, RATE))
        crashed = tmp_path / "crashed.mp4"
        crashed.write_bytes((tmp_path / "a.mp4").read_bytes())
        writer.close()
        assert len(read_movie(crashed)[0]) >= 20

    def test_a_place_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(SinkError, match="cannot be written"):
            MovieWriter(tmp_path / "file" / "a.mp4", SIZE, RATE)
