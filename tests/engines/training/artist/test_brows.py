from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engines.faces.features import BROW, UPPER_LID
from engines.training.artist import brows
from engines.training.artist.looks import FILM
from engines.training.artist.scene import Scene, observe


@pytest.fixture(scope="module")
def scene(portrait) -> Scene:
    return observe(portrait.rgb, portrait.landmarks, portrait.person, FILM)


def arch(points: np.ndarray) -> float:
    """How far a brow's outline (upper edge, then lower) bends up, in shares of its length."""
    line = (points[:5, :2] + points[9:4:-1, :2]) / 2
    ends = (line[0] + line[-1]) / 2
    return float((ends[1] - line[2, 1]) / np.linalg.norm(line[0] - line[-1]))


def drawn_arch(shape: np.ndarray, like: np.ndarray) -> float:
    """The same of the opacity that was drawn near such an outline."""
    near = np.zeros(shape.shape, np.uint8)
    cv2.fillConvexPoly(near, cv2.convexHull(like[:, :2].astype(np.int32)), 1)
    weight = shape * cv2.dilate(near, np.ones((9, 9)))
    rows, columns = np.mgrid[0 : shape.shape[0], 0 : shape.shape[1]]
    left, right = like[:, 0].min(), like[:, 0].max()

    def middle(low: float, high: float) -> float:
        part = (columns >= left + low * (right - left)) & (columns < left + high * (right - left))
        return float((rows * weight)[part].sum() / weight[part].sum())

    ends = (middle(0.0, 0.2) + middle(0.8, 1.0)) / 2
    return (ends - middle(0.4, 0.6)) / float(right - left)


@pytest.mark.parametrize("side", [0, 1])
def test_the_larger_eye_does_not_arch_the_brow_above_it(
    portrait, scene: Scene, side: int, monkeypatch
) -> None:
    outline = scene.points[BROW[side]]
    lifted = arch(outline) - arch(scene.head.landmarks[BROW[side]])
    assert lifted > 0.02
    monkeypatch.setattr(brows, "OWN", 0.0)
    follows = observe(portrait.rgb, portrait.landmarks, portrait.person, FILM).brows.shape
    change = drawn_arch(follows, outline) - drawn_arch(scene.brows.shape, outline)
    assert change > 0.4 * lifted


def test_grey_brows_are_seen_and_dark_ones_stay_dark(portrait) -> None:
    """Grace Hopper's brows are dark; painted as light as white hair, they stay brows."""
    dark = observe(portrait.rgb, portrait.landmarks, portrait.person, FILM)
    white = portrait.rgb.copy()
    for ids in BROW:
        outline = cv2.convexHull(portrait.landmarks[ids, :2].astype(np.int32))
        cv2.fillConvexPoly(white, outline, (205, 205, 205), cv2.LINE_AA)
    grey = observe(white, portrait.landmarks, portrait.person, FILM)
    assert grey.brows.colour[0] > dark.brows.colour[0] + 25
    assert grey.brows.shape.max() > 0.6


def test_a_brow_shows_its_own_hairs(portrait, scene: Scene) -> None:
    striped = portrait.rgb.copy()
    outlines = np.zeros(striped.shape[:2], np.uint8)
    for ids in BROW:
        outline = cv2.convexHull(portrait.landmarks[ids, :2].astype(np.int32))
        cv2.fillConvexPoly(outlines, outline, 1)
    hairs = (np.arange(striped.shape[1]) // 2 % 2)[None] * outlines  # two pixels wide
    striped[hairs > 0] //= 3
    combed = observe(striped, portrait.landmarks, portrait.person, FILM)

    def roughness(scene: Scene) -> float:
        drawn = brows.draw_brows(np.full_like(scene.rgb, 0.6), scene.brows, 60.0)[..., 0]
        inside = scene.brows.shape > 0.6
        return float(np.abs(np.diff(drawn, axis=1))[inside[:, 1:]].mean())

    assert roughness(combed) > 1.5 * roughness(scene)
    smooth = replace(combed, brows=replace(combed.brows, hairs=np.zeros_like(combed.brows.hairs)))
    assert roughness(combed) > 2 * roughness(smooth)


def test_fair_brows_are_full_too(portrait, scene: Scene, monkeypatch) -> None:
    fair = portrait.rgb.astype(np.float32)
    for ids in BROW:
        outline = np.zeros(fair.shape[:2], np.uint8)
        hull = cv2.convexHull(portrait.landmarks[ids, :2].astype(np.int32))
        cv2.fillConvexPoly(outline, hull, 1)
        outline = cv2.dilate(outline, np.ones((5, 5)))
        around = cv2.dilate(outline, np.ones((13, 13))) > 0
        skin = np.median(fair[around & (outline == 0)], 0)
        fair[outline > 0] += 0.6 * np.maximum(skin - fair[outline > 0], 0)
    found = observe(fair.astype(np.uint8), portrait.landmarks, portrait.person, FILM).brows
    assert found.colour[0] > scene.brows.colour[0] + 5
    monkeypatch.setattr(brows, "FAIREST", (1.0, 1.0))
    thin = observe(fair.astype(np.uint8), portrait.landmarks, portrait.person, FILM).brows
    assert found.shape.sum() > 1.15 * thin.shape.sum()


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("heavy", "least", "most"), [(0.0, 0.3, 0.7), (1.0, -0.7, 0.2)])
def test_the_brow_of_a_heavy_face_lies_as_close_to_its_eye_as_in_the_photo(
    scene: Scene, monkeypatch, side: int, heavy: float, least: float, most: float
) -> None:
    """Bounds in shares of what the deformation lifts it; a light face keeps about half of that."""
    monkeypatch.setattr(brows, "heaviness", lambda head: heavy)

    def gap(points: np.ndarray, brow: np.ndarray) -> float:
        lid = scene.head.flat(points[UPPER_LID[side]])[2:-2, 1].mean()
        return float(lid - scene.head.flat(brow)[:, 1].mean())

    photo, toon = scene.head.landmarks, scene.points
    before, lifted = (gap(points, points[BROW[side]]) for points in (photo, toon))
    laid = gap(toon, brows._own_place(scene.head, toon, side))
    assert lifted > before + 0.03
    assert least < (laid - before) / (lifted - before) < most


def test_only_heavy_faces_have_low_brows(portrait, monkeypatch) -> None:
    down = []
    for heavy in (0.0, 1.0):
        monkeypatch.setattr(brows, "heaviness", lambda head, heavy=heavy: heavy)
        shape = observe(portrait.rgb, portrait.landmarks, portrait.person, FILM).brows.shape
        down.append((shape.sum(1) @ np.arange(len(shape))) / shape.sum())
    assert down[1] > down[0] + 1.0


def test_brows_of_which_hardly_a_hair_is_seen_are_drawn(portrait) -> None:
    bare = portrait.rgb.copy()
    for ids in BROW:
        hull = cv2.convexHull(portrait.landmarks[ids, :2].astype(np.int32))
        around = np.zeros(bare.shape[:2], np.uint8)
        cv2.fillConvexPoly(around, hull, 1)
        around = cv2.dilate(around, np.ones((7, 7)))
        ring = (cv2.dilate(around, np.ones((13, 13))) > 0) & (around == 0)
        bare[around > 0] = np.median(bare[ring], 0)
    plain = observe(bare, portrait.landmarks, portrait.person, FILM)
    assert plain.brows.shape.max() > 0.35
    skin = np.full_like(plain.rgb, 0.6)
    drawn = brows.draw_brows(skin, plain.brows, 62.0)
    assert (skin - drawn).max() > 0.08
