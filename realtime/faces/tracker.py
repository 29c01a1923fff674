"""Which face is where, frame after frame.

Each face has its own follower, a MediaPipe landmarker in VIDEO mode for one face. It continues from
the landmarks of the frame before, which is steadier and cheaper than a new detection; one
landmarker for several faces would detect again in every frame. A far face's follower sees an
enlarged window. A face that its follower loses is looked for once more, in the same frame, in a
window about where it should be; new faces are searched for in the whole frame and in tiles.

Detecting a face costs ten times as much as seeing how it has moved. Therefore a face is moved by
its own motion, and refreshed (detected again) while the frame's toons are drawn. If the motion is
not certain, the face is detected before that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.faces.landmarker import FaceLandmarks
from engines.pictures import Image
from realtime.faces.face import TrackedFace
from realtime.faces.follower import Follower
from realtime.faces.hints import HintSettings, face_hints, face_luma
from realtime.faces.search import Box, FaceSearch, box_distance, box_size, patrol, same_face, whole
from realtime.faces.smoothing import FaceFilter, SmoothingSettings
from realtime.faces.track import REACH, Track, plausible
from realtime.frame import Frame
from realtime.settings import TrackerSettings

COMPANY = 2.0  # seconds after a new face in which more are searched for often
LATEST = 4.0  # intervals after which it is detected before anything else


class FaceTracker:
    """Follows all faces of a stream of frames.

    `update` takes frames in the order of capture and says at once where the known faces are. Slower
    work comes after it: always `search` for unknown faces, and `refresh` a known one when there is
    time. Belongs to one thread at a time; close it, or use it as a context manager. `stills` is the
    most faces made toons in a single picture, `max_faces` if None.
    """

    def __init__(
        self,
        settings: TrackerSettings | None = None,
        smoothing: SmoothingSettings | None = None,
        hints: HintSettings | None = None,
        stills: int | None = None,
    ) -> None:
        self.settings = settings or TrackerSettings()
        self._smoothing = smoothing or SmoothingSettings()
        self._hints = hints or HintSettings()
        self._limit = self.settings.max_faces + 1
        self._search = FaceSearch(self._limit, self.settings.min_confidence)
        self._still_limit = (stills or self.settings.max_faces) + 1
        self._stills = self._search if self._still_limit == self._limit else None
        self._idle: list[Follower] = [Follower(self.settings.min_confidence)]
        self._tracks: list[Track] = []
        self._next = 0
        self._turn = 0
        self._checked = 0
        self._searched = self._welcomed = -np.inf
        self._image: Image | None = None
        self._time = -np.inf
        self._shape: tuple[int, ...] = ()

    def update(self, frame: Frame) -> list[TrackedFace]:
        """The faces of the next frame, the longest-known first."""
        image, time = frame.image, frame.timestamp
        if (shape := (frame.stream, *image.shape)) != self._shape or time < self._time:
            self.reset()
        self._shape, self._image, self._time = shape, image, time
        self._follow(image, time)
        self._drop_doubles()
        self._retire(time)
        if not self._seen_boxes():
            self._find_more(image, time)
        return [
            self._report(track, image, time)
            for track in self._tracks
            if track.age_frames == 0 or time - track.time <= self.settings.hold
        ]

    def search(self, suspected: Sequence[Box] = (), late: bool = False) -> bool:
        """Look in the last frame for faces that are not known yet, and for lost ones.

        Args:
            suspected: boxes (left, top, right, bottom) where another detector has seen a face that
                is not followed; one of them, in turn, is searched closely at once.
            late: the next frame would have to wait; search only as often as needed.

        Returns:
            Whether a face was found that `update` did not report.
        """
        if self._image is None:
            return False
        known = len(self._seen_boxes())
        lost = [t.box for t in self._tracks if self._time - t.time > self.settings.hold]
        if suspected or lost:
            self._check(self._image, [*suspected, *lost], self._time)
        if self._searched < self._time:  # else `update` saw no face and has searched
            self._find_more(self._image, self._time, eager=not late)
        return len(self._seen_boxes()) > known

    def refresh(self, late: bool = False) -> bool:
        """Detect, in the last frame, the face for which that is most overdue, if there is one.

        Args:
            late: the next frame would have to wait; what is not urgent can be put off.

        Returns:
            Whether any face was due.
        """
        tracks = [track for track in self._tracks if track.age_frames == 0 and track.anchor]
        interval = self.settings.refresh_interval
        overdue = {id(t): t.overdue(self._time, interval, late) for t in tracks}
        track = max(tracks, key=lambda track: overdue[id(track)], default=None)
        if track is None or self._image is None or overdue[id(track)] < 0:
            return False
        others = [other.box for other in tracks if other is not track]
        found = self._ask(track, self._image, track.box, others)
        if found is None:
            track.anchor = None  # what was moved along may be something else by now
        else:
            track.refresh(found, self._time, self._image)
            self._drop_doubles()
        return True

    def still(self, image: Image) -> list[TrackedFace]:
        """All faces of one uint8 [H, W, 3] BGR picture, looked for everywhere; none is kept."""
        faces = []
        if self._stills is None:
            self._stills = FaceSearch(self._still_limit, self.settings.min_confidence)
        for found in self._stills.everywhere(image):
            self._next += 1
            faces.append(self._report(self._track(found, 0.0), image, 0.0))
        return faces

    def reset(self) -> None:
        """Forget all faces; identities are not used again."""
        for track in self._tracks:
            self._give_back(track)
        for follower in self._idle:
            if follower.used:
                follower.close()
        self._idle = [follower for follower in self._idle if not follower.used]
        self._tracks, self._image = [], None
        self._searched = self._welcomed = -np.inf
        self._turn = self._checked = 0

    def close(self) -> None:
        """Free MediaPipe's graphs."""
        self.reset()
        for follower in self._idle:
            follower.close()
        for search in {self._search, self._stills or self._search}:
            search.close()

    def __enter__(self) -> FaceTracker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self, image: Image, time: float) -> None:
        """Find the known faces again."""
        boxes = {track.identity: track.expected(time) for track in self._tracks}
        for track in self._tracks:
            if time - track.time > self.settings.hold:
                track.age_frames += 1  # only a search can bring it back
                continue
            if self._carry(track, image, time):
                boxes[track.identity] = track.box
                continue
            others = [
                boxes[other.identity]
                for other in self._tracks
                if other is not track and other.age_frames == 0
            ]
            box = boxes[track.identity]
            found = self._ask(track, image, box, others)
            if found is None:
                found = self._search.near(image, box, others)
            if found is not None and plausible(found, box):
                track.refresh(found, time, image)
                boxes[track.identity] = track.box
            else:
                track.age_frames += 1

    def _carry(self, track: Track, image: Image, time: float) -> bool:
        """Move a face by its own motion; returns whether that is certain."""
        if track.age_frames or time - track.refreshed >= LATEST * self.settings.refresh_interval:
            track.anchor = None
        carried = track.anchor.moved(image, track.found) if track.anchor else None
        if carried is None:
            track.anchor = None
            return False
        track.carry(carried, time)
        return True

    def _ask(
        self, track: Track, image: Image, box: Box, others: Sequence[Box]
    ) -> FaceLandmarks | None:
        """What a face's follower finds where it should be."""
        if track.follower is None:
            track.follower = self._borrow()
        found = track.follower.follow(image, box, self._time, others)
        return found if found is not None and plausible(found, box) else None

    def _drop_doubles(self) -> None:
        """If two tracks are on one face, the one that had to jump has lost its own face."""
        for i, first in enumerate(self._tracks):
            for second in self._tracks[i + 1 :]:
                if first.age_frames or second.age_frames or not same_face(first.box, second.box):
                    continue
                loser = max(first, second, key=lambda track: track.surprise)
                loser.revert()
                self._give_back(loser)

    def _retire(self, time: float) -> None:
        """Free the followers of lost faces, and forget those lost for long."""
        for track in self._tracks:
            if time - track.time > self.settings.hold:
                self._give_back(track)
        self._tracks = [t for t in self._tracks if time - t.time <= self.settings.memory]

    def _check(self, image: Image, suspected: Sequence[Box], time: float) -> None:
        """Look closely where somebody may be: at one place per frame, so that none takes long."""
        self._checked += 1
        box = suspected[self._checked % len(suspected)]
        found = self._search.near(image, box, self._seen_boxes())
        if found is not None:
            self._meet(found, time)

    def _find_more(self, image: Image, time: float, eager: bool = True) -> None:
        """Now and then, or as long as none is seen, search for faces that are not followed."""
        seen = [track for track in self._tracks if track.age_frames == 0]
        eager = eager or len(self._tracks) > len(seen) or time - self._welcomed < COMPANY
        interval = self.settings.search_interval / (3 if eager else 1)
        if len(seen) >= self._limit or (seen and time - self._searched < interval):
            return
        self._searched = time
        # One place at most while a face is seen, so that no frame takes much longer than others.
        places = {patrol(image, self._turn)} | (set() if seen else {whole(image)})
        self._turn += 1
        for window in places:
            for found in self._search.look(image, window, self._seen_boxes()):
                box = found.box
                self._meet(self._search.near(image, box, self._seen_boxes()) or found, time)

    def _seen_boxes(self) -> list[Box]:
        return [track.box for track in self._tracks if track.age_frames == 0]

    def _meet(self, found: FaceLandmarks, time: float) -> None:
        """A face was found: follow it, unless it is followed already or there are enough."""
        box, known = found.box, self._seen_boxes()
        if len(known) < self._limit and not any(same_face(box, other) for other in known):
            self._welcome(found, box, time)

    def _welcome(self, found: FaceLandmarks, box: Box, time: float) -> None:
        """A face that is not followed: a lost one that came back, or a new one."""

        def reachable(track: Track) -> bool:
            reach = (REACH + min(time - track.time, 1.5)) * box_size(track.box)
            return track.age_frames > 0 and box_distance(track.box, box) < reach

        lost = [track for track in self._tracks if reachable(track)]
        if lost:
            track = min(lost, key=lambda track: box_distance(track.box, box))
            track.accept(found, time)
            track.anchor = None
        else:
            self._tracks.append(self._track(found, time))
            self._welcomed = time

    def _track(self, found: FaceLandmarks, time: float) -> Track:
        self._next += 1
        return Track(self._next, found, time, FaceFilter(self._smoothing))

    def _borrow(self) -> Follower:
        return self._idle.pop() if self._idle else Follower(self.settings.min_confidence)

    def _give_back(self, track: Track) -> None:
        if track.follower is not None:
            track.follower.release()
            self._idle.append(track.follower)
            track.follower = None

    def _report(self, track: Track, image: Image, time: float) -> TrackedFace:
        points = track.found.points.copy()
        points[:, :2] += track.drift(time)
        quad, landmarks = track.filter(points, time)
        yaw, pitch, roll = track.found.angles or (0.0, 0.0, 0.0)
        side = float(np.hypot(*(quad[3] - quad[0])))
        luma = face_luma(image, track.box)
        track.hints = face_hints(side, yaw, pitch, luma, track.hints, self._hints)
        return TrackedFace(
            track.identity, landmarks, quad, yaw, pitch, roll, track.age_frames, track.hints
        )
