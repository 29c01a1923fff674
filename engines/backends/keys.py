"""What a built engine was made of: the key under which the cache keeps it."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import metadata, resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork


@dataclass(frozen=True)
class EngineKey:
    """Everything that decides whether a built engine may be used again.

    Attributes:
        model: `model_hash` of the network.
        version: versions of everything outside this project that built it.
        target: GPU compute capability, or the CPU with its instruction set.
        shape: shapes of the crops, such as 1..4x256x256x3.
    """

    model: str
    backend: str
    version: str
    target: str
    shape: str
    precision: str

    @property
    def digest(self) -> str:
        canonical = json.dumps(asdict(self), sort_keys=True).encode()
        return hashlib.sha256(canonical).hexdigest()[:32]


def model_hash(network: ToonNetwork) -> str:
    """sha256 (hex) over the weights, the architecture and the code that builds engines."""
    digest = hashlib.sha256(_code())
    # The module tree does not show everything in the config, such as the clamp.
    sizes = [getattr(module, "config", None) for module in network.modules()]
    digest.update(f"{network!r} {sizes}".encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()


@functools.cache  # an upgrade on disk does not change the code that this process runs
def _code() -> bytes:
    """sha256 over the code that makes networks and their engines."""
    digest = hashlib.sha256(metadata.version("toonify-live").encode())
    for package in ("engines.networks", "engines.backends"):
        for source in sorted(resources.files(package).iterdir(), key=lambda item: item.name):
            if source.name.endswith(".py"):
                digest.update(source.read_bytes())
    return digest.digest()
