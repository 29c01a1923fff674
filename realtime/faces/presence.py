"""Who was seen, and who is missing without having left the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.faces.face import TrackedFace
from realtime.frame import Frame

EDGE = 0.04  # a face whose box ended nearer to the edge, as a share of the side, may have left


@dataclass
class _Seen:
    """When a face was first and last seen, and where."""

    first: float
    last: float
    leaving: bool


class Presence:
    """Remembers the faces of a stream of frames; frames of another stream begin anew.

    Args:
        linger: seconds for which a face that was lost inside the picture is missed, or for as long
            as it had been seen, if that was less.
    """

    def __init__(self, linger: float) -> None:
        self._linger = linger
        self._seen: dict[int, _Seen] = {}
        self._stream = 0

    def note(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Remember the faces of a frame."""
        self._begin(frame)
        width, height = frame.size
        now = frame.timestamp
        for face in faces:
            if face.age_frames > 0:
                continue
            left, top, right, bottom = (float(v) for v in face.box)
            leaving = min(left / width, top / height, 1 - right / width, 1 - bottom / height) < EDGE
            seen = self._seen.setdefault(face.identity, _Seen(now, now, leaving))
            seen.last, seen.leaving = now, leaving

    def lacks(self, frame: Frame, faces: Sequence[TrackedFace]) -> bool:
        """Whether a face seen before is missing from this frame without having left."""
        self._begin(frame)
        present = {face.identity for face in faces if face.age_frames == 0}
        for identity, seen in list(self._seen.items()):
            if identity in present:
                continue
            away = frame.timestamp - seen.last
            replaced = seen.leaving or len(present) >= len(self._seen)
            if replaced or away > min(self._linger, seen.last - seen.first):
                del self._seen[identity]
        return bool(set(self._seen) - present)

    def _begin(self, frame: Frame) -> None:
        if frame.stream != self._stream:
            self._stream = frame.stream
            self._seen.clear()
