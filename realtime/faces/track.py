"""What a tracker knows of one face, and where it expects it next."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engines.faces.landmarker import FaceLandmarks
from engines.pictures import Image
from realtime.faces.follower import Follower
from realtime.faces.motion import Anchor, Carried
from realtime.faces.search import Box, box_distance, box_size
from realtime.faces.smoothing import FaceFilter

REACH = 0.9  # how far, in face sizes, a face may be from where it was expected
SAME = 0.985  # likeness from which on a face has kept its shape; a jaw has dropped by 1 % at most
STILL = 0.03  # shift, in face sizes, up to which it counts as still
LATE = 3.0  # intervals after which a face is detected again though it is the same, or time is short
VELOCITY_TIME = 0.15  # seconds over which a face's velocity is averaged


@dataclass
class Track:
    """What is known of one face."""

    identity: int
    found: FaceLandmarks
    time: float
    filter: FaceFilter
    follower: Follower | None = None
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    age_frames: int = 0
    surprise: float = 0.0
    hints: tuple[str, ...] = ()
    before: tuple[FaceLandmarks, float, NDArray[np.float64]] | None = None
    anchor: Anchor | None = None
    refreshed: float = -np.inf
    unchanged: bool = False  # whether it looks and is almost where it was when detected

    def __post_init__(self) -> None:
        self.box = self.found.box

    def drift(self, time: float) -> NDArray[np.float64]:
        """How far the face has probably moved since it was found: float64 [2], pixels."""
        return self.velocity * min(time - self.time, 0.1)

    def expected(self, time: float) -> NDArray[np.float32]:
        """Where its box should be at `time`."""
        return (self.box + np.tile(self.drift(time), 2)).astype(np.float32)

    def refresh(self, found: FaceLandmarks, time: float, image: Image) -> None:
        """The face was detected at `time`."""
        self.accept(found, time)
        self.anchor, self.refreshed = Anchor.of(found, image), time
        self.unchanged = True

    def carry(self, carried: Carried, time: float) -> None:
        """The face was moved to `time` by its own motion."""
        self.accept(carried.face, time)
        self.unchanged = carried.likeness > SAME and carried.shift < STILL

    def overdue(self, time: float, interval: float, late: bool) -> float:
        """For how many seconds it should have been detected again; below 0 it need not yet.

        Args:
            interval: seconds from one detection to the next.
            late: there is little time.
        """
        due = interval * (LATE if late or self.unchanged else 1)
        return time - self.refreshed - max(due, 1e-6)

    def accept(self, found: FaceLandmarks, time: float) -> None:
        """The face was found at `time`, by detection or by its motion."""
        box, elapsed = found.box, time - self.time
        self.before = (self.found, self.time, self.velocity.copy())
        # Averaged, because a follower that slips to another face may do so in small steps.
        self.surprise = 0.7 * self.surprise + box_distance(box, self.expected(time))
        if elapsed > 0:
            moved = (box[:2] + box[2:] - self.box[:2] - self.box[2:]) / (2 * elapsed)
            self.velocity += (moved - self.velocity) * (1 - np.exp(-elapsed / VELOCITY_TIME))
        self.found, self.box, self.time, self.age_frames = found, box, time, 0

    def revert(self) -> None:
        """The face last accepted was another one."""
        if self.before is not None:
            self.found, self.time, self.velocity = self.before
            self.box = self.found.box
        self.age_frames, self.surprise, self.anchor = 1, 0.0, None


def plausible(found: FaceLandmarks, box: Box) -> bool:
    """Whether a face may be the one that was expected at `box`."""
    here = found.box
    small, large = sorted((box_size(here), box_size(box)))
    return large < 2 * small and box_distance(here, box) < REACH * large
