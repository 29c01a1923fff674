from __future__ import annotations

import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.faces.alignment import LEFT_EYE, MOUTH_CORNERS, RIGHT_EYE, ffhq_quad
from realtime.faces.smoothing import (
    FaceFilter,
    OneEuro,
    SmoothingSettings,
    quad_state,
    state_quad,
)

FPS = 30
SIDE = 400.0
ORIGIN = np.array([640.0, 360.0])


def face(x: float = 0.0, y: float = 0.0, size: float = 1.0, angle: float = 0.0) -> np.ndarray:
    """Landmarks of a face whose FFHQ square lies at ORIGIN + (x, y) with side SIDE * size."""
    points = np.zeros((478, 3))
    # eyes 0.25 of the side apart, mouth 0.27 below: the square's half side is then 2 x 0.25
    points[list(LEFT_EYE), :2] = (-0.125, -0.027)
    points[list(RIGHT_EYE), :2] = (0.125, -0.027)
    points[list(MOUTH_CORNERS), :2] = (0.0, 0.243)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points[:, :2] = points[:, :2] @ turn * SIDE * size + ORIGIN + (x, y)
    return points


def run(signal: list[np.ndarray], settings: SmoothingSettings | None = None) -> np.ndarray:
    """States [N, 4] (x, y, log side, angle) of the filtered squares."""
    steady = FaceFilter(settings or SmoothingSettings())
    return np.array([quad_state(steady(f, k / FPS)[0]) for k, f in enumerate(signal)])


def states(signal: list[np.ndarray]) -> np.ndarray:
    return np.array([quad_state(ffhq_quad(f)) for f in signal])


def lag(raw: np.ndarray, smooth: np.ndarray) -> float:
    """Frames by which `smooth` trails `raw`, by least squares of the error on the speed."""
    speed = np.gradient(raw)
    return float(((raw - smooth) * speed).sum() / (speed * speed).sum())


def test_state_and_square_are_inverse() -> None:
    state = np.array([30.0, -4.0, np.log(77.0), 2.9])
    assert np.allclose(quad_state(state_quad(state)), state)


def test_still_head_with_noisy_landmarks_gives_a_still_crop() -> None:
    rng = np.random.default_rng(0)

    def noisy() -> np.ndarray:
        x, y = rng.normal(0, 0.4, 2)
        return face(x, y, 1 + rng.normal(0, 0.002), rng.normal(0, 0.003))

    signal = [noisy() for _ in range(150)]
    raw, smooth = states(signal)[30:], run(signal)[30:]
    step = np.abs(np.diff(smooth, axis=0)) * [1, 1, SIDE / 2, SIDE / 2]  # pixels at the crop's edge
    noise = np.abs(np.diff(raw, axis=0)) * [1, 1, SIDE / 2, SIDE / 2]
    assert step.max() < 0.5
    assert step.mean() < 0.12 * noise.mean()


def test_noise_within_the_dead_band_moves_nothing_at_all() -> None:
    band = SmoothingSettings().dead_band * SIDE
    signal = [face(x=0.8 * band * (-1) ** k) for k in range(60)]
    smooth = run(signal)
    assert (np.diff(smooth, axis=0) == 0).all()


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])  # crop sides per second
def test_fast_head_lags_less_than_a_frame(speed: float) -> None:
    signal = [face(x=SIDE * speed * k / FPS) for k in range(45)]
    raw, smooth = states(signal)[:, 0], run(signal)[:, 0]
    assert 0 <= lag(raw[10:], smooth[10:]) < 1


def test_shaking_head_lags_less_than_a_frame() -> None:
    seconds = np.arange(90) / FPS
    signal = [face(x=0.25 * SIDE * np.sin(2 * np.pi * 1.2 * t)) for t in seconds]
    assert lag(states(signal)[:, 0], run(signal)[:, 0]) < 1


def test_tilt_and_size_lag_less_than_a_frame() -> None:
    seconds = np.arange(90) / FPS
    wave = np.sin(2 * np.pi * seconds)
    signal = [face(size=float(np.exp(0.4 * w)), angle=float(0.6 * w)) for w in wave]
    raw, smooth = states(signal), run(signal)
    assert lag(raw[:, 2], smooth[:, 2]) < 1
    assert lag(raw[:, 3], smooth[:, 3]) < 1


@pytest.mark.parametrize("moved", [face(x=0.5 * SIDE), face(size=2.5), face(angle=1.2)])
def test_a_jump_is_followed_at_once(moved: np.ndarray) -> None:
    smooth = run([face()] * 20 + [moved] * 2)
    assert np.allclose(smooth[20], quad_state(ffhq_quad(moved)), atol=1e-3)


def test_after_a_gap_the_filter_starts_anew() -> None:
    steady = FaceFilter(SmoothingSettings())
    for k in range(20):
        steady(face(), k / FPS)
    moved = face(x=30)
    quad, landmarks = steady(moved, 20 / FPS + 1)
    assert np.allclose(quad, ffhq_quad(moved), atol=1e-3)
    assert np.allclose(landmarks, moved, atol=1e-3)


def test_turning_all_the_way_round_does_not_unwind() -> None:
    signal = [face(angle=2 * np.pi * k / 60) for k in range(120)]
    smooth = run(signal)
    steps = np.diff(np.unwrap(smooth[10:, 3]))
    assert np.allclose(steps, 2 * np.pi / 60, atol=0.02)


def test_one_setting_suits_faces_of_every_size() -> None:
    rng = np.random.default_rng(1)
    motion = np.cumsum(rng.normal(0, 0.01, (60, 2)), axis=0)

    def relative(size: float) -> np.ndarray:
        smooth = run([face(x, y, size) for x, y in motion * SIDE * size])
        return (smooth[:, :2] - ORIGIN) / (SIDE * size)

    assert np.allclose(relative(0.2), relative(2.0), atol=1e-4)


def test_landmarks_go_with_the_crop() -> None:
    rng = np.random.default_rng(2)
    signal = [face(x=6 * k + rng.normal(0, 0.3), y=-3 * k) for k in range(60)]
    steady = FaceFilter(SmoothingSettings())
    for k, points in enumerate(signal):
        quad, landmarks = steady(points, k / FPS)
        assert np.abs(ffhq_quad(landmarks) - quad).max() < 0.03 * SIDE


def test_one_euro_passes_the_first_value_and_settles_on_a_constant() -> None:
    smooth = OneEuro(SmoothingSettings())
    assert smooth(np.array([1.0, 2.0]), 0.0, 1.0).tolist() == [1, 2]
    for k in range(1, 120):
        value = smooth(np.array([1.5, 2.0]), k / FPS, 1.0)
    assert np.allclose(value, [1.5, 2.0], atol=1e-4)


@pytest.mark.parametrize(
    "bad", [{"min_cutoff": 0}, {"derivative_cutoff": -1}, {"jump": 0}, {"beta": -1}]
)
def test_impossible_settings_are_refused(bad: dict) -> None:
    with pytest.raises(ToonifyError, match="Expected smoothing"):
        SmoothingSettings(**bad)
