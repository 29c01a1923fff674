"""Movies through PyAV: pictures with their own times, and the sound that belongs to them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import cv2

from engines.pictures import Image
from realtime.frame import as_uint8, exact_rate
from realtime.sinks import SinkError

TIME_BASE = Fraction(1, 90_000)  # divides every common frame rate
BT709 = 1  # AVCOL_SPC_BT709 and its like for primaries and transfer: what players assume at HD
LIMITED = 1  # AVCOL_RANGE_MPEG

# What every player takes from an MP4 or its kin; FFmpeg lists more, and refuses some of it when the
# file is begun. Matroska takes whatever FFmpeg lists.
COPIED = ("aac", "mp3", "mp3float")
MP4 = ("mp4", "mov", "ipod")  # FFmpeg's names for .mp4, .mov, .m4v
LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")  # by number of channels

# Without B-frames decoding order is display order: time begins at zero without edit lists, and
# segments join by their time stamps alone.
H264 = {"crf": "18", "preset": "veryfast", "bf": "0", "g": "60"}


class AudioTrack:
    """Copies a file's first audio stream beside new pictures, up to a given time.

    Packets are copied as they are where the container can hold them; else they are decoded and
    encoded as AAC.

    Args:
        begin: time in the file, in seconds, that is 0 in the output; packets before it (at 0 an
            encoder's run-in, 20 ms of silence) are left out. None keeps all as they are, for
            containers that can hold a track which begins before 0.

    Attributes:
        start: time of the first packet in the file, seconds.

    Raises:
        ValueError: the sound can be neither copied nor encoded; FFmpeg's own errors say the same.
    """

    def __init__(self, location: str, output: Any, *, begin: Fraction | None) -> None:
        self._begin = begin
        self._input = av.open(location)
        self._output = output
        source = self._input.streams.audio[0]
        self._packets = self._input.demux(source)
        self._pending: Any = None
        if source.codec_context is None:
            raise ValueError("the codec of the sound is not known")
        name = source.codec_context.name
        self.start = (source.start_time or 0) * Fraction(source.time_base or 0)
        self.copied = name in output.supported_codecs and (
            name in COPIED or output.format.name not in MP4
        )
        if self.copied:
            self._stream = output.add_stream_from_template(source)
        else:
            rates = av.Codec("aac", "w").audio_rates or ()
            rate = source.rate if source.rate in rates else 48_000
            self._stream = output.add_stream("aac", rate=rate)
            self._stream.layout = _known_layout(source.layout)
            self._resampler = av.AudioResampler(
                format=self._stream.format, layout=self._stream.layout, rate=rate
            )

    def write(self, until: Fraction | None) -> None:
        """Write the sound up to `until`, seconds of the output; None for all of it."""
        while True:
            packet = self._pending or next(self._packets, None)
            self._pending = None
            if packet is None or (packet.dts is None and packet.size == 0):
                return
            time = (packet.pts if packet.pts is not None else packet.dts) or 0
            begin = self._begin or Fraction(0)
            if until is not None and time * packet.time_base > begin + until:
                self._pending = packet
                return
            if self._begin is None or time * packet.time_base >= begin:
                self._mux(packet, round(begin / packet.time_base))

    def _mux(self, packet: Any, begin: int) -> None:
        """Write a packet, `begin` of its ticks earlier than in its file."""
        packet.pts = None if packet.pts is None else packet.pts - begin
        packet.dts = None if packet.dts is None else packet.dts - begin
        if self.copied:
            packet.stream = self._stream
            self._output.mux(packet)
            return
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:  # damaged; what follows keeps its own time
            return
        for frame in frames:
            for part in self._resampler.resample(frame):
                self._output.mux(self._stream.encode(part))

    def close(self) -> None:
        """Write what the encoder still holds and let go of the input."""
        if not self.copied:
            self._output.mux(self._stream.encode(None))
        self._input.close()


def _known_layout(layout: Any) -> str:
    """Name of a layout that AAC has, or of the usual one if the file names none."""
    name: str = layout.name
    if name.endswith("channels"):  # as FFmpeg calls it then: "2 channels"
        count = layout.nb_channels
        return LAYOUTS[count - 1] if count <= len(LAYOUTS) else "stereo"
    return name.removesuffix("(side)")  # AC-3's 5.1; for AAC, they are at the back


def audio_of(location: str) -> bool:
    """Whether a media file has sound."""
    with av.open(location) as container:
        return bool(container.streams.audio)


def to_video_frame(image: Image, pixel_format: str, odd: tuple[int, int] = (0, 0)) -> Any:
    """uint8 [H, W, 3] BGR or [H, W, 4] BGRA as FFmpeg's frame: BT.709, limited range.

    Args:
        pixel_format: as FFmpeg names it.
        odd: pixels by which the picture is continued at the right and at the bottom.
    """
    if any(odd):
        image = as_uint8(cv2.copyMakeBorder(image, 0, odd[1], 0, odd[0], cv2.BORDER_REPLICATE))
    picture = av.VideoFrame.from_ndarray(image, format="bgra" if image.shape[2] == 4 else "bgr24")
    return picture.reformat(format=pixel_format, dst_colorspace="ITU709", dst_color_range="MPEG")


class MovieWriter:
    """One movie file. The container is crash-safe: what was written before a crash plays.

    Args:
        size: (width, height); an odd side is continued by one pixel, as H.264 asks.
        codec, pixel_format, options: as FFmpeg names them.
        audio: media file whose sound is kept, from the time `begin` (seconds) on, until the last
            picture has been shown.

    Raises:
        SinkError: the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: float,
        *,
        codec: str = "libx264",
        pixel_format: str = "yuv420p",
        options: dict[str, str] | None = None,
        audio: str | None = None,
        begin: Fraction = Fraction(0),
    ) -> None:
        self.path = path
        # Regular at the end, fragmented until then, so that a crash costs the last moments only.
        flags = {"fflags": "+flush_packets"}
        if path.suffix.lower() in (".mp4", ".mov", ".m4v"):
            flags |= {"movflags": "hybrid_fragmented+delay_moov", "frag_duration": "500000"}
        elif path.suffix.lower() in (".mkv", ".webm"):
            flags["cluster_time_limit"] = "500"
        self._stream: Any
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container: Any = av.open(str(path), "w", options=flags)
            self._rate = exact_rate(rate)
            self._stream = self._container.add_stream(codec, rate=self._rate)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SinkError(f"The movie {path} cannot be written: {error}.") from error
        context: Any = self._stream.codec_context
        self._odd = (size[0] % 2, size[1] % 2) if pixel_format == "yuv420p" else (0, 0)
        self._stream.width, self._stream.height = size[0] + self._odd[0], size[1] + self._odd[1]
        self._stream.pix_fmt = self._pixel_format = pixel_format
        self._stream.options = H264 if options is None else options
        context.time_base = TIME_BASE
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        self._audio = (
            AudioTrack(audio, self._container, begin=begin) if audio and audio_of(audio) else None
        )
        self._last = -1

    def write(self, image: Image, time: Fraction) -> None:
        """Add uint8 [H, W, 3] BGR (or [H, W, 4] BGRA) shown from `time`, in seconds."""
        frame = to_video_frame(image, self._pixel_format, self._odd)
        frame.time_base = TIME_BASE
        # Time stamps must grow; two pictures within one tick keep their order.
        frame.pts = self._last = max(self._last + 1, round(time / TIME_BASE))
        try:
            self._container.mux(self._stream.encode(frame))
            if self._audio:
                self._audio.write(time)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"The movie {self.path} cannot be continued: {error}.") from error

    def close(self) -> None:
        """Finish the file."""
        try:
            if self._last >= 0:
                self._container.mux(self._stream.encode(None))
            if self._audio:
                self._audio.write(self._last * TIME_BASE + 1 / self._rate)
                self._audio.close()
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"The movie {self.path} cannot be finished: {error}.") from error
