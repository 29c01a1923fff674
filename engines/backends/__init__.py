"""Back ends that run a toon network: TensorRT for RTX, TensorRT, CUDA graphs, OpenVINO and torch.

engine = create_engine(bundle.network("film"))     # the fastest one that runs here, and says so
toons, masks, *_ = engine.run(crops)               # uint8 [N, S, S, 3] RGB, [N, M, M]
engine.update(bundle.network("comic"))             # between two frames, without a gap
"""

from __future__ import annotations

from engines.backends.cache import CachedEngine, cache_directory, clear_engines, list_engines
from engines.backends.protocol import BackendError, Engine, EngineOutput
from engines.backends.registry import (
    BACKENDS,
    BuildStep,
    BuiltEngine,
    build_engines,
    create_engine,
)

__all__ = [
    "BACKENDS",
    "BackendError",
    "BuildStep",
    "BuiltEngine",
    "CachedEngine",
    "Engine",
    "EngineOutput",
    "build_engines",
    "cache_directory",
    "clear_engines",
    "create_engine",
    "list_engines",
]
