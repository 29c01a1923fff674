"""What to train on, and what several processes must agree about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engines.errors import ToonifyError

PRECISIONS = ("32-true", "bf16-mixed")


@dataclass(frozen=True)
class Hardware:
    """What to train on, in Lightning Fabric's words.

    Attributes:
        device: "auto", "cpu" or "cuda".
        devices: how many of them, or "auto" for all.
        precision: "32-true" or "bf16-mixed"; FP16's loss scale would not survive a checkpoint.

    Raises:
        ToonifyError: another precision.
    """

    device: str = "auto"
    devices: int | str = 1
    precision: str = "bf16-mixed"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ToonifyError(
                f"Training runs in {' or '.join(PRECISIONS)}, not in {self.precision!r}; choose "
                f"one of those."
            )

    def launch(self, seed: int) -> Any:
        """Start a Lightning Fabric, with torch's random numbers set to `seed`.

        Raises:
            ToonifyError: when there is no such device.
        """
        from lightning_fabric import Fabric, seed_everything

        # Growing leaves the highest blocks idle, and the mapping network is on no training path.
        several: Any = "auto" if self.devices in (1, "1") else "ddp_find_unused_parameters_true"
        precision: Any = self.precision
        try:
            fabric = Fabric(
                accelerator=self.device,
                devices=self.devices,
                precision=precision,
                strategy=several,
            )
        except (RuntimeError, ValueError, TypeError) as error:
            raise ToonifyError(
                f"Training cannot start on {self.devices} x {self.device!r} in {self.precision} "
                f"({str(error).splitlines()[0]}); try --device cpu --precision 32-true."
            ) from error
        fabric.launch()
        seed_everything(seed, verbose=False)
        return fabric


def agreed(fabric: Any, stop: bool) -> bool:
    """The first process decides for all, so that none waits for one that has left."""
    return stop if fabric.world_size == 1 else bool(fabric.broadcast(stop))


def rng_for_rank(rng: np.random.Generator, rank: int) -> np.random.Generator:
    """`rng` for the first process; far ahead on its sequence for every other one."""
    bits: Any = rng.bit_generator
    return np.random.Generator(bits.jumped(rank)) if rank else rng
