"""H.264 and AAC for a live stream, handed to a receiver without ever holding up the program.

FFmpeg's `fifo` muxer connects and sends in a thread of its own. PyAV would do both while it holds
Python's interpreter lock, so a server that does not answer would stop every other thread.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from engines.pictures import Image
from realtime.sinks.encoding import BT709, LIMITED, to_video_frame

KEY_INTERVAL = 2  # seconds between key frames, as streaming services ask
BITS = 0.1  # a pixel and picture: enough for a head before a room, within what services take
LEAST_BITS, MOST_BITS = 500_000, 6_000_000  # a second
SOUND_RATE = 48_000
SOUND_BITS = 128_000
SOUND_STEP = 1024  # samples in one AAC packet
QUEUE = 8  # packets between encoder and sender; the system's own buffer holds seconds beside it
SILENCE = 5_000_000  # microseconds without an answer of the receiver after which it counts as lost
DATAGRAM = 1316  # bytes of MPEG-TS in one UDP packet: seven of its cells, within an Ethernet frame


@dataclass(frozen=True)
class Encoder:
    """One of FFmpeg's H.264 encoders, set to answer at once and at a constant bit rate."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    pixel_format: str = "yuv420p"


FORCED = {"forced-idr": "1"}  # the key frames asked for by time can be joined at
HARDWARE = (
    Encoder(
        "h264_nvenc", {"preset": "p4", "tune": "ll", "rc": "cbr", "zerolatency": "1", **FORCED}
    ),
    Encoder("h264_qsv", {"preset": "veryfast", "async_depth": "1", "forced_idr": "1"}, "nv12"),
    Encoder("h264_amf", {"usage": "lowlatency", "rc": "cbr", "forced_idr": "1"}, "nv12"),
    Encoder("h264_videotoolbox", {"realtime": "1"}, "nv12"),
)
SOFTWARE = Encoder(
    "libx264",
    {"preset": "veryfast", "tune": "zerolatency", "nal-hrd": "cbr", "sc_threshold": "0", **FORCED},
)


@dataclass(frozen=True)
class Shape:
    """What a stream looks like.

    Attributes:
        size: (width, height) of the pictures; an odd side is continued by one pixel.
        rate: pictures a second.
    """

    size: tuple[int, int]
    rate: Fraction

    @property
    def odd(self) -> tuple[int, int]:
        """Pixels to be added at the right and at the bottom."""
        return self.size[0] % 2, self.size[1] % 2

    @property
    def bits(self) -> int:
        """Bits of the pictures in a second."""
        wanted = BITS * self.size[0] * self.size[1] * float(self.rate)
        return round(min(max(wanted, LEAST_BITS), MOST_BITS))


def _set_up(context: Any, encoder: Encoder, shape: Shape) -> None:
    context.width = shape.size[0] + shape.odd[0]
    context.height = shape.size[1] + shape.odd[1]
    context.pix_fmt = encoder.pixel_format
    context.framerate, context.time_base = shape.rate, 1 / shape.rate
    context.bit_rate = shape.bits
    context.gop_size = round(KEY_INTERVAL * shape.rate)
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED
    context.flags |= av.codec.context.Flags.global_header
    rate = str(shape.bits)
    context.options = {"bf": "0", "maxrate": rate, "bufsize": rate, **encoder.options}


@functools.lru_cache
def find_encoder(shape: Shape) -> Encoder:
    """The first hardware encoder that really encodes a picture of this shape, else x264."""
    for encoder in HARDWARE:
        try:
            context: Any = av.CodecContext.create(encoder.name, "w")
            _set_up(context, encoder, shape)
            grey = np.full((*shape.size[::-1], 3), 128, np.uint8)
            frame = to_video_frame(grey, encoder.pixel_format, shape.odd)
            frame.pts, frame.time_base = 0, 1 / shape.rate
            if [*context.encode(frame), *context.encode(None)]:
                return encoder
        except (av.error.FFmpegError, OSError, ValueError, RuntimeError):
            continue
    return SOFTWARE


def has_srt() -> bool:
    """Whether PyAV was built with the SRT protocol."""
    try:
        av.open("srt:", format="mpegts")  # no address: nothing is contacted
    except av.error.ProtocolNotFoundError:
        return False
    except (av.error.FFmpegError, OSError, ValueError):
        pass
    return True


class StreamWriter:
    """One connection. Its methods may wait for the receiver, other threads go on meanwhile.

    Args:
        target: address or path.
        container: FFmpeg's name of what is sent.

    Attributes:
        packets: how many were handed over so far. Above `QUEUE` the receiver has taken some.

    Raises:
        av.error.FFmpegError, OSError: by every method, as soon as the receiver is known to be lost.
    """

    def __init__(self, target: str, container: str, shape: Shape) -> None:
        sending = [f"rw_timeout={SILENCE}", "flush_packets=1"]
        if target.startswith("udp"):
            sending.append(f"pkt_size={DATAGRAM}")
        options = {"fifo_format": container, "queue_size": str(QUEUE)}
        self._container: Any = av.open(
            target, "w", format="fifo", options={**options, "format_opts": ":".join(sending)}
        )
        self._shape = shape
        self.encoder = find_encoder(shape)
        self._video: Any = self._container.add_stream(self.encoder.name, rate=shape.rate)
        _set_up(self._video.codec_context, self.encoder, shape)
        self._sound: Any = self._container.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        self._sound.bit_rate = SOUND_BITS
        self._sound.codec_context.flags |= av.codec.context.Flags.global_header
        self._image: Image | None = None
        self._frame: Any = None
        self._samples = 0
        self._interval = -1  # number of the key frame before
        self.packets = 0

    def write_picture(self, image: Image, number: int) -> None:
        """Send uint8 [H, W, 3] BGR as picture `number` of the stream; numbers rise."""
        if image is not self._image:  # a repeated picture is converted once
            self._image = image
            self._frame = to_video_frame(image, self.encoder.pixel_format, self._shape.odd)
        self._frame.pts, self._frame.time_base = number, 1 / self._shape.rate
        interval = number // round(KEY_INTERVAL * self._shape.rate)
        key, self._interval = interval > self._interval, interval
        self._frame.pict_type = PictureType.I if key else PictureType.NONE
        self._send(self._video.encode(self._frame))

    @property
    def heard(self) -> Fraction:
        """Time in the stream up to which its sound was sent, seconds."""
        return Fraction(self._samples, SOUND_RATE)

    def write_sound(self, samples: NDArray[np.float32]) -> None:
        """Send the next float32 [2, `SOUND_STEP`] in -1..1."""
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = SOUND_RATE, self._samples
        frame.time_base = Fraction(1, SOUND_RATE)
        self._samples += samples.shape[1]
        self._send(self._sound.encode(frame))

    def close(self) -> None:
        """Send what the encoders still hold, and hang up."""
        self._send([*self._video.encode(None), *self._sound.encode(None)])
        self._container.close()

    def _send(self, packets: list[Any]) -> None:
        for packet in packets:
            self._container.mux(packet)
            self.packets += 1
