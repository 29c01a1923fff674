"""The fastest of a back end's devices: measured for a second, and remembered.

A device that fails is told in a sentence and left out; then nothing is remembered, so that the next
start tries it, and tells it, again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from statistics import median
from typing import TypeVar

import numpy as np

from engines.backends.cache import CacheWriteError
from engines.backends.keys import EngineKey
from engines.backends.protocol import BackendError, Engine, PrecisionError
from engines.backends.request import EngineRequest

E = TypeVar("E", bound=Engine)

SECONDS = 1.0
"""For how long all devices together are measured."""
FEWEST_RUNS = 3


def fastest(
    request: EngineRequest,
    backend: str,
    version: str,
    devices: Mapping[str, str],
    create: Callable[[EngineRequest], E],
) -> E:
    """A warm engine on the device that draws a face in the least time.

    Args:
        request: what to make; its variant is replaced by a device.
        backend: name of the back end, for messages and for what is remembered.
        version: of the library that computes.
        devices: device -> what it is, with its driver; a change there is measured again.
        create: makes an engine on the device named by `variant`.

    Raises:
        BackendError: none of them runs, with every reason.
    """
    left, key = list(devices), _key(request, backend, version, devices)
    kept = (request.cache.load(key) or b"").decode(errors="replace")
    skipped: list[str] = []
    broken: list[str] = []

    def start(device: str) -> E | None:
        try:
            return create(replace(request, variant=device))
        except BackendError as error:
            skipped.append(f"{backend}:{device} skipped: {error}")
            request.say(skipped[-1])
            if not isinstance(error, PrecisionError):  # which the device will never have
                broken.append(device)
            return None

    if kept in left:
        if engine := start(kept):
            return engine
        request.cache.drop(key)
        left.remove(kept)
    if len(left) > 1:
        request.say(f"Starting {backend} on {' and '.join(left)} once, to keep the fastest.")
    timed: dict[str, float] = {}
    best: E | None = None
    for device in left:
        if (engine := start(device)) is None:
            continue
        seconds = _seconds_a_face(engine, SECONDS / len(left))
        if best is None or seconds <= min(timed.values()):
            best, engine = engine, best
        timed[device] = seconds
        if engine is not None:  # the slower one
            engine.close()
    if best is None:
        raise BackendError(f"No device of {backend} runs here. {' '.join(skipped)}")
    if len(timed) > 1:
        times = ", ".join(f"{seconds * 1e3:.3g} ms on {name}" for name, seconds in timed.items())
        request.say(f"A face takes {times}.")
    if not broken:
        with suppress(CacheWriteError):  # measured again at the next start
            request.cache.store(key, min(timed, key=lambda name: timed[name]).encode())
    return best


def _seconds_a_face(engine: Engine, seconds: float) -> float:
    """Median time of one crop, over at least `FEWEST_RUNS` runs."""
    crop = np.zeros((1, engine.input_size, engine.input_size, 3), np.uint8)
    times: list[float] = []
    while len(times) < FEWEST_RUNS or sum(times) < seconds:
        before = time.perf_counter()
        engine.run(crop)
        times.append(time.perf_counter() - before)
    return median(times)


def _key(
    request: EngineRequest, backend: str, version: str, devices: Mapping[str, str]
) -> EngineKey:
    """Weights do not change the time, so that another style is not measured again."""
    architecture = hashlib.sha256(repr(request.network).encode()).hexdigest()
    return EngineKey(
        model=architecture,
        backend=f"{backend}-choice",
        version=version,
        target="; ".join(f"{device}: {about}" for device, about in devices.items()),
        shape=f"1x{request.network.input_size}x{request.network.input_size}x3",
        precision=request.precision or "own choice",
    )
