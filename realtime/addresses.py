"""Which sources and sinks are streams, by the form of what the user typed."""

from __future__ import annotations

from pathlib import Path

from engines.redaction import redacted as redacted

STREAMS = {"rtmp": "flv", "rtmps": "flv", "srt": "mpegts", "udp": "mpegts"}
"""Scheme of an address that a stream may go to -> FFmpeg's name of what is sent there."""
TRANSPORT = ".ts"
"""How the name of a file that takes a stream (MPEG-TS) ends."""


def stream_format(target: str) -> str | None:
    """FFmpeg's name of the container for a sink that is a stream; None for other sinks."""
    scheme, _, address = target.partition("://")
    if address:
        return STREAMS.get(scheme.lower())
    return "mpegts" if Path(target).suffix.lower() == TRANSPORT else None


def is_watched(target: str) -> bool:
    """Whether others may see what goes to a sink while it goes there."""
    return target.split(":")[0] == "virtual" or stream_format(target) is not None


def is_network(source: str) -> bool:
    """Whether a source is an address in a network."""
    scheme, _, address = source.partition("://")
    return bool(address) and scheme.lower() != "file"
