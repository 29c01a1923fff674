"""NVIDIA's PyTorch pickles: stylegan2-ada-pytorch, and StyleGAN2 models of stylegan3.

Each network is `torch_utils.persistence._reconstruct_persistent_obj(meta)`, where `meta` carries
the source code of its class (which NVIDIA's loader executes, and this one never looks at) and the
module's `__dict__`. Architecture is read from tensors and layers, not from the constructor's
arguments, whose defaults differ between releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engines.checkpoints.neutral import (
    CheckpointError,
    NeutralCheckpoint,
    check_filter,
    collect,
    unused_note,
)
from engines.checkpoints.records import Record, describe
from engines.checkpoints.tensors import TensorReader, as_scalar
from engines.networks.sizes import MAX_CLAMP

_PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
_MAX_MODULES = 1024
_MAX_ENTRIES = 256
_MAX_DEPTH = 8


def read_nvidia(root: dict[Any, Any], reader: TensorReader) -> NeutralCheckpoint:
    """The generator in a pickled dict of networks: `G_ema`, or `G` if there is no average.

    Raises:
        CheckpointError: not a StyleGAN2 generator, or one this software has no network for.
    """
    key = next(key for key in ("G_ema", "G") if root.get(key) is not None)
    modules = _modules(root[key])
    tensors = {
        f"{path}.{name}" if path else name: value
        for path, state in modules.items()
        for group in ("_parameters", "_buffers")
        for name, value in _mapping(state.get(group), group).items()
        if value is not None
    }
    if "synthesis.b4.const" not in tensors:
        raise CheckpointError(
            "expected a StyleGAN2 generator, found another network (StyleGAN3 and plain GANs have "
            "no learned 4x4 constant)"
        )
    if "mapping.embed" in modules:
        raise CheckpointError("it is a class-conditional generator; only unconditional ones work")
    for path, state in modules.items():
        _check_layer(path, state)
    for name, value in tensors.items():
        if name.endswith(".resample_filter"):
            check_filter(name, reader.tensor(value))
    state = collect(tensors.keys(), lambda name: reader.tensor(tensors[name]))
    notes = unused_note(
        name for name in tensors if name not in state and not name.endswith(".resample_filter")
    )
    if key == "G":
        notes += ("It has no averaged generator (G_ema), so G was read.",)
    return NeutralCheckpoint(
        state=state,
        source="nvidia-pytorch",
        conv_clamp=_conv_clamp(modules),
        notes=notes,
    )


def is_nvidia(root: object) -> bool:
    """Whether a pickle's value is a dict of persistent networks."""
    return isinstance(root, dict) and any(
        isinstance(network := root.get(key), Record) and network.calls(_PERSISTENT)
        for key in ("G_ema", "G")
    )


def _modules(network: object) -> dict[str, Mapping[Any, Any]]:
    """Dotted path -> `__dict__` of every module inside `network`, itself at ""."""
    found: dict[str, Mapping[Any, Any]] = {}
    waiting: list[tuple[str, object, int]] = [("", network, 0)]
    for _ in range(_MAX_MODULES):
        if not waiting:
            return found
        path, module, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            break
        state = found[path] = _state(module)
        for name, child in _mapping(state.get("_modules"), "_modules").items():
            if child is not None:
                waiting.append((f"{path}.{name}" if path else name, child, depth + 1))
    raise CheckpointError("its modules are nested without end")


def _state(module: object) -> Mapping[Any, Any]:
    """A module's `__dict__`, of a persistent object or of a plain one."""
    state: object = None
    if isinstance(module, Record):
        state = module.state
        if module.calls(_PERSISTENT) and module.args:
            meta = module.args[0]
            meta = meta.entries if isinstance(meta, Record) else meta
            state = meta.get("state") if isinstance(meta, dict) else None
    if not isinstance(state, dict):
        raise CheckpointError(f"expected a network's module, found {describe(module)}")
    return state


def _mapping(value: object, what: str) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise CheckpointError(f"a module's {what} should be a dict of names, not {describe(value)}")
    if len(value) > _MAX_ENTRIES:
        raise CheckpointError(f"a module's {what} has {len(value)} entries, which is absurd")
    if odd := [name for name in value if not name or "." in name]:
        raise CheckpointError(f"a module's {what} has the name {odd[0]!r:.40}, which torch forbids")
    return value


def _check_layer(path: str, state: Mapping[Any, Any]) -> None:
    """Refuses settings that our network does not have and shapes do not show."""
    expected: dict[str, object] = {}
    if path.startswith("mapping.fc"):
        expected = {"activation": "lrelu", "bias_gain": 0.01}
    elif path.endswith((".conv0", ".conv1")):
        expected = {"activation": "lrelu"}
    elif path.startswith("synthesis.b") and "." not in path.removeprefix("synthesis."):
        expected = {"architecture": "skip"}
    for name, value in expected.items():
        found = as_scalar(state.get(name, value))
        if found != value:
            shown = found if isinstance(found, str | int | float) else describe(found)
            raise CheckpointError(f"{path} has {name} {shown!r:.40}; only {value!r} is supported")


def _conv_clamp(modules: Mapping[str, Mapping[Any, Any]]) -> float | None:
    """The clamp that all layers share; absent where none has one."""
    found = [
        as_scalar(state.get("conv_clamp"))
        for path, state in modules.items()
        if path.endswith((".conv0", ".conv1", ".torgb"))
    ]
    if all(clamp is None for clamp in found):
        return None
    clamp = found[0]
    if type(clamp) in (int, float) and all(other == clamp for other in found):
        assert isinstance(clamp, int | float)
        if 0 < clamp < MAX_CLAMP:
            return float(clamp)
    raise CheckpointError("its layers do not share one activation clamp (conv_clamp)")
