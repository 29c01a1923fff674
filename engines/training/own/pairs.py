"""People and how a style would draw them: the pairs that an own style is learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from engines.errors import ToonifyError
from engines.pictures import Image, write_png
from engines.training.artist.expressions import close_eyes, open_mouth
from engines.training.artist.head import LID_POINTS
from engines.training.learn.runs import Deadline
from engines.training.own.exemplars import Exemplars, openings
from engines.training.own.lines import lines_of
from engines.training.own.palette import palette_of
from engines.training.own.shape import Floats, Shape, in_sides, learn_shape
from engines.training.pairs.data import PairSet, spread_over
from engines.training.pairs.portraits import Crops
from engines.training.pairs.prepare import Pair, PairFolder

SHUT = 0.08  # eyes less open than that, share of their width, are no example of eyes
LIDS = (1.1, 1.6)  # how much wider and higher drawn eyes can be than their landmarks
JAW = (0.08, 0.35)  # how far a jaw is dropped, in eye distances


@dataclass(frozen=True)
class StylePictures:
    """What there is of a style: its pictures, where its faces are, and what it does to shapes.

    Attributes:
        pictures: uint8 [M, S, S, 3] RGB, aligned, of the people's size.
        landmarks: float32 [M, 478, 2], 1 = their side.
        shape: see `engines.training.own.shape.Shape`.
        known: the faces were found; else they are taken to be where people's are.
    """

    pictures: Image
    landmarks: Floats
    shape: Shape
    known: bool


def style_of(pictures: Crops, people: PairSet) -> StylePictures:
    """A style from its crops; without twenty faces found in them, one that moves nothing."""
    points, mine = in_sides(pictures), in_sides(people)
    shape = learn_shape(points, mine)
    size = (people.size, people.size)
    images = np.stack(
        [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in pictures.images]
    ).astype(np.uint8)
    if shape is not None:
        found = np.isfinite(points).all((1, 2))
        return StylePictures(images[found], points[found], shape, known=True)
    middle = np.median(mine, axis=0).astype(np.float32)
    still = Shape(middle, np.zeros_like(middle), ())
    everywhere = np.repeat(middle[None], len(pictures), axis=0)
    return StylePictures(images, everywhere, still, known=False)


def draw_people(
    people: PairSet,
    style: StylePictures,
    folder: Path,
    count: int,
    device: torch.device,
    deadline: Deadline,
    *,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> PairSet | None:
    """Draw up to ``count`` people, spread over the set, into a folder; None if time is up first.

    Each is followed by a second pair, with the eyes shut or the mouth open on photo and drawing
    alike, as neither people nor styles show them often. A run that was interrupted goes on.

    Raises:
        ToonifyError: when the style has no picture in the pose of any of these people.
    """
    points = in_sides(people)
    rows = spread_over(len(people), count)
    pairs = PairFolder(folder, 2 * len(rows), people.size, {"drawn": "by example"})
    if missing := pairs.missing():
        shown = people.photo, points
        theirs = style.pictures, style.landmarks
        palette, lines = palette_of(shown, theirs), lines_of(shown, theirs)
        artist = Exemplars(*theirs, style.shape, palette, lines, device)
        for row in sorted({row // 2 for row in missing}):
            if deadline.passed():
                return None
            report(row, len(rows))
            photo = np.array(people.photo[rows[row]])
            _draw(pairs, row, photo, points[rows[row]], artist)
        report(len(rows), len(rows))
        write_png(folder.with_suffix(".png"), pairs.sheet())
    drawn = PairSet.open(folder)
    weight = drawn.head.max((1, 2)) > 0
    if not weight.any():
        raise ToonifyError(
            "None of the people holds the head as any of the style's pictures does; give other "
            "people, or pictures of the style that look into the camera."
        )
    return replace(drawn, weight=weight / weight.sum())


def _draw(pairs: PairFolder, row: int, photo: Image, points: Floats, artist: Exemplars) -> None:
    """A person and the variant; with an empty head where there is nothing to learn."""
    side = photo.shape[0]
    drawing = None if openings(points)[:2].min() < SHUT else artist.draw(photo, points)
    for second in (False, True):
        mine, picture, marks = photo, drawing, points
        if picture is not None and second:
            random = np.random.default_rng(row)
            theirs = artist.shape.apply(points)
            if row % 2:
                mine, moved = close_eyes(photo, _deep(points * side))
                picture, _ = close_eyes(picture, _deep(_wide_eyed(theirs) * side))
            else:
                jaw = float(random.uniform(*JAW))
                mine, moved = open_mouth(photo, _deep(points * side), jaw)
                picture, _ = open_mouth(picture, _deep(theirs * side), jaw)
            marks = moved[:, :2] / side
        head = np.full((side // 2, side // 2), 0 if picture is None else 255, np.uint8)
        warp = artist.shape.bend(marks).astype(np.float16)
        toon = mine if picture is None else picture
        pairs.write(2 * row + second, Pair(mine, toon, head, marks * side, warp))


def _deep(points: Floats) -> Floats:
    """Landmarks [478, 2] with a depth of 0, which is near enough for lids and jaws."""
    return np.column_stack([points, np.zeros(len(points), np.float32)]).astype(np.float32)


def _wide_eyed(points: Floats) -> Floats:
    out = points.copy()
    for ids in LID_POINTS:
        centre = points[ids].mean(0)
        out[ids] = centre + (points[ids] - centre) * LIDS
    return out
