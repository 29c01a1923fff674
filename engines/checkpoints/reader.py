"""One entry for every format: a path in, a checked generator out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import safetensors
import torch

from engines.checkpoints.containers import load_torch
from engines.checkpoints.neutral import (
    W_AVG,
    CheckpointError,
    NeutralCheckpoint,
    check_state,
)
from engines.checkpoints.nvidia import is_nvidia, read_nvidia
from engines.checkpoints.records import Allowance, Global, describe
from engines.checkpoints.rosinality import is_rosinality, read_rosinality
from engines.checkpoints.tensorflow import is_tensorflow, read_tensorflow
from engines.checkpoints.tensors import TensorReader
from engines.errors import ToonifyError, reason
from engines.networks.generator import Mapping
from engines.networks.generator_config import GeneratorConfig
from engines.networks.sizes import MAX_CLAMP
from engines.text import plain

_MAX_REASON = 300
_MAX_FILE = 4 * 2**30
_LATENTS, _LEAST_LATENTS, _LATENTS_AT_ONCE = 16384, 1024, 128
_LATENT_COST = 4 * _LATENTS * 8 * 512**2  # multiplications; four times a usual mapping network's
_LATENT_SEED = 0
_DEFAULT_CLAMP = 256.0
_USUAL_PACKAGES = (
    "argparse", "collections", "dnnlib", "numpy", "pathlib", "torch", "torch_utils", "training",
)  # fmt: skip
_USUAL_GLOBALS = {
    *("_codecs.encode", "copyreg._reconstructor", "copy_reg._reconstructor"),
    *(
        f"{module}.{name}"
        for module in ("builtins", "__builtin__")
        for name in ("object", "set", "frozenset", "list", "dict", "tuple", "slice", "complex",
                     "bytearray", "range", "int", "float", "bool", "str", "bytes")
    ),
}  # fmt: skip


def read_checkpoint(
    path: str | Path, progress: Callable[[float], None] = lambda share: None
) -> NeutralCheckpoint:
    """Reads a StyleGAN2 generator from any supported file, running and importing nothing from it.

    Supported: NVIDIA `.pkl` of stylegan2-ada-pytorch, stylegan3 (its StyleGAN2 models) and the
    TensorFlow stylegan2; rosinality `.pt`, converted or from training, in either torch container;
    pSp and e4e files (their decoder); safetensors with neutral names. The format is told by
    content, not by the file's name.

    Args:
        path: the file.
        progress: told the share that is done of the mean latent's estimate, for a file without one.

    Raises:
        CheckpointError: one sentence that names the file and says what was expected and found.
    """
    path = Path(path)
    try:
        return _read(path, progress)
    except ToonifyError as error:
        why = plain(error, _MAX_REASON).rstrip(".")
        raise CheckpointError(f"{path} cannot be read as a StyleGAN2 generator: {why}.") from error


def _read(path: Path, progress: Callable[[float], None]) -> NeutralCheckpoint:
    try:
        if not path.is_file():
            raise CheckpointError("there is no such file")
        size = path.stat().st_size
        if not 64 <= size <= _MAX_FILE:
            raise CheckpointError(f"it has {size} bytes; expected 64 to {_MAX_FILE}")
        with path.open("rb") as file:
            head = file.read(9)
            if head.lstrip().startswith(b"<"):
                raise CheckpointError("it is a web page; the download went wrong, fetch it again")
            safe = head[8:] == b"{" and int.from_bytes(head[:8], "little") < size
            checkpoint = _read_safetensors(path) if safe else _read_pickled(file, size)
    except OSError as error:
        raise CheckpointError(f"the system refuses it ({reason(error)})") from error
    if W_AVG not in checkpoint.state:
        checkpoint = _with_estimated_average(checkpoint, progress)
    check_state(checkpoint.state)
    GeneratorConfig.from_state(checkpoint.state, conv_clamp=checkpoint.conv_clamp)
    return checkpoint


def _read_pickled(file: BinaryIO, size: int) -> NeutralCheckpoint:
    allowance = Allowance(data=3 * size)  # nested container, its storage, the tensor
    root = load_torch(file, size, allowance)
    reader = TensorReader(allowance)
    if is_nvidia(root):
        checkpoint = read_nvidia(root, reader)
    elif is_tensorflow(root):
        checkpoint = read_tensorflow(root, reader)
    elif is_rosinality(root):
        checkpoint = read_rosinality(root, reader)
    else:
        raise CheckpointError(
            "expected an NVIDIA .pkl (G_ema, or a tuple of TensorFlow networks), a rosinality .pt "
            f"(g_ema), a pSp or e4e .pt (state_dict) or a .safetensors, found {describe(root)}"
        )
    if strange := sorted(str(name) for name in allowance.globals if not _usual(name)):
        warning = (
            f"The file names {', '.join(f'{name!r:.60}' for name in strange[:3])}, which weights "
            "have no use for; nothing of it was run, but prefer a source that you trust."
        )
        checkpoint = dataclasses.replace(checkpoint, notes=(*checkpoint.notes, warning))
    return checkpoint


def _usual(name: Global) -> bool:
    """Whether honest files mention this; decides about a warning only."""
    return name.module.split(".")[0] in _USUAL_PACKAGES or str(name) in _USUAL_GLOBALS


def _read_safetensors(path: Path) -> NeutralCheckpoint:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, ValueError) as error:
        raise CheckpointError("its safetensors header or data is damaged") from error
    if odd := [name for name, tensor in state.items() if not tensor.is_floating_point()]:
        raise CheckpointError(f"{odd[0]!r:.80} holds integers where weights were expected")
    text = metadata.get("conv_clamp", str(_DEFAULT_CLAMP))
    try:
        clamp = None if text == "none" else float(text)
    except ValueError:
        clamp = -1.0
    if clamp is not None and not 0 < clamp < MAX_CLAMP:
        raise CheckpointError('its conv_clamp is neither "none" nor a positive number')
    state = {name: tensor.to(torch.float32).contiguous() for name, tensor in state.items()}
    return NeutralCheckpoint(state=state, source="safetensors", conv_clamp=clamp)


def _with_estimated_average(
    checkpoint: NeutralCheckpoint, progress: Callable[[float], None]
) -> NeutralCheckpoint:
    """Adds `mapping.w_avg` as the mean of the mapping of 16384 random latents.

    Wide mapping networks get fewer, so that none takes minutes; the error of the mean is then up to
    3 % of the latents' deviation instead of 1 %.
    """
    affine = checkpoint.state["synthesis.b4.conv1.affine.weight"]
    if affine.dim() != 2:
        raise CheckpointError("synthesis.b4.conv1.affine.weight should have two dimensions")
    state = {**checkpoint.state, W_AVG: torch.zeros(affine.shape[1])}
    check_state(state)
    config = GeneratorConfig.from_state(state)
    if not config.mapping_layers:  # nothing maps latents, so there is no mean to estimate
        return dataclasses.replace(checkpoint, state=state)
    mapping = Mapping(config)
    prefix = "mapping."
    mapping.load_state_dict(
        {name.removeprefix(prefix): p for name, p in state.items() if name.startswith(prefix)}
    )
    each = sum(parameter.numel() for parameter in mapping.parameters())
    count = max(_LEAST_LATENTS, min(_LATENTS, _LATENT_COST // each))
    z = torch.randn(count, config.z_dim, generator=torch.Generator().manual_seed(_LATENT_SEED))
    total = torch.zeros(config.w_dim, dtype=torch.float64)
    with torch.no_grad():
        for start in range(0, count, _LATENTS_AT_ONCE):
            progress(start / count)
            total += mapping(z[start : start + _LATENTS_AT_ONCE]).double().sum(dim=0)
    state[W_AVG] = (total / count).float()
    note = "It has no mean latent, so it was estimated from random ones; truncation depends on it."
    return dataclasses.replace(
        checkpoint, state=state, w_avg_estimated=True, notes=(*checkpoint.notes, note)
    )
