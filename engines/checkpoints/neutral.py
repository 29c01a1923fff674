"""The form that every checkpoint is converted to: a StyleGAN2 generator under NVIDIA's names.

Names and shapes, with C(r) channels at resolution r (weights unscaled; gains apply at run time):

    mapping.fc{i}.weight [w_dim, z_dim or w_dim], .bias [w_dim]; mapping.w_avg [w_dim]
    synthesis.b4.const [C(4), 4, 4]
    synthesis.b{r}.conv0.weight [C(r), C(r/2), 3, 3] (absent at 4x4)
    synthesis.b{r}.conv1.weight [C(r), C(r), 3, 3]
    synthesis.b{r}.torgb.weight [3, C(r), 1, 1]
    of each of these layers: .bias [out], .affine.weight [in, w_dim], .affine.bias [in]
    of each convolution, in models with noise: .noise_const [r, r], .noise_strength []
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import torch

from engines.errors import ToonifyError
from engines.networks.sizes import MAX_LAYERS, MAX_WIDTH, RESOLUTIONS

SourceFormat = Literal["nvidia-pytorch", "nvidia-tf", "rosinality", "psp", "safetensors"]

W_AVG = "mapping.w_avg"
_HEADS = {"todetail": 16, "tomask": 1, "tophoto": 1}  # how many channels each reads off a block
_OWN_ADDITIONS = {"inject": ("weight", "gate"), **dict.fromkeys(_HEADS, ("weight", "bias"))}


class CheckpointError(ToonifyError):
    """A file that cannot be read as a StyleGAN2 generator, and why, in one sentence."""


@dataclass(frozen=True)
class NeutralCheckpoint:
    """A generator read from a file.

    Attributes:
        state: neutral name -> float32 tensor, contiguous, on the CPU; complete and finite, with
            shapes that fit together.
        source: the format that the file had.
        conv_clamp: activations were clamped to +- this value in training; None for no clamp.
        w_avg_estimated: the file holds no mean latent, so it was estimated from random ones.
        notes: what a user should know about this file, one sentence each.
    """

    state: dict[str, torch.Tensor]
    source: SourceFormat
    conv_clamp: float | None
    w_avg_estimated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def resolution(self) -> int:
        """Side of the generator's pictures in pixels."""
        return resolution_of(self.state)

    @property
    def w_dim(self) -> int:
        """Length of one latent w."""
        return self.state[W_AVG].shape[0]


def layers(resolution: int) -> Iterator[tuple[int, str]]:
    """(r, "conv0" | "conv1" | "torgb") of every modulated layer, from 4x4 up."""
    for r in RESOLUTIONS[: RESOLUTIONS.index(resolution) + 1]:
        yield from (
            (r, layer) for layer in ("conv0", "conv1", "torgb") if (r, layer) != (4, "conv0")
        )


def noise_index(r: int, layer: str) -> int:
    """Which noise buffer (`noise{i}`, `noises.noise_{i}`) other formats give to a convolution."""
    return 0 if r == 4 else 2 * r.bit_length() - (7 if layer == "conv0" else 6)


def neutral_names(resolution: int, mapping_layers: int, *, noise: bool = True) -> Iterator[str]:
    """Every tensor of a generator without encoder features, `mapping.w_avg` included."""
    for i in range(mapping_layers):
        yield from (f"mapping.fc{i}.weight", f"mapping.fc{i}.bias")
    yield W_AVG
    yield "synthesis.b4.const"
    for r, layer in layers(resolution):
        tensors = ["weight", "bias", "affine.weight", "affine.bias"]
        if noise and layer != "torgb":
            tensors += ["noise_const", "noise_strength"]
        yield from (f"synthesis.b{r}.{layer}.{tensor}" for tensor in tensors)


def resolution_of(names: Collection[str]) -> int:
    """The highest block, which must end an unbroken row from 4x4.

    Raises:
        CheckpointError: no blocks, a gap, or more than 1024 px.
    """
    found = {int(m[1]) for n in names if (m := re.match(r"synthesis\.b(\d{1,5})\.", n))}
    row = [r for r in RESOLUTIONS if r <= max(found, default=0)]
    if len(row) < 2 or set(row) != found:
        raise CheckpointError(
            "expected StyleGAN2 blocks 4, 8, 16, ... up to at most 1024, "
            f"found {sorted(found)[:12] or 'none'}"
        )
    return row[-1]


def collect(
    names: Collection[str], fetch: Callable[[str], torch.Tensor], *, need_w_avg: bool = True
) -> dict[str, torch.Tensor]:
    """Fetches a generator's tensors by neutral name, in neutral order.

    Args:
        names: the neutral names for which the file holds a tensor.
        fetch: neutral name -> tensor, any float type.
        need_w_avg: whether a file without the mean latent is incomplete.

    Raises:
        CheckpointError: a tensor is missing.
    """
    resolution = resolution_of(names)
    count = sum(f"mapping.fc{i}.weight" in names for i in range(MAX_LAYERS))
    noise = "synthesis.b4.conv1.noise_strength" in names
    state = {}
    for name in neutral_names(resolution, count, noise=noise):
        if name not in names:
            if name == W_AVG and not need_w_avg:
                continue
            raise CheckpointError(
                f"expected a complete StyleGAN2 generator with skip outputs, but {name} is missing"
            )
        tensor = fetch(name)
        if not tensor.is_floating_point():
            raise CheckpointError(f"{name} holds integers where weights were expected")
        state[name] = tensor.to(torch.float32).contiguous()
    return state


