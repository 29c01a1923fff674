"""What a back end is asked for, as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.backends.cache import EngineCache
from engines.backends.protocol import Engine, PrecisionError
from engines.say import Say

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

BuildProgress = Callable[[str, float], None]
"""Takes the stage of a build in words and the fraction (0..1) of the whole that is done."""


@dataclass(frozen=True)
class EngineRequest:
    """One engine to make.

    Attributes:
        network: float32, on the CPU.
        variant: what followed the back end's name after a colon: a device (`openvino:gpu`) or a
            target to build for (`tensorrt-rtx:sm89`); empty for the back end's own choice.
        precision: fp32, fp16, bf16 or int8; None for the back end's own choice.
        max_batch: crops in one call, at most.
        cache: engines on disk.
        say: takes one line for the user.
        calibration: uint8 [K, S, S, 3] RGB aligned faces that int8 is calibrated on.
        progress: takes the stages of a build.
    """

    network: ToonNetwork
    variant: str
    precision: str | None
    max_batch: int
    cache: EngineCache
    say: Say
    calibration: NDArray[np.uint8] | None = None
    progress: BuildProgress = lambda stage, fraction: None

    def choose_precision(self, backend: str, offered: tuple[str, ...]) -> str:
        """The precision asked for, or the first one offered.

        Raises:
            PrecisionError: when the one asked for is not offered.
        """
        if self.precision is None:
            return offered[0]
        if self.precision not in offered:
            raise PrecisionError(
                f"{backend} runs {' or '.join(offered)} here, not {self.precision}: choose one of "
                "those or another back end."
            )
        return self.precision

    @property
    def shape(self) -> str:
        """The shapes an engine must take, as part of a cache key."""
        size = self.network.input_size
        return f"1..{self.max_batch}x{size}x{size}x3"


class Prebuilt(NamedTuple):
    """An engine in the cache: where it is, and whether it was built just now."""

    path: Path
    built: bool


class Backend(Protocol):
    """What a back end's module offers."""

    def create(self, request: EngineRequest) -> Engine:
        """Make a warm engine.

        Raises:
            BackendError: saying why it cannot run here.
        """
        ...

    def prebuild(self, request: EngineRequest) -> Prebuilt:
        """Put the engine into the cache without running it (only back ends that compile)."""
        ...
