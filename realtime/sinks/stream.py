"""A live stream to a server, to another machine, or into a file: pictures at a constant rate."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections import deque
from fractions import Fraction
from pathlib import Path

import av.error
import numpy as np

from engines.errors import reason
from engines.pictures import Image
from engines.say import Say
from realtime.addresses import redacted
from realtime.frame import exact_rate
from realtime.guard import Output
from realtime.sinks import SinkError
from realtime.sinks.files import unused
from realtime.sinks.microphone import Microphone, Opener, open_microphone
from realtime.sinks.stream_writer import QUEUE, SOUND_RATE, SOUND_STEP, Shape, StreamWriter

LEAST_RATE, MOST_RATE = 5, 60  # pictures a second that services take
WINDOW = 60  # pictures over which the latency is averaged
TAKEN = 3 * QUEUE  # packets handed over from which on the receiver has surely taken some
CATCH_UP = 2.0  # seconds of pictures that may be sent late, so that the rate stays constant
MOST_WAITING = 30  # pictures that wait to be sent late
HANG_UP = 7.0  # seconds given to the last packets

FAILURES = (av.error.FFmpegError, OSError, ValueError)


class StreamSink:
    """Sends the newest picture `rate` times a second, with silence or a microphone beside it.

    A receiver that stalls makes pictures be left out here and nowhere else. One that is lost makes
    `open` or `send` fail; `open` connects again.

    Args:
        target: address or path of a file.
        container: FFmpeg's name of what is sent, as `realtime.addresses.stream_format` gives it.
        size: (width, height) of the pictures.
        rate: pictures a second that come in; those that go out lie between 5 and 60.
        audio: name of a microphone, heard as much later as pictures are seen; None for silence.
        open_device: opens the microphone.

    Attributes:
        path: the file, if it is one.
    """

    live = True
    local = False

    def __init__(
        self,
        target: str,
        container: str,
        size: tuple[int, int],
        rate: float,
        say: Say,
        *,
        audio: str | None = None,
        open_device: Opener = open_microphone,
    ) -> None:
        self.name = f"stream {redacted(target)}"
        self.path = None if "://" in target else Path(target)
        limited = min(max(rate, LEAST_RATE), MOST_RATE)
        self._shape = Shape(size, exact_rate(limited))
        self._target = target
        self._container = container
        self._say = say
        self._audio = audio
        self._open_device = open_device
        self._microphone: Microphone | None = None
        self._writer: StreamWriter | None = None
        self._thread: threading.Thread | None = None
        self._told = False

    def open(self) -> None:
        """Connect; returns once the receiver takes something.

        Raises:
            SinkError: it cannot be reached.
        """
        if self.path and (self.path.is_file() or not self.path.exists()):
            self.path = unused(self.path)  # but a pipe is written to
            self._target = str(self.path)
        self._black: Image = np.zeros((*self._shape.size[::-1], 3), np.uint8)
        # Nothing from before a failure stays: it may be hidden by now.
        self._arrived: deque[tuple[float, Output]] = deque(maxlen=MOST_WAITING)
        self._latencies: deque[float] = deque(maxlen=WINDOW)
        self._failure: Exception | None = None
        self._closing = threading.Event()
        self._taken = threading.Event()  # or failed
        try:
            self._writer = StreamWriter(self._target, self._container, self._shape)
        except FAILURES as error:
            raise self._error(error) from error
        if self._audio and not self._microphone:
            self._microphone = Microphone(self._audio, self._say, self._open_device)
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        self._taken.wait()
        if self._failure:
            raise self._error(self._failure) from self._failure
        if not self._told:
            self._told = True
            width, height = self._shape.size
            self._say(
                f"The {self.name} runs: {width}x{height} at {float(self._shape.rate):.4g} pictures "
                f"and {self._shape.bits / 1e6:.1f} Mbit a second, {self._writer.encoder.name}, "
                f"{f'microphone {self._audio}' if self._audio else 'silent'}."
            )

    def send(self, output: Output) -> None:
        """Show a picture from now on.

        Raises:
            SinkError: the receiver was lost.
        """
        if self._failure:
            raise self._error(self._failure) from self._failure
        now = time.monotonic()
        if output.kind == "card":  # the panic key: what was to be sent late is not shown any more
            self._arrived.clear()
            now = -float("inf")
        self._arrived.append((now, output))

    def close(self) -> None:
        """Send the newest picture once more, and hang up."""
        thread, self._thread = self._thread, None
        writer, self._writer = self._writer, None
        microphone, self._microphone = self._microphone, None
        if microphone:
            microphone.close()
        if not thread or not writer:
            return
        self._closing.set()
        thread.join(HANG_UP)
        if not thread.is_alive() and not self._failure:
            try:
                writer.close()
            except FAILURES as error:
                raise self._error(error) from error

    def _error(self, error: Exception) -> SinkError:
        return SinkError(
            f"The {self.name} cannot be sent: {reason(error)}; check the address, its key and the "
            "network."
        )

    def _run(self) -> None:
        writer = self._writer
        assert writer
        step = float(1 / self._shape.rate)
        shown: Output | None = None
        try:
            writer.write_picture(self._black, 0)  # this opens the encoder, which takes its time
            start, number = time.monotonic(), 1
            while True:
                last = self._closing.wait(max(0.0, start + number * step - time.monotonic()))
                # A short delay is made up for; those of a receiver that stalled are left out.
                due = int((time.monotonic() - start) / step)
                number = due if (due - number) * step > CATCH_UP else number
                moment = start + number * step
                output = self._shown_at(float("inf") if last else moment)
                if output is not shown and output is not None:
                    shown = output
                    self._note_latency(output, moment)
                writer.write_picture(self._black if shown is None else shown.image, number)
                number += 1
                while writer.heard + Fraction(SOUND_STEP, SOUND_RATE) <= number * step:
                    writer.write_sound(self._hear(start + float(writer.heard)))
                if writer.packets > TAKEN:
                    self._taken.set()
                if last:
                    return
        except Exception as error:  # whatever an encoder or the network raised
            self._failure = error
        finally:
            self._taken.set()

    def _shown_at(self, moment: float) -> Output | None:
        """The newest picture that had arrived by then, so that pictures sent late are not seen
        early; None before the first one."""
        arrived = self._arrived
        with contextlib.suppress(IndexError):  # cleared by another thread
            while len(arrived) > 1 and arrived[1][0] <= moment:
                arrived.popleft()
            when, output = arrived[0]
            if when <= moment:
                return output
        return None

    def _note_latency(self, output: Output, moment: float) -> None:
        if output.captured is not None and output.kind in ("toon", "raw"):
            self._latencies.append(moment - output.captured)

    def _hear(self, moment: float) -> np.ndarray:
        """What belongs to the picture that is shown at `moment`, monotonic seconds."""
        if not self._microphone or not self._latencies:
            return np.zeros((2, SOUND_STEP), np.float32)
        sound = self._microphone.sound
        # What happens between two pictures is seen with the later one: half a step late on average.
        latency = statistics.median(self._latencies) + float(1 / self._shape.rate) / 2
        return sound.take(SOUND_STEP, moment - max(latency, sound.least_delay))
