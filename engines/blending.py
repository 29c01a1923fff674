"""Layer swapping: two StyleGAN2 generators become one, layer by layer.

Pinkney and Adler, "Resolution Dependent GAN Interpolation" (arXiv 2010.05334). Two generators
fine-tuned from one base share their latent space, so their parameters can be mixed,
`p = (1 - a) * p_face + a * p_toon`, with a weight `a` that depends on the layer.

Layers are counted by *position*, two per resolution r: `2 * (log2 r - 2)` for conv0 (at 4x4: the
learned constant) and one more for conv1 and ToRGB.

The mapping network, `w_avg` and the noise buffers always stay the face model's: latents are the
face model's, and the mean of two noise images is a weaker noise. A blend of strength 0 is therefore
the face model, bit for bit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch

from engines.errors import ToonifyError, UsageError

_FOLLOWS = dict.fromkeys(("inject", "todetail", "tomask", "tophoto", "finish", "fovea"), "conv1")
_LAYER = re.compile(rf"synthesis\.b(\d+)\.(const|conv0|conv1|torgb|{'|'.join(_FOLLOWS)})\b")
_SAME_SPACE = 0.5
"""Least cosine between two `w_avg` of one latent space; unrelated models are near 0, fine-tuned
ones near 1."""


class BlendError(ToonifyError):
    """A blend that cannot be made: a bad setting, or two models that do not fit."""


class SpecError(BlendError, UsageError):
    """A setting that is never valid, or not at the models' resolution."""


@dataclass(frozen=True)
class BlendSpec:
    """Which model each layer comes from.

    Attributes:
        swap_resolution: the first resolution of the other model, a power of two from 4 to 1024;
            None takes the whole synthesis network from the toon model.
        level: where in that resolution the swap begins: before "conv0" (at 4x4: the constant) or
            before "conv1" (with its ToRGB).
        low: the model of the layers below the swap. "toon" gives the toon's head shape and big eyes
            with the face model's rendering; "face" keeps the face's structure under the toon's
            light and texture.
        width: 0 is a hard step; above 0, in positions, the weight of the upper model is
            `1 / (1 + exp(-(position - swap) / width))`.
        weights: one toon weight in 0..1 per w index (14 at 256 px); replaces the four settings
            above. The constant goes with w index 0.
        strength: 0..1, multiplies every toon weight.
        published_quirk: reproduces the published script, whose hard step lands one resolution above
            `swap_resolution` and which leaves mapping, w_avg, noise buffers and the convolution at
            4x4 to the `low` model.

    Raises:
        SpecError: a value is out of its range, or two of them exclude each other.
    """

    swap_resolution: int | None = 16
    level: Literal["conv0", "conv1"] = "conv0"
    low: Literal["toon", "face"] = "toon"
    width: float = 0.0
    weights: tuple[float, ...] | None = None
    strength: float = 1.0
    published_quirk: bool = False

    def __post_init__(self) -> None:
        r = self.swap_resolution
        if r is not None and r not in {2**k for k in range(2, 11)}:
            raise SpecError(f"swap_resolution must be a power of two from 4 to 1024, not {r!r}.")
        if self.level not in ("conv0", "conv1"):
            raise SpecError(f'level must be "conv0" or "conv1", not {self.level!r}.')
        if self.low not in ("toon", "face"):
            raise SpecError(f'low must be "toon" or "face", not {self.low!r}.')
        if not (math.isfinite(self.width) and self.width >= 0):
            raise SpecError(f"width must be 0 (a hard step) or above, not {self.width!r}.")
        if not 0 <= self.strength <= 1:
            raise SpecError(f"strength must lie in 0..1, not {self.strength!r}.")
        if self.weights is not None and not all(0 <= weight <= 1 for weight in self.weights):
            raise SpecError(f"weights must all lie in 0..1, not {self.weights!r}.")
        if self.published_quirk and (self.weights is not None or r is None):
            raise SpecError("published_quirk needs a swap_resolution and no weights of its own.")


def layer_weights(spec: BlendSpec, resolution: int) -> dict[str, float]:
    """The toon's share of every layer of a generator of `resolution` px, in layer order.

    Returns:
        `{"mapping": 0.0, "noise": 0.0, "b4.const": 1.0, "b4.conv1": 1.0, "b4.torgb": 1.0,
        "b8.conv0": ...}`: 0 is the face model, 1 the toon model. "mapping" includes w_avg, "noise"
        is the noise buffers; both are 0 except under `published_quirk`.

    Raises:
        SpecError: the spec does not fit this resolution.
    """
    blocks = [2**k for k in range(2, int(math.log2(resolution)) + 1)]
    layers = [
        (r, layer) for r in blocks for layer in (("const" if r == 4 else "conv0"), "conv1", "torgb")
    ]
    if spec.weights is not None:
        num_ws = 2 * len(blocks)
        if len(spec.weights) != num_ws:
            raise SpecError(
                f"weights must have one value per w index, {num_ws} at {resolution} px, "
                f"not {len(spec.weights)}."
            )
        shares = [spec.weights[_w_index(r, layer)] for r, layer in layers]
    elif spec.swap_resolution is None:
        shares = [1.0] * len(layers)
    else:
        if spec.swap_resolution > resolution:
            raise SpecError(
                f"swap_resolution {spec.swap_resolution} lies above the models' {resolution} px; "
                "choose a lower one, or none to take every layer from the toon."
            )
        shares = [_share(spec, _position(r, layer)) for r, layer in layers]
    weights = {
        f"b{r}.{layer}": spec.strength * a for (r, layer), a in zip(layers, shares, strict=True)
    }
    untouched = spec.strength if spec.published_quirk and spec.low == "toon" else 0.0
    if spec.published_quirk:
        weights["b4.conv1"] = untouched
    return {"mapping": untouched, "noise": untouched, **weights}


