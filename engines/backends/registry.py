"""The list of back ends: one asked for by name runs or fails, `auto` tries them in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from engines.backends.cache import EngineCache
from engines.backends.protocol import BackendError, BackendNameError, Engine, NoDeviceError
from engines.backends.remote import address
from engines.backends.request import Backend, EngineRequest
from engines.say import Say, details_wanted, say

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

BACKENDS = {
    "tensorrt-rtx": "engines.backends.rtx",
    "tensorrt": "engines.backends.torch_tensorrt",
    "cuda": "engines.backends.cuda_graphs",
    "openvino": "engines.backends.openvino",
    "torch": "engines.backends.torch_eager",
}
"""Name -> module, in the order in which `auto` tries them: the fastest first."""

AUTO_VARIANTS = {"openvino": "auto"}
"""Name -> the variant that `auto` asks for, where it is not the back end's own choice."""

BY_NAME = {"remote": "engines.backends.remote.engine"}
"""Name -> module of those that `auto` never takes, because they send crops to another machine."""

PREBUILT = ("tensorrt-rtx", "tensorrt", "openvino")
"""The back ends that keep engines on disk."""


def check_name(name: str) -> None:
    """Refuse what is neither `auto` nor a back end, with or without a variant.

    A remote one needs its server's address.

    Raises:
        BackendNameError: when there is no such back end.
    """
    backend, _, variant = name.partition(":")
    if name != "auto" and backend not in (*BACKENDS, *BY_NAME):
        raise BackendNameError(
            f"There is no back end {name!r}: choose auto or {', '.join(BACKENDS)}, or "
            f"{address.FORM}."
        )
    if backend == address.NAME:
        address.parse(variant)


def create_engine(
    network: ToonNetwork,
    name: str = "auto",
    *,
    precision: str | None = None,
    max_batch: int = 4,
    cache_dir: Path | None = None,
    say: Say = say,
    calibration: NDArray[np.uint8] | None = None,
) -> Engine:
    """Make `network` ready to run, and say on which back end.

    Args:
        network: on the CPU in float32; the engine keeps its own copy.
        name: `auto`, or a back end, which may carry a device or target after a colon:
            `openvino:gpu`, `openvino:auto` (the fastest one), `torch:cpu`, `tensorrt-rtx:sm89`;
            `remote:HOST:PORT` sends the crops to a server.
        precision: fp32, fp16, bf16 or int8; None takes the fastest the back end is good at.
        max_batch: the most crops of one call.
        cache_dir: where engines are kept (see `cache_directory`).
        say: takes one line for each back end skipped although its kind of device is there, and
            one for the one that runs.
        calibration: uint8 [K, S, S, 3] RGB aligned faces, needed for int8 only.

    Raises:
        BackendError: the named back end cannot run here; another one is never taken instead.
    """
    check_name(name)
    backend, _, variant = name.partition(":")
    request = EngineRequest(
        network, variant, precision, max_batch, EngineCache(cache_dir), say, calibration
    )
    if max_batch < 1:
        raise BackendError(f"max_batch must be 1 or more, not {max_batch}.")
    engine = _first_that_runs(request) if name == "auto" else _backend(backend).create(request)
    say(
        f"Running on {engine.name}: {engine.device}, {engine.precision}, "
        f"ready in {engine.build_seconds:.1f} s."
    )
    return engine


def _first_that_runs(request: EngineRequest) -> Engine:
    reasons = []
    for name in BACKENDS:
        try:
            variant = AUTO_VARIANTS.get(name, "")
            return _backend(name).create(replace(request, variant=variant))
        except BackendError as error:
            reasons.append(f"{name} skipped: {error}")
            if details_wanted() or not isinstance(error, NoDeviceError):
                request.say(reasons[-1])
    raise BackendError("No back end runs here. " + " ".join(reasons))


def _backend(name: str) -> Backend:
    return cast("Backend", import_module({**BACKENDS, **BY_NAME}[name]))


@dataclass(frozen=True)
class BuildStep:
    """How far `build_engines` has come.

    Attributes:
        name: the back end as it was asked for.
        fraction: 0..1 of this engine.
    """

    name: str
    stage: str
    fraction: float


@dataclass(frozen=True)
class BuiltEngine:
    """One engine that is now in the cache.

    Attributes:
        size: bytes on disk.
        built: whether it was built now; False when it was in the cache.
    """

    name: str
    path: Path
    size: int
    seconds: float
    built: bool


def build_engines(
    network: ToonNetwork,
    names: Sequence[str],
    *,
    precision: str | None = None,
    max_batch: int = 4,
    cache_dir: Path | None = None,
    say: Say = say,
    progress: Callable[[BuildStep], None] = lambda step: None,
    calibration: NDArray[np.uint8] | None = None,
) -> list[BuiltEngine]:
    """Build engines ahead of time, so that no build interrupts a call.

    Args:
        names: back ends, with a device or target after a colon where they take one; those of
            `tensorrt-rtx` (ampere+, sm75, sm80, sm86, sm89, sm120) need no GPU.
        progress: takes every step of every build.

    The other arguments are those of `create_engine`, and must be the same for the engine to be
    found later.

    Raises:
        BackendError: an engine cannot be built here; those before it are in the cache.
        BackendNameError: a name is not a back end that is built ahead.
    """
    engines = []
    for name in names:
        backend, _, variant = name.partition(":")
        if backend not in PREBUILT:
            known = backend in (*BACKENDS, *BY_NAME)
            what = "starts without a build" if known else "is no back end to build"
            raise BackendNameError(f"{backend} {what}: name one of {', '.join(PREBUILT)}.")

        def step(stage: str, fraction: float, name: str = name) -> None:
            progress(BuildStep(name, stage, fraction))

        request = EngineRequest(
            network,
            variant,
            precision,
            max_batch,
            EngineCache(cache_dir),
            say,
            calibration,
            step,
        )
        start = time.perf_counter()
        path, built = _backend(backend).prebuild(request)
        step("done", 1.0)
        seconds = time.perf_counter() - start
        engines.append(BuiltEngine(name, path, path.stat().st_size, seconds, built))
    return engines
