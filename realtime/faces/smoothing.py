"""One-Euro filtering of a face's crop: still when the head is still, prompt when it moves.

Casiez, Roussel, Vogel: "1 EUR Filter", CHI 2012: a low-pass whose cut-off rises with the signal's
speed. Here speeds are measured in crop sides per second, so that one setting suits faces of every
size, and a dead band (backlash) swallows what noise is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.faces.alignment import ffhq_quad

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SmoothingSettings:
    """How a crop follows its face.

    Attributes:
        min_cutoff: Hz; lower holds a still face more firmly.
        beta: Hz per crop side per second; higher follows a fast face more closely.
        derivative_cutoff: Hz; how quickly the measured speed reacts.
        dead_band: share of the crop's side that the crop may be off before it moves.
        jump: share of the crop's side; a face further off than this starts again, unfiltered.
        gap: seconds without the face after which it starts again.
    """

    min_cutoff: float = 1.5
    beta: float = 12.0
    derivative_cutoff: float = 4.0
    dead_band: float = 0.0012
    jump: float = 0.35
    gap: float = 0.5

    def __post_init__(self) -> None:
        for name in ("min_cutoff", "derivative_cutoff", "jump", "gap"):
            if not getattr(self, name) > 0:
                raise ToonifyError(
                    f"Expected smoothing.{name} above 0, found {getattr(self, name)}."
                )
        if self.beta < 0 or self.dead_band < 0:
            raise ToonifyError("Expected smoothing.beta and smoothing.dead_band of 0 or more.")


class OneEuro:
    """The filter for an array of any shape, each element on its own."""

    def __init__(self, settings: SmoothingSettings) -> None:
        self._settings = settings
        self._value: Floats | None = None
        self._speed: Floats = np.zeros(())
        self._time = 0.0

    def reset(self) -> None:
        """Forget everything; the next input passes unfiltered."""
        self._value = None

    def __call__(self, value: NDArray[np.floating], time: float, unit: Floats | float) -> Floats:
        """Filter one more input.

        Args:
            value: the input, any shape, always the same.
            time: seconds, not falling.
            unit: how much of the value makes one crop side, per element or for all.
        """
        settings, last, elapsed = self._settings, self._value, time - self._time
        now: Floats = np.asarray(value, np.float64)
        if last is None or elapsed > settings.gap:
            self._speed = np.zeros_like(now)
        elif elapsed <= 0:
            now = last
        else:
            speed = (now - last) / (elapsed * unit)
            self._speed += _alpha(settings.derivative_cutoff, elapsed) * (speed - self._speed)
            cutoff = settings.min_cutoff + settings.beta * np.abs(self._speed)
            now = last + _alpha(cutoff, elapsed) * (now - last)
        self._value, self._time = now, time
        return now


class FaceFilter:
    """Steadies one face: its square in four degrees of freedom, and its landmarks likewise.

    The square, from which the crop is cut, is also held by the dead band: the network sees a still
    picture of a still head. Landmarks say where the face really is, so they have none.
    """

    def __init__(self, settings: SmoothingSettings) -> None:
        self._settings = settings
        self._square = OneEuro(settings)
        self._landmarks = OneEuro(settings)
        self._held: Floats | None = None
        self._time = -np.inf

    def __call__(
        self, landmarks: NDArray[np.floating], time: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Filter the next landmarks.

        Args:
            landmarks: [478, 3], pixels.
            time: seconds, not falling.

        Returns:
            The steadied square float32 [4, 2] (see `engines.faces.alignment.ffhq_quad`) and the
            steadied landmarks float32 [478, 3].
        """
        settings = self._settings
        state, held = quad_state(ffhq_quad(landmarks)), self._held
        side = np.exp(state[2])
        unit = np.array([side, side, 2.0, 2.0])  # what moves a corner by about one side
        if held is not None:
            state[3] = held[3] + np.remainder(state[3] - held[3] + np.pi, 2 * np.pi) - np.pi
            off = np.abs((state - held) / unit).max()
            if off > settings.jump or time - self._time > settings.gap:
                held = None
                self._square.reset()
                self._landmarks.reset()
        smooth = self._square(state, time, unit)
        band = settings.dead_band * unit
        self._held = np.clip(smooth if held is None else held, smooth - band, smooth + band)
        self._time = time
        points = self._landmarks(landmarks, time, side)
        return state_quad(self._held).astype(np.float32), points.astype(np.float32)


def quad_state(quad: NDArray[np.floating]) -> Floats:
    """Centre x, centre y, log of the side, angle (radians) of a square [4, 2]: float64 [4]."""
    quad = np.asarray(quad, np.float64)
    across, centre = quad[3] - quad[0], quad.mean(0)
    return np.array([*centre, np.log(np.hypot(*across)), np.arctan2(across[1], across[0])])


def state_quad(state: Floats) -> Floats:
    """The inverse of `quad_state`."""
    half = np.exp(state[2]) / 2
    x = half * np.array([np.cos(state[3]), np.sin(state[3])])
    y = np.array([-x[1], x[0]])
    return state[:2] + np.stack([-x - y, -x + y, x + y, x - y])


def _alpha(cutoff: Floats | float, elapsed: float) -> Floats | float:
    return 1 / (1 + 1 / (2 * np.pi * cutoff * elapsed))
