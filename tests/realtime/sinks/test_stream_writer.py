"""Which encoder is taken, and how much it may send."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import pytest

from realtime.sinks import stream_writer
from realtime.sinks.stream_writer import SOFTWARE, Encoder, Shape, find_encoder

SHAPE = Shape((320, 240), Fraction(25))


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    find_encoder.cache_clear()
    yield
    find_encoder.cache_clear()


def test_an_encoder_that_does_not_open_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Encoder("libx264", {"preset": "no such preset"})
    monkeypatch.setattr(stream_writer, "HARDWARE", (Encoder("h264_of_nobody"), broken))
    assert find_encoder(SHAPE) is SOFTWARE


def test_the_first_that_encodes_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    works = Encoder("libx264", {"preset": "ultrafast"})
    monkeypatch.setattr(stream_writer, "HARDWARE", (Encoder("h264_of_nobody"), works))
    assert find_encoder(SHAPE) is works


def test_what_is_said_to_be_hardware_is_what_ffmpeg_calls_so() -> None:
    for encoder in stream_writer.HARDWARE:
        if encoder.name in av.codecs_available:
            codec: Any = av.Codec(encoder.name, "w")
            assert encoder.pixel_format in {form.name for form in codec.video_formats or ()}


@pytest.mark.parametrize(
    ("size", "rate", "bits"),
    [((1280, 720), 30, 2_764_800), ((160, 120), 30, 500_000), ((3840, 2160), 60, 6_000_000)],
)
def test_the_bit_rate_follows_the_pictures_within_bounds(
    size: tuple[int, int], rate: int, bits: int
) -> None:
    assert Shape(size, Fraction(rate)).bits == bits
