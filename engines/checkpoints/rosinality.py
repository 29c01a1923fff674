"""Files of rosinality's stylegan2-pytorch and of the pSp and e4e encoders built on it.

Converted files are `{g_ema, latent_avg, ...}`; training files have no `latent_avg`, and carry
optimisers and options that are never looked at. pSp and e4e files hold such a generator under
`decoder.`.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from engines.checkpoints.tensors import TensorReader
from engines.networks.sizes import MAX_LAYERS, RESOLUTIONS

_NOISE_SEED = 0


def is_rosinality(root: object) -> bool:
    """Whether a torch file's value has a generator's place of this family."""
    return isinstance(root, dict) and any(key in root for key in ("g_ema", "g", "state_dict"))


def read_rosinality(root: dict[Any, Any], reader: TensorReader) -> NeutralCheckpoint:
    """The averaged generator `g_ema` (else `g`), or a pSp or e4e file's decoder.

    Raises:
        CheckpointError: no complete StyleGAN2 generator in there.
    """
    notes: list[str] = []
    encoder = "g_ema" not in root and "g" not in root
    key = "state_dict" if encoder else "g_ema" if "g_ema" in root else "g"
    tensors = _state_dict(root[key], key)
    if encoder:
        tensors = {n[8:]: value for n, value in tensors.items() if n.startswith("decoder.")}
    if key == "g":
        notes.append("It has no averaged generator (g_ema), so g was read.")
    if "input.input" not in tensors:
        raise CheckpointError(
            f"expected a StyleGAN2 generator under {'decoder.' if encoder else key!r}, "
            "but there is no learned constant (input.input)"
        )
    filters = {n for n in tensors if n.endswith((".blur.kernel", ".upsample.kernel"))}
    for name in sorted(filters):
        check_filter(name, reader.tensor(tensors[name]))

    sources = {new: (old, drop) for new, old, drop in _table() if old in tensors}
    used = {old for old, _ in sources.values()}
    notes += unused_note(tensors.keys() - filters - used)
    names = set(sources)
    if not any(new.endswith(".noise_const") for new in names):
        notes.append(
            "It keeps no noise, so its layers use fixed noise drawn here; details of its pictures "
            "may differ a little."
        )
        strengths = {n.removesuffix("_strength") for n in names if n.endswith(".noise_strength")}
        names |= {f"{noise}_const" for noise in strengths}
    average = _latent_avg(root.get("latent_avg"), reader, notes)
    if average is not None:
        names.add(W_AVG)
    random = torch.Generator().manual_seed(_NOISE_SEED)

    def fetch(name: str) -> torch.Tensor:
        if name == W_AVG and average is not None:
            return average
        if name not in sources:
            r = int(name.split(".")[1][1:])
            return torch.randn(r, r, generator=random)
        old, drop = sources[name]
        tensor = reader.tensor(tensors[old])
        if tensor.dim() < drop or any(n != 1 for n in tensor.shape[:drop]):
            raise CheckpointError(f"{old} should begin with {drop} dimensions of 1")
        tensor = tensor.reshape(tensor.shape[drop:])
        return tensor.flatten() if name.endswith("torgb.bias") else tensor

    return NeutralCheckpoint(
        state=collect(names, fetch, need_w_avg=False),
        source="psp" if encoder else "rosinality",
        conv_clamp=None,
        notes=tuple(notes),
    )


def _table() -> Iterator[tuple[str, str, int]]:
    """(neutral name, name here, how many leading dimensions of 1 it has here)."""
    for i in range(MAX_LAYERS):
        yield f"mapping.fc{i}.weight", f"style.{i + 1}.weight", 0
        yield f"mapping.fc{i}.bias", f"style.{i + 1}.bias", 0
    yield "synthesis.b4.const", "input.input", 1
    for r, layer in layers(RESOLUTIONS[-1]):
        k = r.bit_length() - 4  # 0 at 8x8
        if layer == "torgb":
            old = "to_rgb1" if r == 4 else f"to_rgbs.{k}"
        else:
            old = "conv1" if r == 4 else f"convs.{2 * k + (layer == 'conv1')}"
        new = f"synthesis.b{r}.{layer}"
        yield f"{new}.weight", f"{old}.conv.weight", 1
        yield f"{new}.affine.weight", f"{old}.conv.modulation.weight", 0
        yield f"{new}.affine.bias", f"{old}.conv.modulation.bias", 0
        if layer == "torgb":
            yield f"{new}.bias", f"{old}.bias", 1
        else:
            yield f"{new}.bias", f"{old}.activate.bias", 0
            yield f"{new}.noise_strength", f"{old}.noise.weight", 1
            yield f"{new}.noise_const", f"noises.noise_{noise_index(r, layer)}", 2


def _state_dict(value: object, key: str) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise CheckpointError(f"{key!r} should be a dict of tensors, not {describe(value)}")
    return value


def _latent_avg(value: object, reader: TensorReader, notes: list[str]) -> torch.Tensor | None:
    """`latent_avg` [w_dim], [1, w_dim] or one row per w index, as [w_dim]."""
    if not isinstance(value, Record):
        return None
    average = reader.tensor(value)
    if average.dim() == 2 and average.shape[0] > 0:
        if not bool((average == average[0]).all()):
            notes.append("Its mean latent differs from layer to layer, so their mean was taken.")
            return average.mean(dim=0)
        return average[0]
    return average
