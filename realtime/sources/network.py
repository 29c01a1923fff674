"""A live stream from a network: the newest picture only, however fast the others come.

Two threads read it. One takes packets off the network as soon as they are there, so nothing waits
in any buffer on the way; the other one decodes. Whatever the decoder has not begun when a key frame
comes is left out, because nothing after the key frame needs it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import av
import av.error

from engines.errors import reason
from engines.say import Say
from realtime.addresses import redacted
from realtime.frame import Frame
from realtime.slots import ClosedError, Slot
from realtime.sources import SourceError
from realtime.sources.camera import PAUSES
from realtime.sources.media import upright

OPENING = 10.0  # seconds in which a stream must show its first picture
SILENCE = 5.0  # seconds without a packet after which a stream counts as lost
BEHIND = 1.0  # seconds by which the decoder may be late before it waits for the next key frame
FAILURES = (av.error.FFmpegError, OSError, ValueError)

OPTIONS = {
    "fflags": "nobuffer",
    "flags": "low_delay",
    "rtsp_flags": "prefer_tcp",  # without lost packets, and through most routers
    "overrun_nonfatal": "1",  # UDP that comes in bursts
}


def open_stream(address: str) -> Any:
    """An open PyAV container.

    Raises:
        av.error.FFmpegError, OSError, ValueError: it cannot be opened.
    """
    return av.open(address, options=OPTIONS, timeout=(OPENING, SILENCE))


class _Packets:
    """What was received and is not decoded yet; at most `BEHIND` seconds, or back to a key frame.

    Attributes:
        closed: nothing more will come.
        received, skipped: packets that came, and of them those left out since the decoder was late.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Any, float]] = deque()
        self._need_key = False
        self.closed = False
        self.received = self.skipped = 0

    def put(self, packet: Any, now: float) -> None:
        """Add a packet that came at `now`, monotonic seconds."""
        with self._changed:
            self.received += 1
            late = bool(self._waiting) and now - self._waiting[0][1] > BEHIND
            if packet.is_keyframe or late:
                self.skipped += len(self._waiting)
                self._waiting.clear()
                self._need_key = not packet.is_keyframe
            if self._need_key:
                self.skipped += 1
            else:
                self._waiting.append((packet, now))
                self._changed.notify()

    @property
    def slow(self) -> bool:
        """Whether the decoder clearly cannot keep up."""
        return self.skipped > max(100, self.received / 5)

    def get(self) -> tuple[Any, float] | None:
        """The next packet and when it came; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self.closed)
            return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self.closed = True
            self._changed.notify()


class _Reader:
    """One connection, opened and read in threads of its own, so that it can be abandoned.

    Attributes:
        slot: the newest decoded picture and when its packet came; closed at the end.
        problem: why it ended.
        length: seconds that the stream states for itself: it is a film, not live; None if not.
        rate: pictures a second as the stream states them.
    """

    def __init__(self, address: str, open_device: Callable[[str], Any]) -> None:
        self.slot: Slot[tuple[Any, float]] = Slot()
        self.problem = "it ended"
        self.length: float | None = None
        self.rate = 30.0
        self.packets = _Packets()
        threading.Thread(
            target=self._receive, args=(address, open_device), name="stream", daemon=True
        ).start()

    def close(self) -> None:
        """Hang up after the packet at hand."""
        self.slot.close()
        self.packets.close()

    def _receive(self, address: str, open_device: Callable[[str], Any]) -> None:
        decoder: threading.Thread | None = None
        try:
            with open_device(address) as container:
                stream = container.streams.video[0]
                stream.thread_type = "SLICE"  # by frames, each would come some frames later
                self.rate = float(stream.average_rate or stream.guessed_rate or 30)
                self.length = container.duration / av.time_base if container.duration else None
                decoder = threading.Thread(
                    target=self._decode, args=(stream.codec_context,), name="decode", daemon=True
                )
                decoder.start()
                for packet in container.demux(stream):
                    if self.packets.closed:
                        return
                    if packet.size:
                        self.packets.put(packet, time.monotonic())
        except IndexError:
            self.problem = "it holds no pictures"
        except FAILURES as error:
            self.problem = reason(error)
        finally:
            self.packets.close()
            if decoder is None:
                self.slot.close()

    def _decode(self, decoder: Any) -> None:
        try:
            while taken := self.packets.get():
                packet, now = taken
                # A damaged one is left out; what follows the next key frame is whole again.
                with contextlib.suppress(*FAILURES):
                    for picture in decoder.decode(packet):
                        self.slot.put((picture, now))
        except ClosedError:
            pass
        finally:
            self.slot.close()


class NetworkSource:
    """A live source that reports each problem once, and connects again.

    Args:
        address: as FFmpeg takes it: http(s):// (MJPEG), rtsp://, rtmp://, udp://, ...
        open_device: opens it; tests pass a stand-in.
        pauses: seconds before each next attempt; the last one repeats.

    Attributes:
        length: seconds, if the stream says that it ends: then it is a film; None if it is live.

    Raises:
        SourceError: no picture came within `OPENING` seconds.
    """

    live = True

    def __init__(
        self,
        address: str,
        say: Say,
        open_device: Callable[[str], Any] = open_stream,
        *,
        pauses: tuple[float, ...] = PAUSES,
        opening: float = OPENING,
    ) -> None:
        self.name = f"stream {redacted(address)}"
        self._address = address
        self._say = say
        self._open = open_device
        self._pauses = pauses
        self._closed = threading.Event()
        self._number = 0
        self._problem = ""
        self._told = False
        reader = _Reader(address, open_device)
        try:
            first = reader.slot.poll(opening)
        except ClosedError:
            first = None
        else:
            if first is None:
                reader.problem = f"no picture came within {opening:g} seconds"
        reader.close()
        if first is None:
            raise SourceError(
                f"The {self.name} cannot be opened: {reader.problem}; check the address, and "
                "whether another program can show it."
            )
        image = upright(first[0])
        self.size = (image.shape[1], image.shape[0])
        self.rate = reader.rate if 1 <= reader.rate <= 240 else 30.0
        self.length = reader.length

    def frames(self) -> Iterator[Frame]:
        """The newest frame whenever one is asked for, until `close`; never ends by itself."""
        failures = 0
        while not self._closed.is_set():
            before = self._number
            reader = _Reader(self._address, self._open)
            try:
                yield from self._read(reader)
            finally:
                reader.close()
            failures = 0 if self._number > before else failures + 1
            self._closed.wait(self._pauses[min(failures, len(self._pauses) - 1)])

    def close(self) -> None:
        """End `frames()` soon."""
        self._closed.set()

    def _read(self, reader: _Reader) -> Iterator[Frame]:
        heard = time.monotonic()
        limit = OPENING + SILENCE
        while not self._closed.is_set():
            try:
                taken = reader.slot.poll(0.1)
            except ClosedError:
                self._tell(f"The {self.name} broke off: {reader.problem}. Trying again.")
                return
            if taken is None:
                if time.monotonic() - heard > limit:
                    self._tell(f"The {self.name} delivers no pictures. Trying again.")
                    return
                continue
            if self._problem:
                self._problem = ""
                self._say(f"The {self.name} is back.")
            if reader.packets.slow and not self._told:
                self._told = True
                self._say(
                    f"The {self.name} comes faster than this machine can decode it, so pictures "
                    "are left out; have it sent smaller or less often."
                )
            picture, heard = taken
            limit = SILENCE
            yield Frame(upright(picture), heard, self._number, captured=heard)
            self._number += 1

    def _tell(self, problem: str) -> None:
        """Report a problem, but not the same one at every attempt."""
        if problem != self._problem:
            self._problem = problem
            self._say(problem)
