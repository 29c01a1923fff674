"""Real media files, made by PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer

from engines.pictures import Image

RATE = 25
SOUND_RATE = 48_000


def numbered(number: int, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """A picture that tells its number: 8 black or white bars, one per bit."""
    width, height = size
    image = np.full((height, width, 3), 128, np.uint8)
    bar = width // 8
    for bit in range(8):
        image[10:-10, bit * bar + 2 : (bit + 1) * bar - 2] = 235 if number >> bit & 1 else 20
    return image


def number_of(image: np.ndarray) -> int:
    """The number that `numbered` wrote."""
    height, width = image.shape[:2]
    bar = width // 8
    return sum(
        1 << bit
        for bit in range(8)
        if image[height // 3 : -height // 3, bit * bar + bar // 2].mean() > 128
    )


def write_movie(
    path: Path,
    count: int = 50,
    *,
    size: tuple[int, int] = (160, 120),
    sound: str | None = "aac",
    rate: int = RATE,
    pictures: list[np.ndarray] | None = None,
    jitter: bool = False,
    tone_from: float = 0.0,
    sound_from: float = 0.0,
) -> Path:
    """A movie of numbered pictures with a tone of the same length.

    tone_from: seconds of silence before the tone.
    sound_from: time of the sound's first sample, seconds.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": "12", "g": "20"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio = add_sound(container, sound) if sound else None
        for number in range(count):
            image = pictures[number] if pictures else numbered(number, size)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
            late = (number % 3) * 5 if jitter else 0
            frame.pts, frame.time_base = round(number * 1000 / rate) + late, Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio:
            length = count * SOUND_RATE // rate
            tone = np.sin(np.arange(length) * 2 * np.pi * 440 / SOUND_RATE) * 0.3
            tone[: round(tone_from * SOUND_RATE)] = 0
            delay = round(sound_from * SOUND_RATE)
            for start in range(0, length, 1024):
                part = tone[None, start : start + 1024].astype(np.float32)
                heard = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                heard.sample_rate, heard.pts = SOUND_RATE, start + delay
                heard.time_base = Fraction(1, SOUND_RATE)
                if sound in ("pcm_s16le", "pcm_alaw"):
                    pcm = (part * 32767).astype(np.int16)
                    heard = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
                    heard.sample_rate, heard.pts = SOUND_RATE, start + delay
                container.mux(audio.encode(heard))
            container.mux(audio.encode(None))
    return path


def add_sound(container: OutputContainer, codec: str) -> AudioStream:
    stream = container.add_stream(codec, rate=SOUND_RATE, layout="mono")
    assert isinstance(stream, AudioStream)
    return stream


def time_of(frame: av.VideoFrame | av.AudioFrame) -> Fraction:
    """When a frame is shown or heard, seconds of the movie's time."""
    assert frame.pts is not None
    assert frame.time_base is not None
    return frame.pts * frame.time_base


def read_movie(path: Path) -> tuple[list[Image], list[Fraction], np.ndarray]:
    """Pictures BGR, their times, and the sound's samples [N] (empty without sound)."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    pictures = [frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False) for frame in frames]
    times = [time_of(frame) for frame in frames]
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return pictures, times, np.zeros(0)
        parts = [f.to_ndarray().astype(np.float64).mean(0) for f in container.decode(audio=0)]
    return pictures, times, np.concatenate(parts)


def tone_begins(path: Path) -> float:
    """When the sound is first louder than a whisper, seconds of the movie's time."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().astype(np.float64).ravel()
            samples /= 1.0 if frame.format.name.startswith("flt") else 32767
            loud = np.flatnonzero(np.abs(samples) > 0.1)
            if loud.size:
                return float(time_of(frame)) + float(loud[0]) / SOUND_RATE
    return float("inf")


def damage(film: Path, path: Path) -> Path:
    """A copy of a movie whose pictures are noise, while its index is whole."""
    content = bytearray(film.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.find(b"moov", start)
    rng = np.random.default_rng(0)
    end = end - 4 if end > 0 else len(content)
    content[start:end] = rng.integers(0, 256, end - start, np.uint8).tobytes()
    path.write_bytes(bytes(content))
    return path
