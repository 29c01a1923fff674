"""How good the toon of a photo's face can be, and why: said of the very photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.faces.face import TrackedFace
from realtime.faces.hints import TOO_DARK, TOO_SMALL, TURNED_AWAY, HintSettings

BEST = 512  # px of the FFHQ square, from which a face is as good as it gets
NOBODY = (
    "No face was found; one that looks towards the camera and is more than "
    f"{HintSettings.min_side:.0f} pixels wide is found best."
)


@dataclass(frozen=True)
class FaceReport:
    """One face of a photo.

    Attributes:
        box: left, top, right and bottom as shares of the picture's width and height.
        size: side of its FFHQ square in pixels, which takes in head and hair.
        tips: what keeps its toon from being good, a sentence each.
    """

    box: tuple[float, float, float, float]
    size: int
    tips: tuple[str, ...]


def report(face: TrackedFace, size: tuple[int, int]) -> FaceReport:
    """What there is to say of a face in a picture of `size` (width, height)."""
    words = {
        TOO_SMALL: f"With {face.side:.0f} pixels it is small: below {HintSettings.min_side:.0f} a "
        f"toon gets coarse. Give a larger picture of it; {BEST} is best.",
        TURNED_AWAY: f"It is turned away by {max(abs(face.yaw), abs(face.pitch)):.0f} degrees: in "
        "profile a toon gets poor. Give a picture that looks towards the camera.",
        TOO_DARK: "It is in the dark: the toon cannot show what the photo does not. Give a picture "
        "with more light.",
    }
    left, top, right, bottom = (float(edge) for edge in face.box)
    width, height = size
    return FaceReport(
        box=(left / width, top / height, right / width, bottom / height),
        size=round(face.side),
        tips=tuple(words[hint] for hint in face.hints if hint in words),
    )


def summary(reports: Sequence[FaceReport], drawn: int) -> str:
    """The whole photo in one sentence."""
    if not reports:
        return NOBODY
    if drawn < len(reports):
        return f"{len(reports)} faces were found; {drawn} of them, which is the most, are toons."
    if len(reports) == 1:
        size = reports[0].size
        better = "" if size >= BEST else f"; {BEST} is best"
        return f"1 face, {size} pixels{better}."
    sizes = sorted(one.size for one in reports)
    return f"{len(reports)} faces, {sizes[0]} to {sizes[-1]} pixels; {BEST} is best."
