"""NVIDIA's TensorFlow pickles (stylegan2 of 2019, stylegan2-ada): a tuple `(G, D, Gs)`.

Each is a `dnnlib.tflib.network.Network` whose state has `variables`, `components` and the source of
its build function (never looked at). Convolutions are stored [kh, kw, in, out]; those that
up-sample are flipped; the style bias is stored without its initial 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from engines.checkpoints.neutral import (
    W_AVG,
    CheckpointError,
    NeutralCheckpoint,
    check_filter,
    collect,
    layers,
    noise_index,
    unused_note,
)
from engines.checkpoints.records import Record, describe
from engines.checkpoints.tensors import TensorReader, as_scalar
from engines.networks.sizes import MAX_CLAMP, MAX_LAYERS, RESOLUTIONS

_NETWORK = "dnnlib.tflib.network.Network"
_MAX_NETWORKS = 64
_MAX_ENTRIES = 4096
_SUPPORTED: dict[str, object] = {
    "label_size": 0,
    "num_channels": 3,
    "architecture": "skip",
    "nonlinearity": "lrelu",
    "mapping_nonlinearity": "lrelu",
    "mapping_lrmul": 0.01,
    "normalize_latents": True,
}

Transform = Callable[[torch.Tensor], torch.Tensor]


def is_tensorflow(root: object) -> bool:
    """Whether a pickle's value is a tuple of TensorFlow networks."""
    return (
        isinstance(root, tuple)
        and len(root) == 3
        and all(isinstance(network, Record) and network.calls(_NETWORK) for network in root)
    )


def read_tensorflow(root: tuple[Record, ...], reader: TensorReader) -> NeutralCheckpoint:
    """The averaged generator `Gs`.

    Raises:
        CheckpointError: not StyleGAN2 with skip outputs (configs a to d are not), or not complete.
    """
    variables, settings = _contents(root[2])
    if any("ToRGB_lod" in name for name in variables):
        raise CheckpointError(
            "it is a StyleGAN1 or StyleGAN2 config a-d model (ToRGB_lod); expected config e or f"
        )
    for name, value in _SUPPORTED.items():
        found = as_scalar(settings.get(name, value))
        if found != value:
            shown = found if isinstance(found, str | int | float) else describe(found)
            raise CheckpointError(f"it was built with {name} {shown!r:.40}; only {value!r} works")
    if (taps := settings.get("resample_kernel")) is not None:
        line = [as_scalar(tap) for tap in taps] if isinstance(taps, list) else []
        plain = all(isinstance(tap, int | float) and abs(tap) < 1e6 for tap in line)
        check_filter("resample_kernel", torch.tensor(line if plain else [], dtype=torch.float32))

    sources = {new: (old, how) for new, old, how in _table() if old in variables}
    if "synthesis.b4.const" not in sources:
        raise CheckpointError("expected a StyleGAN2 generator, found another TensorFlow network")

    def fetch(name: str) -> torch.Tensor:
        old, how = sources[name]
        tensor = reader.tensor(variables[old])
        try:
            return how(tensor)
        except (RuntimeError, IndexError) as error:
            raise CheckpointError(f"{old} has the wrong number of dimensions") from error

    clamp = as_scalar(settings.get("conv_clamp"))
    if clamp is not None and not (isinstance(clamp, int | float) and 0 < clamp < MAX_CLAMP):
        raise CheckpointError("its conv_clamp is not a positive number")
    used = {old for old, _ in sources.values()}
    return NeutralCheckpoint(
        state=collect(sources.keys(), fetch),
        source="nvidia-tf",
        conv_clamp=None if clamp is None else float(clamp),
        notes=unused_note(name for name in variables if name not in used),
    )


def _contents(network: Record) -> tuple[dict[str, object], Mapping[Any, Any]]:
    """Every variable under its full name, and the settings the generator was built with."""
    variables: dict[str, object] = {}
    settings: dict[Any, Any] = {}
    waiting: list[tuple[str, object]] = [("", network)]
    for seen in range(_MAX_NETWORKS + 1):
        if not waiting:
            return variables, settings
        if seen == _MAX_NETWORKS:
            break
        prefix, part = waiting.pop()
        state = part.state if isinstance(part, Record) and part.calls(_NETWORK) else None
        if not isinstance(state, dict) or not isinstance(state.get("variables"), list):
            raise CheckpointError(f"expected a TensorFlow network, found {describe(part)}")
        kwargs, children = (_entries(state.get(key)) for key in ("static_kwargs", "components"))
        if max(len(state["variables"]), len(kwargs), len(children)) > _MAX_ENTRIES:
            raise CheckpointError("a network has thousands of entries, which is absurd")
        version = state.get("version")
        if type(version) is not int or version < 4:
            raise CheckpointError("its networks are of a version before 4, older than StyleGAN2")
        for pair in state["variables"]:
            if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str):
                raise CheckpointError("a network's list of variables is damaged")
            variables[prefix + pair[0]] = pair[1]
        settings.update(kwargs)
        for name, child in children.items():
            waiting.append((f"{prefix}{name}/", child))
    raise CheckpointError("its networks are nested without end")


def _entries(value: object) -> dict[Any, Any]:
    """A dict or an `EasyDict`, which is a dict with another name."""
    if isinstance(value, Record):
        return value.entries
    return value if isinstance(value, dict) else {}


def _table() -> Iterator[tuple[str, str, Transform]]:
    """(neutral name, TensorFlow name, transform) for every tensor a generator may have."""
    yield W_AVG, "dlatent_avg", _same
    for i in range(MAX_LAYERS):
        yield f"mapping.fc{i}.weight", f"mapping/Dense{i}/weight", torch.t
        yield f"mapping.fc{i}.bias", f"mapping/Dense{i}/bias", _same
    yield "synthesis.b4.const", "synthesis/4x4/Const/const", lambda p: p[0]
    for r, layer in layers(RESOLUTIONS[-1]):
        old_layer = {"conv0": "Conv0_up", "conv1": "Conv1", "torgb": "ToRGB"}[layer]
        old = f"synthesis/{r}x{r}/{'Conv' if (r, layer) == (4, 'conv1') else old_layer}"
        new = f"synthesis.b{r}.{layer}"
        yield f"{new}.weight", f"{old}/weight", _flipped if layer == "conv0" else _convolution
        yield f"{new}.bias", f"{old}/bias", _same
        yield f"{new}.affine.weight", f"{old}/mod_weight", torch.t
        yield f"{new}.affine.bias", f"{old}/mod_bias", lambda p: p + 1
        if layer != "torgb":
            noise = f"synthesis/noise{noise_index(r, layer)}"
            yield f"{new}.noise_const", noise, lambda p: p[0, 0]
            yield f"{new}.noise_strength", f"{old}/noise_strength", _same


def _same(p: torch.Tensor) -> torch.Tensor:
    return p


def _convolution(p: torch.Tensor) -> torch.Tensor:
    return p.permute(3, 2, 0, 1)


def _flipped(p: torch.Tensor) -> torch.Tensor:
    return p.flip(0, 1).permute(3, 2, 0, 1)
