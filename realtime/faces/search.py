"""Where to look for faces: the whole picture for near ones, enlarged windows for small or far ones.

MediaPipe's detector sees any picture at 128 x 128, so a face below about a fifth of the picture's
width is easily missed; in a window of a few face widths it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import shrink
from engines.faces.landmarker import FaceLandmarks, Landmarker
from engines.pictures import Image

Box = NDArray[np.floating]
Window = tuple[int, int, int, int]  # left, top, right, bottom, pixels
QUARTER = np.array([[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], np.float32)
"""Turns a head's pose by a quarter clockwise, as the viewer sees it."""
MOST_IN_A_WINDOW = 17  # faces looked for at once; a crowd's others are in smaller windows
FOREHEAD, CHIN = 10, 152  # landmarks
ALIKE = 0.1  # of a face's size: mean distance of the landmarks of two measurements that agree


@dataclass(frozen=True)
class Sight:
    """A part of a picture as it is given to MediaPipe.

    Attributes:
        image: uint8 [h, w, 3] RGB.
        origin: float32 [2], its top-left corner in the whole picture.
        scale: pixels of the whole picture per pixel of this one.
        turns: quarter turns anticlockwise by which `image` is turned.
    """

    image: Image
    origin: NDArray[np.float32]
    scale: int
    turns: int = 0

    def turned(self, turns: int) -> Sight:
        """The same, turned by some quarter turns anticlockwise."""
        image = np.ascontiguousarray(np.rot90(self.image, turns))
        return replace(self, image=image, turns=self.turns + turns)

    def restore(self, face: FaceLandmarks) -> FaceLandmarks:
        """The same face in pixels of the whole picture, as it lies there."""
        points, pose = face.points.copy(), face.pose
        width = self.image.shape[0]  # once it is turned back by a quarter
        for _ in range(self.turns % 4):  # a quarter turn back, clockwise
            points[:, :2] = np.stack([width - points[:, 1], points[:, 0]], axis=1)
            width = self.image.shape[0] + self.image.shape[1] - width
            pose = None if pose is None else QUARTER @ pose
        points *= np.float32(self.scale)
        points[:, :2] += self.origin
        return FaceLandmarks(points, face.blendshapes, pose)


def whole(image: Image) -> Window:
    """The window that is the whole picture."""
    return (0, 0, image.shape[1], image.shape[0])


