"""What GPU back ends share: the device, its faults, and the copies of a batch to and from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.backends.outputs import HostOutputs
from engines.backends.protocol import BackendError, EngineOutput, NoDeviceError, one_line

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork


class Buffers:
    """Host memory (page-locked for a GPU, so that copies run without a detour) and device memory.

    Attributes:
        crops: uint8 [max_batch, S, S, 3] on the device.
        outputs: each result of the network, [max_batch, ...] on the device, in its order.
    """

    def __init__(self, network: ToonNetwork, max_batch: int, device: torch.device) -> None:
        side, pinned = network.input_size, device.type == "cuda"
        crops = torch.empty((max_batch, side, side, 3), dtype=torch.uint8, pin_memory=pinned)
        self._crops, self.crops = crops, torch.empty_like(crops, device=device, pin_memory=False)
        self._results = HostOutputs(network, max_batch, pinned=pinned)
        self.outputs = [
            torch.empty_like(tensor, device=device, pin_memory=False)
            for tensor in self._results.tensors
        ]
        # A blocking event lets the core do other work while the GPU draws; a spin would burn it.
        self._done = torch.cuda.Event(blocking=True) if pinned else None

    def upload(self, crops: NDArray[np.uint8]) -> None:
        """Queues the copy of `crops` into the first rows of `self.crops`."""
        n = len(crops)
        np.copyto(self._crops.numpy()[:n], crops)
        self.crops[:n].copy_(self._crops[:n], non_blocking=True)

    def fill(self, results: tuple[Tensor, ...], start: int = 0) -> None:
        """Queues the copy of a network's results into `self.outputs`, from row `start` on."""
        for output, result in zip(self.outputs, results, strict=True):
            output[start : start + len(result)].copy_(result)

    def download(self, n: int) -> EngineOutput:
        """Queues the copy of the first `n` results to the host, waits, and puts them together."""
        for host, device in zip(self._results.tensors, self.outputs, strict=True):
            host[:n].copy_(device[:n], non_blocking=True)
        if self._done is not None:
            self._done.record()
            self._done.synchronize()
        return self._results.engine_output(n)

    def follow(self, network: ToonNetwork) -> None:
        """Hand out from now on what another network of the same architecture draws."""
        self._results.follow(network)


@contextmanager
def gpu_faults(backend: str) -> Iterator[None]:
    """Turn a GPU's failure into one sentence, so that `auto` moves on; bugs of the program pass.

    Raises:
        BackendError: for whatever torch, a compiler or the driver raises about the GPU.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise BackendError(
            f"{backend} needs more memory than the GPU has free: close other programs, lower "
            "max_batch, or choose openvino."
        ) from error
    except (RuntimeError, torch.cuda.DeferredCudaCallError) as error:  # the base of all the rest
        raise BackendError(
            f"{backend} failed on this GPU: update the driver and torch together, or choose "
            f"openvino ({one_line(error)})."
        ) from error


def require_cuda(backend: str) -> torch.device:
    """The CUDA device in use.

    Raises:
        NoDeviceError: when torch has no CUDA, or finds no GPU.
    """
    if not torch.backends.cuda.is_built():
        raise NoDeviceError(
            f"{backend} needs a CUDA build of torch, but this one is {torch.__version__}: install "
            "torch for CUDA from pytorch.org, or choose openvino."
        )
    if not torch.cuda.is_available():
        raise NoDeviceError(
            f"{backend} needs an NVIDIA GPU, but torch finds none: check the driver with "
            "nvidia-smi, or choose openvino."
        )
    return torch.device("cuda", torch.cuda.current_device())
