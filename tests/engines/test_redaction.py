"""No text that leaves the program holds a password, a stream key or a token."""

from __future__ import annotations

import pytest

from engines.errors import ToonifyError, UsageError
from engines.redaction import redacted
from engines.say import say

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtmp://a.host/live/s3cr3t", "rtmp://a.host/live/***"),
        ("rtmps://a.host:443/rtmp/s3cr3t?a=b&c=s3cr3t", "rtmps://a.host:443/rtmp/***?***"),
        ("RTMP://a.host/app/part/s3cr3t", "RTMP://a.host/app/***"),
        ("rtmp://me:s3cr3t@a.host/live", "rtmp://***@a.host/live"),
        ("rmtp://a.host/live/s3cr3t", "rmtp://a.host/live/***"),
        ("rtmp:/a.host/live/s3cr3t", "rtmp:/a.host/live/***"),
        ("rtsp://me:s3cr3t@10.0.0.2:554/stream1", "rtsp://***@10.0.0.2:554/stream1"),
        ("rtsp://me:s3c@s3cr3t@10.0.0.2/stream1", "rtsp://***@10.0.0.2/stream1"),
        ("rtsp://me:a/s3cr3t@10.0.0.2/stream1", "rtsp://***@10.0.0.2/stream1"),
        ("rtsp://me:'s3cr3t'@10.0.0.2/stream1", "rtsp://***@10.0.0.2/stream1"),
        ("rtsp://10.0.0.2/user=me&password=s3cr3t/x", "rtsp://10.0.0.2/***/x"),
        ("http://phone:8080/video?token=s3cr3t", "http://phone:8080/video?***"),
        ("http://phone:8080/video#s3cr3t", "http://phone:8080/video#***"),
        ("srt://a.host:9000?streamid=x&passphrase=s3cr3t", "srt://a.host:9000?***"),
        ("udp://239.0.0.1:5000", "udp://239.0.0.1:5000"),
        ("https://obsproject.com/kb/sync", "https://obsproject.com/kb/sync"),
        ("file:///home/me/talk.mp4", "file:///home/me/talk.mp4"),
        ("C:/films/talk.mp4", "C:/films/talk.mp4"),
    ],
)
def test_addresses_lose_what_is_secret_and_nothing_else(address: str, shown: str) -> None:
    assert redacted(address) == shown
    assert redacted(f"Lost '{address}' (refused), going on.") == (
        f"Lost '{shown}' (refused), going on."
    )


@pytest.mark.parametrize("kind", [ToonifyError, UsageError])
def test_errors_hold_no_secret(kind: type[ToonifyError]) -> None:
    assert SECRET not in str(kind(f"There is no rtmp://a.host/live/{SECRET}."))


def test_lines_for_the_user_hold_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"Lost rtmp://a.host/live/{SECRET}.")
    assert capsys.readouterr().err == "Lost rtmp://a.host/live/***.\n"
