"""An engine of a compiled back end that builds new weights beside the running ones and swaps them.

Compilers bake weights into the program, so an update builds a second one in a background thread
while the first keeps running. Then one reference changes, and the next `run` uses it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.backends.protocol import (
    CLOSED,
    BackendError,
    EngineOutput,
    check_crops,
    check_same_shape,
    one_line,
)
from engines.errors import ToonifyError
from engines.say import Say

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork


class Program(Protocol):
    """One compiled program with its weights, ready to run."""

    device: str
    precision: str

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        """Toons of crops that were already checked."""
        ...

    def close(self) -> None:
        """Free what the program holds; it is not running and will not run again."""
        ...


class SwappingEngine:
    """Runs a `Program` and replaces it when the weights change.

    Args:
        name: the back end.
        network: what runs first; built before the constructor returns.
        build: network -> program; called again for every update, in its own thread.
        max_batch: the largest batch a program takes.
        say: told when an update failed and the running weights stay.
    """

    def __init__(
        self,
        name: str,
        network: ToonNetwork,
        build: Callable[[ToonNetwork], Program],
        max_batch: int,
        say: Say,
    ) -> None:
        self.name, self.max_batch = name, max_batch
        self.input_size, self.output_size = network.input_size, network.output_size
        start = time.perf_counter()
        self._program: Program | None = build(network)
        self.build_seconds = time.perf_counter() - start
        self.device, self.precision = self._program.device, self._program.precision
        self._network, self._build, self._say = network, build, say
        self._changed = threading.Condition()
        self._running = threading.Lock()
        self._next: ToonNetwork | None = None
        self._builder: threading.Thread | None = None
        self._closed = False

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        check_crops(crops, self.input_size, self.max_batch)
        with self._running:
            if self._program is None:
                raise BackendError(CLOSED)
            return self._program.run(crops)

    def update(self, network: ToonNetwork) -> None:
        """Start building `network` and return at once; if several wait, the last one wins."""
        check_same_shape(self._network, network)
        with self._changed:
            if self._closed:
                raise BackendError(CLOSED)
            self._next = network
            if self._builder is None:
                self._builder = threading.Thread(target=self._build_waiting, daemon=True)
                self._builder.start()

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until no update is being built; False when `timeout` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(lambda: self._builder is None, timeout)

    def close(self) -> None:
        with self._changed:
            self._closed, self._next = True, None
        self._swap(None)

    def _build_waiting(self) -> None:
        while True:
            with self._changed:
                network, self._next = self._next, None
                if network is None or self._closed:
                    self._builder = None
                    self._changed.notify_all()
                    return
            try:
                program = self._build(network)
            except Exception as error:  # whatever a compiler throws, the running engine continues
                reason = error if isinstance(error, ToonifyError) else one_line(error)
                self._say(
                    f"{self.name}: the new style could not be built, the old one stays: {reason}"
                )
                continue
            with self._changed:
                self._network = network
            self._swap(program)

    def _swap(self, program: Program | None) -> None:
        """Replace the running program by `program`; after `close`, close it instead."""
        with self._running:
            late = program if self._closed else None
            old, self._program = self._program, None if self._closed else program
        for unused in (old, late):
            if unused is not None:
                unused.close()