def check_state(state: Mapping[str, torch.Tensor]) -> None:
    """Refuses a state that is not one complete generator whose shapes fit together.

    Our own generators' gates and heads (`inject`, `todetail`, `tomask`, `tophoto`) may be there.

    Raises:
        CheckpointError: naming the tensor.
    """
    resolution = resolution_of(state)
    count = sum(f"mapping.fc{i}.weight" in state for i in range(MAX_LAYERS))
    noise = "synthesis.b4.conv1.noise_strength" in state
    additions = _additions(state, resolution)
    names = list(neutral_names(resolution, count, noise=noise))
    names += [f"synthesis.b{r}.{part}.{p}" for r, part in additions for p in _OWN_ADDITIONS[part]]
    if missing := [name for name in names if name not in state]:
        raise CheckpointError(f"expected a complete StyleGAN2 generator, {missing[0]} is missing")
    if odd := sorted(state.keys() - set(names)):
        raise CheckpointError(f"{odd[0]!r:.80} does not belong to a StyleGAN2 generator")
    shapes = chain(_shapes(state, resolution, count, noise), _addition_shapes(state, additions))
    for name, shape in shapes:
        if tuple(state[name].shape) != shape or max(shape, default=0) > MAX_WIDTH:
            raise CheckpointError(
                f"{name} should be {list(shape)} (at most {MAX_WIDTH}) to fit the other tensors, "
                f"found {list(state[name].shape)}"
            )
    for name, tensor in state.items():
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{name} holds values that are not finite numbers")


def _additions(names: Collection[str], resolution: int) -> list[tuple[int, str]]:
    """(r, part) of every one of our own additions; heads are read from one block each."""
    found = [
        (r, part)
        for r in RESOLUTIONS[: RESOLUTIONS.index(resolution) + 1]
        for part in _OWN_ADDITIONS
        if f"synthesis.b{r}.{part}.weight" in names
    ]
    for part in _HEADS:
        if len(blocks := [r for r, other in found if other == part]) > 1:
            raise CheckpointError(f"{part} should be in one block, found it in {blocks}")
    return found


def _addition_shapes(
    state: Mapping[str, torch.Tensor], additions: Iterable[tuple[int, str]]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """As `_shapes`, for blocks that passed it; a gate's feature map may have any channels."""
    for r, part in additions:
        prefix = f"synthesis.b{r}.{part}"
        channels, weight = state[f"synthesis.b{r}.conv1.weight"].shape[0], state[f"{prefix}.weight"]
        if part == "inject":
            inputs = weight.shape[1] if weight.dim() == 4 else 1
            yield f"{prefix}.weight", (channels, max(inputs, 1), 1, 1)
            yield f"{prefix}.gate", (channels,)
        else:
            yield f"{prefix}.weight", (_HEADS[part], channels, 1, 1)
            yield f"{prefix}.bias", (_HEADS[part],)


def _shapes(
    state: Mapping[str, torch.Tensor], resolution: int, mapping_layers: int, noise: bool
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The shape each tensor must have, given w_dim, z_dim and the channels the file declares."""

    def first(name: str) -> int:
        return state[name].shape[0] if state[name].dim() else 0

    w_dim = first(W_AVG)
    yield W_AVG, (w_dim,)
    for i in range(mapping_layers):
        weight = state[f"mapping.fc{i}.weight"]
        inputs = weight.shape[1] if i == 0 and weight.dim() == 2 else w_dim
        yield f"mapping.fc{i}.weight", (w_dim, inputs)
        yield f"mapping.fc{i}.bias", (w_dim,)
    channels = first("synthesis.b4.const")
    yield "synthesis.b4.const", (channels, 4, 4)
    for r, layer in layers(resolution):
        prefix, inputs = f"synthesis.b{r}.{layer}", channels
        if layer == "conv0":
            channels = first(f"{prefix}.weight")
        outputs, kernel = (3, 1) if layer == "torgb" else (channels, 3)
        yield f"{prefix}.weight", (outputs, inputs, kernel, kernel)
        yield f"{prefix}.bias", (outputs,)
        yield f"{prefix}.affine.weight", (inputs, w_dim)
        yield f"{prefix}.affine.bias", (inputs,)
        if noise and layer != "torgb":
            yield f"{prefix}.noise_const", (r, r)
            yield f"{prefix}.noise_strength", ()


def unused_note(names: Iterable[str]) -> tuple[str, ...]:
    """What to say about a generator's tensors that have no place in ours."""
    unused = sorted(names)
    if not unused:
        return ()
    return (f"{len(unused)} tensors that StyleGAN2 does not have were skipped: {unused[0]!r:.60}.",)


def check_filter(name: str, taps: torch.Tensor) -> None:
    """Refuses a resampling filter other than StyleGAN2's, `[1, 3, 3, 1] x [1, 3, 3, 1]` / sum.

    Args:
        taps: [4, 4] of any gain, or [4].
    """
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    expected = torch.outer(line, line) if taps.dim() == 2 else line
    if taps.shape == expected.shape and taps.is_floating_point():
        scale = taps.float().sum() / expected.sum()
        if bool(scale > 0) and torch.allclose(taps.float() / scale, expected, atol=1e-3):
            return
    raise CheckpointError(f"{name} is not StyleGAN2's filter [1, 3, 3, 1], the only one supported")
