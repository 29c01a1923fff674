"""What is a stream, by the form of a source or sink."""

from __future__ import annotations

import pytest

from realtime.addresses import is_network, is_watched, stream_format


@pytest.mark.parametrize(
    ("target", "container"),
    [
        ("rtmp://a.host/live/key", "flv"),
        ("RTMPS://a.host/live/key", "flv"),
        ("udp://10.0.0.1:5000", "mpegts"),
        ("srt://a.host:9000", "mpegts"),
        ("films/live.TS", "mpegts"),
        ("virtual", None),
        ("a.mp4", None),
        ("shots/", None),
        ("rtmp://", None),
        ("ftp://a.host/a", None),
    ],
)
def test_the_form_of_a_sink_says_whether_it_is_a_stream(target: str, container: str | None) -> None:
    assert stream_format(target) == container
    assert is_watched(target) == (container is not None or target == "virtual")


@pytest.mark.parametrize(
    ("source", "network"),
    [("http://a/video", True), ("RTSP://a/b", True), ("file:///a.mp4", False), ("0", False),
     ("C:/a.mp4", False), ("demo", False)],
)  # fmt: skip
def test_the_form_of_a_source_says_whether_it_is_in_a_network(source: str, network: bool) -> None:
    assert is_network(source) == network
