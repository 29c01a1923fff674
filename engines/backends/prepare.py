"""The network as back ends take it: a private copy, kernels ready, in the precision asked for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork


def prepared(
    network: ToonNetwork, precision: str, device: torch.device | str = "cpu"
) -> ToonNetwork:
    """A copy of `network` for inference in fp32 or fp16 on `device`; the original is left alone.

    In fp16 the encoder and every synthesis block above 4x4 compute in half precision, while
    styles, demodulation and the skip picture stay in single, as in NVIDIA's release.
    """
    half = precision == "fp16"
    twin = copy.deepcopy(network).eval().requires_grad_(False)
    twin.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    twin.encoder.to(torch.float16 if half else torch.float32)
    twin.synthesis.use_half(len(twin.synthesis.config.resolutions) if half else 0)
    twin.synthesis.freeze()
    return twin


def load_weights(twin: ToonNetwork, weights: dict[str, Tensor]) -> None:
    """Copy `weights` into the existing memory of a prepared network, kernels included."""
    with torch.no_grad():
        for name, tensor in twin.state_dict().items():
            tensor.copy_(weights[name])
        twin.synthesis.freeze()


class CastFirst(nn.Module):
    """`network` with its uint8 input cast before anything else.

    TensorRT takes a uint8 input only if a cast reads it first.
    """

    def __init__(self, network: ToonNetwork, precision: str) -> None:
        super().__init__()
        self.network = network
        self.dtype = torch.float16 if precision == "fp16" else torch.float32
        self.eval()

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """`crops`: uint8 [N, S, S, 3]; returns what the network returns."""
        outputs: tuple[Tensor, ...] = self.network(crops.to(self.dtype))
        return outputs


def example_crops(network: ToonNetwork, batch: int, device: str = "cpu") -> Tensor:
    """Mid-grey crops to trace or warm up with: uint8 [batch, S, S, 3]."""
    size = network.input_size
    return torch.full((batch, size, size, 3), 128, dtype=torch.uint8, device=device)
