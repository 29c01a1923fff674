"""A toon in the colours of its scene."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.pictures import Image
from realtime.compositing import GRID, oval_mask
from realtime.frame import as_uint8
from realtime.toons.finish.colour import (
    COARSE,
    Small,
    add_field,
    coarse,
    colour_stats,
    match_field,
    seam_field,
)
from tests.realtime.shapes import head_of_toon, oval_face


def test_colour_stats_weigh_what_is_under_the_mask() -> None:
    picture = np.full((256, 256, 3), 200, np.uint8)
    picture[:, :128] = (40, 80, 120)
    left = np.zeros((GRID, GRID), np.float32)
    left[:, : GRID // 2 - 2] = 0.5
    one, all_of_it = (colour_stats(Small.of(picture), mask) for mask in (left, left + 0.5))
    colour = np.array([[[40, 80, 120]]], np.float32) / np.float32(255)
    expected = cv2.cvtColor(colour, cv2.COLOR_BGR2LAB)[0, 0]
    assert np.allclose(one[:2], [expected, [0, 0, 0]], atol=0.05)
    assert np.allclose(one[2], expected, atol=0.05)  # all of it is lit alike
    assert all_of_it[1, 0] > 10
    assert all_of_it[2, 0] == pytest.approx(Small.of(picture).lab[0, -1, 0], abs=0.5)


def test_match_field_takes_over_light_and_tint() -> None:
    rng = np.random.default_rng(3)
    toon = rng.normal([90, 110, 150], 12, (256, 256, 3)).clip(0, 255).astype(np.uint8)
    toon = cv2.GaussianBlur(toon, (0, 0), 12).astype(np.uint8, copy=False)
    scene = (toon * np.array([0.75, 0.9, 1.0])).astype(np.uint8)
    mask = np.ones((GRID, GRID), np.float32)
    small = Small.of(toon)
    have, want = colour_stats(small, mask), colour_stats(Small.of(scene), mask)
    full = colour_stats(Small.of(add_field(toon, match_field(small, have, want, 1.0))), mask)
    half = colour_stats(Small.of(add_field(toon, match_field(small, have, want, 0.5))), mask)
    assert np.abs(full[0] - want[0]).max() < 0.6
    assert np.abs(half[0] - (have[0] + want[0]) / 2).max() < 0.6
    assert np.abs(match_field(small, have, want, 0.0)).max() < 0.5


def test_a_face_does_not_glow_in_a_grey_room() -> None:
    skin = np.array([[[36, 84, 152]]], np.uint8).repeat(64, 0).repeat(64, 1)
    mask = np.ones((GRID, GRID), np.float32)
    toon = Small.of(skin)
    have = colour_stats(toon, mask)
    left = {}
    for chroma in (1.0, 0.15):  # daylight, and a room in which skin has hardly any colour
        want = have * np.array([1, chroma, chroma], np.float32) - np.array([8, 0, 0], np.float32)
        for amount in (0.0, 0.35):
            done = add_field(skin, match_field(toon, have, want, amount))
            off = colour_stats(Small.of(done), mask)[0] - want[0]
            left[chroma, amount] = np.array(
                [abs(off[0]) / 8, np.hypot(*off[1:]) / max(np.hypot(*(have - want)[0, 1:]), 1)]
            )
    assert left[1.0, 0.35][0] == pytest.approx(0.65, abs=0.06)
    assert left[0.15, 0.35].max() < 0.45
    assert left[0.15, 0.0] == pytest.approx(1, abs=0.06)  # who wants none gets none


def _skin(hue: float) -> Image:
    """A face of one hue, its left half in shade, with dark hair above; uint8 [64, 64, 3] BGR."""
    lab = np.zeros((64, 64, 3), np.float32)
    lab[..., 0], lab[:, :32, 0] = 72, 50
    lab[..., 1:] = 28 * np.array([np.cos(hue), np.sin(hue)])
    lab[:16] = (20, 1, 2)
    return as_uint8(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2BGR))


def test_lit_skin_takes_the_hue_of_the_scenes_and_hair_keeps_its_own() -> None:
    face = np.zeros((GRID, GRID), np.float32)
    face[GRID // 3 :] = 1
    toon, scene = _skin(1.15), _skin(0.95)
    small = Small.of(toon)
    field = match_field(small, colour_stats(small, face), colour_stats(Small.of(scene), face), 0.35)
    done = Small.of(add_field(toon, field)).lab
    hue = np.arctan2(done[..., 2], done[..., 1])
    assert hue[40, 50] == pytest.approx(0.95, abs=0.06)
    assert hue[40, 10] == pytest.approx(1.15 - 0.35 * 0.2, abs=0.04)  # shade only goes so far
    assert np.abs(done[5, :, 1:] - small.lab[5, :, 1:]).max() < 1


def test_a_grey_scene_does_not_take_the_colour_of_lit_skin() -> None:
    face = np.zeros((GRID, GRID), np.float32)
    face[GRID // 3 :] = 1
    toon = _skin(1.15)
    small = Small.of(toon)
    have = colour_stats(small, face)
    chroma = []
    for share in (1.0, 0.5, 0.2, 0.05):  # of the toon's chroma that the scene's skin has
        want = have * np.array([1, share, share], np.float32)
        want[0], want[1] = have[0], have[1]  # as on average: only its lit part is greyer
        done = Small.of(add_field(toon, match_field(small, have, want, 0.35))).lab
        chroma.append(float(np.hypot(*done[40, 50, 1:])))
    assert chroma == pytest.approx([chroma[0]] * 4, rel=0.03)


def test_match_field_is_limited() -> None:
    toon = np.full((64, 64, 3), 128, np.uint8)
    mask = np.ones((GRID, GRID), np.float32)
    have = colour_stats(Small.of(toon), mask)
    night = colour_stats(Small.of(np.zeros((64, 64, 3), np.uint8)), mask)
    dark = colour_stats(
        Small.of(add_field(toon, match_field(Small.of(toon), have, night, 1))), mask
    )
    assert have[0, 0] - dark[0, 0] == pytest.approx(20, abs=0.5)


def test_seam_field_joins_the_surroundings_and_spares_the_head() -> None:
    photo = np.zeros((256, 256, 3), np.uint8)
    photo[:] = np.linspace(60, 180, 256)[None, :, None]
    toon = np.full((256, 256, 3), 100, np.uint8)
    keep = head_of_toon()[::2, ::2].astype(np.float32)
    keep /= 255
    face = oval_mask(oval_face(), 0, 0.02)
    field = seam_field(Small.of(photo), coarse(toon), keep, face)
    joined = add_field(toon, field)
    away = cv2.resize(keep + face, (256, 256)) < 0.01
    assert np.abs(joined.astype(int) - photo)[away].mean() < 3
    kept = cv2.resize(keep, (COARSE, COARSE)) > 0.99
    assert np.abs(field[kept]).max() < 1
