"""Photos of people and drawings of them in a style: the pairs an own style is learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from engines.errors import ToonifyError
from engines.faces.features import LID_POINTS
from engines.pictures import Image, write_png
from engines.training.artist.expressions import close_eyes, open_mouth
from engines.training.learn.runs import Deadline
from engines.training.own.exemplars import Exemplars, openings
from engines.training.own.lines import lines_of
from engines.training.own.palette import palette_of
from engines.training.own.shape import Floats, Shape, in_sides, learn_shape
from engines.training.pairs.pair_set import Pair, PairFolder, PairSet, spread_over
from engines.training.pairs.portraits import Crops
from engines.training.progress import Progress, silent

SHUT = 0.08  # people whose eyes are less open than this share of their width are skipped
LIDS = (1.1, 1.6)  # how much wider and higher drawn eyes can be than their landmarks say
JAW = (0.08, 0.35)  # least and most that a jaw is dropped, in eye distances


@dataclass(frozen=True)
class StylePictures:
    """What is known of a style.

    Attributes:
        pictures: uint8 [M, S, S, 3] RGB, aligned, of the people's size.
        landmarks: float32 [M, 478, 2], 1 = their side.
        shape: how it changes the shape of faces.
        known: whether the faces were found; if not, they are assumed to be where people's are.
    """

    pictures: Image
    landmarks: Floats
    shape: Shape
    known: bool


def style_of(pictures: Crops, people: PairSet) -> StylePictures:
    """A style from its crops. With fewer than twenty faces found in them, it changes no shape."""
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
    progress: Progress = silent,
) -> PairSet | None:
    """Draw people in a style, into a folder; an interrupted run continues there.

    Each person gives a second pair with closed eyes or an open mouth on photo and drawing alike,
    because few photos and few pictures of a style show those.

    Args:
        people: the people to draw.
        style: how to draw them.
        folder: for the pairs; a sheet of them is written beside it.
        count: how many people, spread over the set.
        device: what to compute on.
        deadline: when to stop.
        progress: called with the phase "drawing" before each person, and at the end.

    Returns:
        the pairs, or None if time was up first.

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
            progress("drawing", row, len(rows))
            photo = np.array(people.photo[rows[row]])
            _draw(pairs, row, photo, points[rows[row]], artist)
        progress("drawing", len(rows), len(rows))
        write_png(folder.with_suffix(".png"), pairs.sheet())
    drawn = PairSet.open(folder)
    weight = drawn.head.max((1, 2)) > 0
    if not weight.any():
        raise ToonifyError(
            "None of the people has a head pose that the style's pictures show; give other people, "
            "or pictures of the style that look into the camera."
        )
    return replace(drawn, weight=weight / weight.sum())


def _draw(pairs: PairFolder, row: int, photo: Image, points: Floats, artist: Exemplars) -> None:
    """Write a person and the variant; the head mask is empty where there is nothing to learn."""
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
    """Landmarks [478, 2] with a depth of 0, which is precise enough for lids and jaws."""
    return np.column_stack([points, np.zeros(len(points), np.float32)]).astype(np.float32)


def _wide_eyed(points: Floats) -> Floats:
    """Landmarks with lids moved outwards, so that they enclose drawn eyes."""
    out = points.copy()
    for ids in LID_POINTS:
        centre = points[ids].mean(0)
        out[ids] = centre + (points[ids] - centre) * LIDS
    return out