def window_around(box: Box, side: float, image: Image) -> Window:
    """A square window about a box, pushed inside the picture, cut where it is larger than that."""
    height, width = image.shape[:2]
    half = max(side, 32.0) / 2
    centre = (np.asarray(box[:2]) + np.asarray(box[2:])) / 2
    room = np.array([width, height], np.float64)
    centre = np.clip(centre, np.minimum(half, room / 2), np.maximum(room - half, room / 2))
    low = np.clip(np.floor(centre - half), 0, room).astype(int)
    high = np.clip(np.ceil(centre + half), 0, room).astype(int)
    return (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def tiles(image: Image, share: float, overlap: float = 0.5) -> list[Window]:
    """Square windows of `share` of the shorter side that overlap and cover the picture."""
    height, width = image.shape[:2]
    side = max(int(min(height, width) * share), 32)

    def starts(length: int) -> list[int]:
        count = max(1, int(np.ceil((length - side) / (side * (1 - overlap)))) + 1)
        return [round(i * max(length - side, 0) / max(count - 1, 1)) for i in range(count)]

    return [
        (x, y, min(x + side, width), min(y + side, height))
        for y in starts(height)
        for x in starts(width)
    ]


def patrol(image: Image, turn: int) -> Window:
    """Where a continuing search looks in a `turn`.

    Of four turns, one goes to the whole picture, one to a large tile and two to small tiles, whose
    faces, which the large ones miss, need less overlap.
    """
    lap, part = divmod(turn, 4)
    if part == 0:
        return whole(image)
    places = tiles(image, 0.75) if part == 1 else tiles(image, 0.4, 0.3)
    return places[(lap if part == 1 else 2 * lap + part - 2) % len(places)]


def sight(image: Image, window: Window, factor: int, hidden: Sequence[Box] = ()) -> Sight:
    """Cut a window out of a BGR picture, averaged down by `factor`, some faces painted over."""
    left, top, right, bottom = window
    width, height = (right - left) // factor, (bottom - top) // factor
    view = image[top : top + height * factor, left : left + width * factor]
    rgb = cv2.cvtColor(shrink(view, factor), cv2.COLOR_BGR2RGB)
    for box in hidden:
        corners = (np.asarray(box).reshape(2, 2) - (left, top)) / factor
        low, high = np.floor(corners[0]).astype(int), np.ceil(corners[1]).astype(int)
        cv2.rectangle(rgb, low.tolist(), high.tolist(), (128, 128, 128), cv2.FILLED)
    return Sight(rgb.astype(np.uint8, copy=False), np.array([left, top], np.float32), factor)


def same_face(a: Box, b: Box) -> bool:
    """Whether two boxes lie on one face: centres close, sizes alike."""
    small, large = sorted((box_size(a), box_size(b)))
    return box_distance(a, b) < 0.4 * small and large < 2 * small


def box_distance(a: Box, b: Box) -> float:
    """Distance of the centres of two boxes, pixels."""
    return float(np.hypot(*((a[:2] + a[2:]) - (b[:2] + b[2:])))) / 2


def box_size(box: Box) -> float:
    """The longer side of a box, pixels."""
    return float(max(box[2] - box[0], box[3] - box[1]))


def alike(a: FaceLandmarks, b: FaceLandmarks) -> bool:
    """Whether two measurements of a face agree."""
    apart = np.linalg.norm(a.points[:, :2] - b.points[:, :2], axis=1).mean()
    return bool(apart < ALIKE * box_size(a.box))


def shared(a: FaceLandmarks, b: FaceLandmarks) -> float:
    """The part of the smaller one's box that lies in the other's, 0 to 1."""
    sides = np.minimum(a.box[2:], b.box[2:]) - np.maximum(a.box[:2], b.box[:2])
    areas = [float(np.prod(face.box[2:] - face.box[:2])) for face in (a, b)]
    return float(np.prod(np.clip(sides, 0, None))) / max(min(areas), 1e-6)


def tilt(face: FaceLandmarks, turns: int) -> float:
    """How far from upright a face is once the picture is turned, degrees, 0 to 180."""
    across, down = face.points[CHIN, :2] - face.points[FOREHEAD, :2]
    roll = np.degrees(np.arctan2(-across, down)) - 90 * turns
    return float(abs((roll + 180) % 360 - 180))


class FaceSearch:
    """Looks for faces in single pictures, without any memory of earlier ones."""

    def __init__(self, max_faces: int, min_confidence: float) -> None:
        self._landmarker = Landmarker(
            max_faces=min(max_faces, MOST_IN_A_WINDOW),
            min_confidence=min_confidence,
            blendshapes=False,
        )

    def look(
        self, image: Image, window: Window, hidden: Sequence[Box] = (), turns: int = 0
    ) -> list[FaceLandmarks]:
        """Faces inside one window of a BGR picture, in pixels of the whole picture.

        `hidden` boxes are painted over: a known face is not found again, and costs nothing. The
        window is looked at turned by `turns` quarter turns anticlockwise.
        """
        width, height = window[2] - window[0], window[3] - window[1]
        if min(width, height) < 16:
            return []
        view = sight(image, window, max(1, max(width, height) // 640), hidden).turned(turns)
        return [view.restore(face) for face in self._landmarker.detect(view.image)]

    def everywhere(self, image: Image) -> list[FaceLandmarks]:
        """Every face of a still picture, near ones first, each measured in a window of its own.

        Those that lie or stand on their heads come last; small ones of them are looked for only
        where no face is upright.
        """
        found: list[FaceLandmarks] = []
        agreed: list[int] = []  # for each of them, in how many turns it was measured alike
        for turns in range(4):
            small = [] if turns and found else tiles(image, 0.4)
            for window in [whole(image), *tiles(image, 0.75), *small]:
                hidden = [face.box for face in found]
                for face in self.look(image, window, hidden, turns):
                    face, votes = self._as_it_lies(image, face, hidden, turns)
                    if any(same_face(face.box, other.box) for other in found):
                        continue
                    if turns and votes == 1:
                        continue  # only a real face is seen alike in two turns
                    over = [i for i, other in enumerate(found) if shared(face, other) > 0.3]
                    if over and (turns or votes == 1) and votes <= max(agreed[i] for i in over):
                        continue  # the same face, measured wrongly
                    wrong = [i for i in over if agreed[i] == 1 and votes > 1]
                    found = [one for i, one in enumerate(found) if i not in wrong] + [face]
                    agreed = [one for i, one in enumerate(agreed) if i not in wrong] + [votes]
        return found

    def _as_it_lies(
        self, image: Image, face: FaceLandmarks, hidden: Sequence[Box], turns: int
    ) -> tuple[FaceLandmarks, int]:
        """A face that was found in one turn of the picture, measured in each of the four, and how
        many of them agree.

        The landmarker takes a face that stands on its head for one that does not, and lays the
        landmarks across it. It is right about one that is upright, and mostly about one that lies;
        so what most turns agree on holds, and of these the one in which the face is most upright.
        """
        seen = [(turn, self.near(image, face.box, hidden, turn)) for turn in range(4)]
        sights = [(turn, one) for turn, one in seen if one is not None]
        if not sights:
            return face, 1
        sights.sort(key=lambda sight: (sight[0] != turns, sight[0]))  # in a tie, where it was found
        groups = [[(t, b) for t, b in sights if alike(a, b)] for _, a in sights]
        agreed = max(groups, key=len)
        return min(agreed, key=lambda sight: tilt(sight[1], sight[0]))[1], len(agreed)

    def near(
        self, image: Image, box: Box, hidden: Sequence[Box] = (), turns: int = 0
    ) -> FaceLandmarks | None:
        """The face at a box, looked for in a window a little larger than that; `turns` as for
        `look`."""
        size = box_size(box)
        faces = self.look(image, window_around(box, 2.6 * size, image), hidden, turns)
        return min(faces, key=lambda face: box_distance(face.box, box), default=None)

    def close(self) -> None:
        """Free MediaPipe's graph."""
        self._landmarker.close()
