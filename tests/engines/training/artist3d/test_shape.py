from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.training.artist.expressions import close_eyes
from engines.training.artist.geometry import least_stretch
from engines.training.artist3d.head.fit import fit_head
from engines.training.artist3d.head.rig import MOUTH_CORNERS, RigError, load_rig
from engines.training.artist3d.head.stylise import stylise
from engines.training.artist3d.head.warp import warp_between
from engines.training.artist3d.observe.traits import traits_of
from tests.engines.training.artist3d.conftest import ABOUT, SIZE


@pytest.fixture(scope="module")
def fit(rig, portrait):
    return fit_head(rig, portrait.landmarks, portrait.blendshapes)


@pytest.fixture(scope="module")
def warp(rig, portrait, fit):
    toon, _ = stylise(rig, fit, traits_of(ABOUT, {}, 0.0))
    return warp_between(rig, fit.camera, fit.vertices, toon, portrait.landmarks, SIZE)


def test_a_fit_meets_the_landmarks(rig, portrait, fit):
    assert fit.error < 0.012 * SIZE
    seen = fit.camera.project(rig.at_landmarks(fit.vertices))[:, :2]
    off = np.linalg.norm(seen - portrait.landmarks[:468, :2], axis=1)
    assert np.median(off) < 0.004 * SIZE
    assert np.percentile(off, 95) < 0.012 * SIZE


def test_a_fit_does_not_flip_with_noise(rig, portrait, fit):
    noise = np.random.default_rng(0).normal(0, 0.5, portrait.landmarks.shape)
    again = fit_head(rig, portrait.landmarks + noise, portrait.blendshapes)
    moved = fit.camera.project(fit.vertices) - again.camera.project(again.vertices)
    assert np.linalg.norm(moved[:, :2], axis=1).mean() < 1.0


def test_eyes_grow_and_strength_scales_the_shape(rig, fit):
    traits = traits_of(ABOUT, {}, 0.0)
    whole, eyes = stylise(rig, fit, traits)
    half, _ = stylise(rig, fit, traits, 0.5)
    none, _ = stylise(rig, fit, traits, 0.0)
    assert all(eye.scale > 1.2 for eye in eyes)
    np.testing.assert_allclose(none, fit.vertices)
    np.testing.assert_allclose(half, (whole + none) / 2, atol=1e-9)


def test_a_man_keeps_his_jaw(rig, fit):
    def jaw(male: float) -> float:
        toon, _ = stylise(rig, fit, traits_of(replace(ABOUT, male=male), {}, 0.0))
        low = np.abs(toon[: len(rig.base), 1] - toon[5708, 1] + 2.5) < 0.5
        return float(np.ptp(toon[low, 0]))

    assert jaw(1.0) > jaw(0.0)


def test_the_map_has_no_folds_and_fades_at_the_border(warp):
    pixels = np.stack(np.meshgrid(*[np.arange(SIZE, dtype=np.float32)] * 2), -1)
    shift = warp.source - pixels
    assert warp.smallest_jacobian > 0.2
    assert least_stretch(shift) > 0.05
    assert np.abs(shift[[0, -1]]).max() < 1.0
    assert np.abs(shift[:, [0, -1]]).max() < 1.0
    assert np.abs(np.diff(shift, axis=0)).max() < 1.5


def test_the_map_says_where_landmarks_come_from(portrait, warp):
    at = np.clip(np.round(warp.landmarks[:468, :2]).astype(int), 0, SIZE - 1)
    source = warp.source[at[:, 1], at[:, 0]]
    off = np.linalg.norm(source - portrait.landmarks[:468, :2], axis=1)
    assert np.median(off) < 0.012 * SIZE


def test_a_closed_eye_is_planned_closed(rig, portrait):
    _, points = close_eyes(portrait.rgb, portrait.landmarks.astype(np.float32), (1.0, 0.0))
    fit = fit_head(rig, points, {})
    _, eyes = stylise(rig, fit, traits_of(ABOUT, {}, 0.0))
    assert eyes[0].opened < eyes[1].opened


def test_a_missing_model_is_said(tmp_path):
    with pytest.raises(RigError, match="expected at"):
        load_rig(tmp_path)


def test_mouth_corners_are_one_pair(rig):
    left, right = rig.base[list(MOUTH_CORNERS)].astype(np.float64)
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-3)


def test_narrow_eyes_open_and_closed_eyes_stay_closed(rig, portrait, fit):
    def opening(vertices: np.ndarray) -> float:
        return float(np.mean([np.ptp(vertices[loop, 1]) for loop in rig.lids]))

    traits = traits_of(ABOUT, {}, 0.0)
    toon, eyes = stylise(rig, fit, traits)
    assert opening(toon) > 1.08 * eyes[0].scale * opening(fit.vertices)
    _, points = close_eyes(portrait.rgb, portrait.landmarks.astype(np.float32), (1.0, 1.0))
    closed = fit_head(rig, points.astype(np.float64), {})
    toon, eyes = stylise(rig, closed, traits)
    assert opening(toon) < 1.25 * eyes[0].scale * opening(closed.vertices)
