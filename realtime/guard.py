"""What goes out when there is no toon to show: the one door through which every picture leaves.

Over 300 lines: the rules, and all that enforces them, can be checked in one place.

Under any mode but `pass`, a camera's own pixels leave only inside a stylised frame that passes all
of these rules. Else the mode's picture goes out.

1. The tracker saw every face it reports in this very frame: it detected the face, or it saw that
   the face still looks as it did a moment ago (see `realtime.faces.motion`). No position is only
   a guess. And it reports no more faces than the stylizer may cover.
2. The stylizer covered each of these faces with a whole toon, in this very frame; but for people
   who are left as they are because they asked for it (`Guard.lay_bare`). The toon may have been
   drawn for a frame shortly before; where it is and what it covers is this frame's.
3. There is at least one face: an empty chair looks the same as a face that was not found.
4. No face is missing. One that was lost inside the picture keeps it hidden until it is found again,
   or for `linger` seconds (or for as long as it had been seen, if that was less). One that left
   through the edge of the picture does not.
5. With `look_ahead` n, the next n frames pass the rules as well and show no face that this one
   lacks. So a face that was there before it could be found hides the frames in which it was missed.
6. A face detector of the guard's own, which looks at one part of every frame in turn, sees no other
   face (see `realtime.strangers`): somebody who comes in is seen within about a tenth of a second,
   long before the tracker's next search. A face that the tracker cannot confirm for `linger`
   seconds counts as none; so does one about which the detector is also unsure after two looks at
   every part. And the tracker's own search has found no other face in this frame.

What remains: while one face is shown, another one goes unnoticed as long as no detector can see it:
while it is hardly in the picture, turned far away or covered; for the few frames until the stranger
detector has looked at its part of the picture; and, if it is below a ninth of the picture's height
(80 pixels at 720p), which that detector does not see, for the seconds until the tracker's own
search has found it. `look_ahead` hides the frames before somebody was found, at one frame of
latency each. The slate (mode `card`, or the panic key) closes every gap.

A hidden picture is first replaced by the last toon, for `grace` seconds (its pixels have been out
already), then by what the mode says. A face that is too many or a stranger's (rules 1 and 6) may
have been there a little before it was noticed. Therefore `hold` goes back by `HINDSIGHT`: the few
frames that missed it are not the ones that stay. What went out under `pass` was not checked and is
never repeated.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Literal

import numpy as np

from engines.pictures import Image, Mask
from realtime.faces.face import TrackedFace
from realtime.faces.presence import Presence
from realtime.frame import Frame, fit
from realtime.settings import GuardMode, GuardSettings
from realtime.slate import blurred, fit_mask, load_slate

HINDSIGHT = 0.5  # seconds until somebody who comes in is noticed, in nearly all cases
SPACING = 0.2  # seconds between the toons that are kept for it

Kind = Literal["toon", "raw", "hold", "blur", "card"]


@dataclass(frozen=True, eq=False)
class Result:
    """A frame that went through tracker and stylizer.

    Attributes:
        frame: as captured.
        image: uint8 [H, W, 3] BGR with toons pasted in, or None if nothing was drawn.
        alpha: uint8 [H, W], 255 where a toon is, or None.
        faces: everything the tracker reported for this frame.
        covered: identities of the faces that are whole toons in `image`.
        stranger: whether a face was seen that is not one of `faces`, by the tracker's search or by
            `realtime.strangers`.
        moved: whether the toons have been shown already, in an earlier frame.
        heads: see `realtime.stylizer.StylizedFrame`.
    """

    frame: Frame
    image: Image | None
    alpha: Mask | None
    faces: Sequence[TrackedFace]
    covered: frozenset[int]
    stranger: bool = False
    moved: bool = False
    heads: Callable[[], Mask] | None = None


@dataclass(frozen=True, eq=False)
class Output:
    """A picture that may leave.

    Attributes:
        image: uint8 [H, W, 3] BGR in the output's size.
        alpha: uint8 [H, W], 255 where a toon is; zero everywhere but in toons.
        kind: how it was made.
        timestamp, media_time, captured: of the frame it stands for; None before the first.
        before: that frame's picture, for windows on the user's own screen.
        under: the picture that the toons in it were drawn on, an earlier one if they are held; None
            where there are none. `for_others` takes both untooned pictures away.
        moved: for a toon, whether it has been shown already and was moved along with its face.
        heads: gives uint8 [H, W], what of `alpha` is a toon's head, not the room drawn about it;
            made at the first call, in any thread. None where that is not known.
    """

    image: Image
    alpha: Mask
    kind: Kind
    timestamp: float | None = None
    media_time: Fraction | None = None
    captured: float | None = None
    before: Image | None = None
    under: Image | None = None
    moved: bool = False
    heads: Callable[[], Mask] | None = None

    def for_others(self) -> Output:
        """The same without the untooned pictures."""
        return replace(self, before=None, under=None)


class Guard:
    """Decides about every picture. Not thread-safe: one thread asks, in the order of capture.

    Args:
        mode: what is shown when there is no toon.
        size: (width, height) of everything that goes out.
        max_faces: how many faces the stylizer may cover in one frame.

    Attributes:
        mode, panic: may be set from any thread at any time; `panic` shows the slate at once.
        bare: identities of people who are left as they are, see `lay_bare`.
        reason: why the picture is hidden, in a few words; empty if it is not.
    """

    def __init__(
        self, mode: GuardMode, settings: GuardSettings, size: tuple[int, int], max_faces: int
    ) -> None:
        self.mode: GuardMode = mode
        self.panic = False
        self.bare: frozenset[int] = frozenset()
        self._changing = threading.Lock()
        self._settings = settings
        self._size = size
        self.max_faces = max_faces
        self._slate_image: Image | None = None
        if settings.card or mode != "pass":  # a damaged card is told at once
            self._slate_image = fit(load_slate(settings.card, size), size)
        self._clear = np.zeros(size[::-1], np.uint8)
        self._waiting: deque[tuple[Result, str]] = deque()
        self._presence = Presence(settings.linger)
        self._waived: frozenset[int] = frozenset()  # `bare` as it was at the last picture
        self._toon: Output | None = None  # the newest that passed the rules
        self._toon_time = -float("inf")
        self._earlier: deque[tuple[float, Output]] = deque(maxlen=4)  # the same, `SPACING` apart
        self._kept: Output | None = None  # what `hold` may show: no stranger was noticed since
        self.reason = "no picture yet"

    def admit(self, result: Result) -> Output | None:
        """What goes out for `result`; None while frames are held back for the look-ahead."""
        self._hide_the_lost(result.faces)
        self._forget_the_hidden()
        if self.panic or self.mode == "pass":
            self._waiting.clear()
        if self.panic:
            return self._show_slate(result.frame)
        if self.mode == "pass":
            self._presence.note(result.frame, result.faces)
            return self._drawn(result)
        self._waiting.append((result, self._doubt(result)))
        if len(self._waiting) <= self._settings.look_ahead:
            return None
        (oldest, doubt), *later = self._waiting
        self._waiting.popleft()
        known = {face.identity for face in oldest.faces}
        for follower, follower_doubt in later:
            if not doubt and follower_doubt:
                doubt = follower_doubt
            if not doubt and not {face.identity for face in follower.faces} <= known:
                doubt = "a face appears just after this picture"
        self.reason = doubt
        if doubt:
            return self.fill(oldest.frame, oldest.frame.timestamp)
        return self._passed(oldest)

    def fill(self, newest: Frame | None, now: float) -> Output:
        """What goes out when there is no toon to show.

        Args:
            newest: the newest captured frame: shown under `pass`, blurred under `blur`.
            now: seconds, on the clock of the frames' timestamps.
        """
        self._forget_the_hidden()
        if self.panic:
            return self._show_slate(newest)
        if self.mode == "pass":
            return self._raw(newest) if newest else self._show_slate(None)
        recent = self._toon is not None and 0 <= now - self._toon_time <= self._settings.grace
        held = self._toon if recent else self._kept if self.mode == "hold" else None
        if held is not None:
            return _output(held.image, held.alpha, "hold", newest, held.under, held.heads)
        if self.mode == "blur" and newest:
            return _output(blurred(newest.image, self._size), self._clear, "blur", newest)
        return self._show_slate(newest)

    def finish(self) -> list[Output]:
        """The frames still held back at the end, hidden, because nothing can confirm them."""
        rest = [self.fill(result.frame, result.frame.timestamp) for result, _ in self._waiting]
        self._waiting.clear()
        return rest

    def farewell(self) -> Output:
        """The last picture of a live sink: the slate, so no picture of the camera stays."""
        return self._show_slate(None)

    def _doubt(self, result: Result) -> str:
        """Why a frame must not be shown as it is; empty if it may."""
        lost = self._presence.lacks(result.frame, result.faces)
        self._presence.note(result.frame, result.faces)
        unknown = self._unknown(result)
        if unknown:
            self._look_back(result.frame.timestamp)
        if result.image is None:
            return "the stylizer gave no picture"
        if not result.faces:
            return "no face is found"
        if unknown:
            return unknown
        if any(face.age_frames > 0 for face in result.faces):
            return "a face was not seen in this picture"
        if not {face.identity for face in result.faces} <= result.covered | self.bare:
            return "a face is not covered by its toon"
        return "a face is lost" if lost else ""

    def _unknown(self, result: Result) -> str:
        """Whether there is a face that no toon of this frame can cover."""
        if len(result.faces) > self.max_faces:
            return "there are more faces than are made toons"
        return "a face is seen that is not followed yet" if result.stranger else ""

    def _look_back(self, now: float) -> None:
        """Somebody was noticed: what was shown shortly before may show them."""
        while self._earlier and self._earlier[-1][0] > now - HINDSIGHT:
            self._earlier.pop()
        self._kept = self._earlier[-1][1] if self._earlier else None

    def lay_bare(self, identity: int, bare: bool) -> None:
        """Let a face's own pixels out, under every mode, or hide it again; from any thread. A face
        that the tracker loses is hidden again by itself."""
        with self._changing:
            self.bare = self.bare | {identity} if bare else self.bare - {identity}

    def _hide_the_lost(self, faces: Sequence[TrackedFace]) -> None:
        with self._changing:
            self.bare &= {face.identity for face in faces}

    def _forget_the_hidden(self) -> None:
        """What shows a face that is hidden again is not repeated."""
        if self._waived - self.bare:
            self._toon = self._kept = None
            self._earlier.clear()
            self._waiting = deque((r, "a face is hidden again") for r, _ in self._waiting)
        self._waived = self.bare

    def _passed(self, result: Result) -> Output:
        output, now = self._drawn(result), result.frame.timestamp
        self._toon = self._kept = output
        self._toon_time = now
        if not self._earlier or not 0 <= now - self._earlier[-1][0] < SPACING:
            self._earlier.append((now, output))
        return output

    def _drawn(self, result: Result) -> Output:
        if result.image is None or not result.faces:
            return self._raw(result.frame)
        alpha = self._clear if result.alpha is None else fit_mask(result.alpha, self._size)
        frame = result.frame
        image = fit(result.image, self._size)
        shown = _output(image, alpha, "toon", frame, frame.image, self._fitted(result.heads))
        return replace(shown, moved=result.moved)

    def _fitted(self, heads: Callable[[], Mask] | None) -> Callable[[], Mask] | None:
        return heads and cache(lambda: fit_mask(heads(), self._size))

    def _raw(self, frame: Frame) -> Output:
        return _output(fit(frame.image, self._size), self._clear, "raw", frame)

    def _show_slate(self, frame: Frame | None) -> Output:
        if self._slate_image is None:
            self._slate_image = fit(load_slate(self._settings.card, self._size), self._size)
        return _output(self._slate_image, self._clear, "card", frame)


def _output(
    image: Image,
    alpha: Mask,
    kind: Kind,
    frame: Frame | None,
    under: Image | None = None,
    heads: Callable[[], Mask] | None = None,
) -> Output:
    if frame is None:
        return Output(image, alpha, kind, under=under, heads=heads)
    return Output(
        image,
        alpha,
        kind,
        timestamp=frame.timestamp,
        media_time=frame.media_time,
        captured=frame.captured,
        before=frame.image,
        under=under,
        heads=heads,
    )