def blend(
    face: Mapping[str, torch.Tensor], toon: Mapping[str, torch.Tensor], spec: BlendSpec
) -> dict[str, torch.Tensor]:
    """Mixes two generators' state dicts (neutral names, see `engines.checkpoints`).

    A tensor that comes wholly from one model is that model's own tensor, not a copy. A caller who
    changes a blend while running only needs to load the tensors that are not the same object. Gates
    and heads (`synthesis.b{r}.inject.*`, `.todetail.*`, `.finish.*` and the like) go with conv1 of
    their block, which features enter and the others are read from.

    Returns:
        a new dict in the face model's order.

    Raises:
        BlendError: the models differ in a tensor's presence or shape, or come from different
            bases, or the spec does not fit their resolution.
    """
    check_compatible(face, toon)
    resolution = max(int(match[1]) for name in face if (match := _LAYER.match(name)))
    weights = layer_weights(spec, resolution)
    return {name: _mix(p, toon[name], weights[_layer_of(name)]) for name, p in face.items()}


def check_compatible(face: Mapping[str, torch.Tensor], toon: Mapping[str, torch.Tensor]) -> None:
    """Check that both generators can share one set of latents.

    They need the same tensors, the same shapes and, where both have learned a mean latent, the same
    base: models fine-tuned from one base keep nearly the same `mapping.w_avg`.

    Raises:
        BlendError: naming the tensor that differs.
    """
    if alone := face.keys() ^ toon.keys():
        name = min(alone)
        owner, other = ("face", "toon") if name in face else ("toon", "face")
        raise BlendError(f"The models differ: {name} is in the {owner} model, not in the {other}.")
    for name, p in face.items():
        if p.shape != toon[name].shape:
            raise BlendError(
                f"The models differ: {name} is {list(p.shape)} in the face model "
                f"and {list(toon[name].shape)} in the toon model."
            )
        if not (name.startswith("mapping.") or _LAYER.match(name)):
            raise BlendError(f"{name} is not a tensor of a StyleGAN2 generator; pass only those.")
    if not any(_LAYER.match(name) for name in face):
        raise BlendError("The models hold no synthesis layers; expected StyleGAN2 generators.")
    if (name := "mapping.w_avg") in face:
        a, b = face[name].double().flatten(), toon[name].double().flatten()
        norms = float(a.norm() * b.norm())
        if norms > 0 and float(a @ b) < _SAME_SPACE * norms:
            raise BlendError(
                f"The models do not share a latent space: their {name} differ (cosine "
                f"{float(a @ b) / norms:.2f}); blend models fine-tuned from one base."
            )


def _position(resolution: int, layer: str) -> int:
    return 2 * (resolution.bit_length() - 3) + (layer not in ("const", "conv0"))


def _w_index(resolution: int, layer: str) -> int:
    if layer == "const":
        return 0
    return 2 * resolution.bit_length() - 7 + ("conv0", "conv1", "torgb").index(layer)


def _share(spec: BlendSpec, position: int) -> float:
    """The toon's share at `position` of a swap, before `strength` applies."""
    assert spec.swap_resolution is not None
    x = position - _position(spec.swap_resolution, spec.level)
    if spec.width > 0:
        upper = 0.5 * (1 + math.tanh(0.5 * x / spec.width))  # the logistic, safe from overflow
    else:
        upper = float(x > 1 if spec.published_quirk else x >= 0)
    return upper if spec.low == "face" else 1 - upper


def _layer_of(name: str) -> str:
    """The key of `layer_weights` that holds for a tensor."""
    match = _LAYER.match(name)
    if match is None:
        return "mapping"
    if name.endswith(".noise_const"):
        return "noise"
    return f"b{match[1]}.{_FOLLOWS.get(match[2], match[2])}"


def _mix(face: torch.Tensor, toon: torch.Tensor, weight: float) -> torch.Tensor:
    if weight in (0.0, 1.0) or face is toon:
        return toon if weight == 1.0 else face
    return torch.lerp(face, toon, weight)


def toon_draws_eyes(spec: BlendSpec, resolution: int) -> bool:
    """Whether a blend shows the toon's eyes: its layers decide both their place and their look."""
    shares = layer_weights(spec, resolution)
    decisive = [share for name, share in shares.items() if re.match(r"b(32|64|128|256)\.", name)]
    return min(decisive, default=1.0) > 0.5 and spec.strength > 0.5
