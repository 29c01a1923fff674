"""A network's results, put together into toons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.protocol import EngineOutput

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork


class HostOutputs:
    """Memory for the results of one batch, and the toons that are made of them.

    Attributes:
        arrays: each result of the network, [max_batch, ...], in the network's order.
        finish: as the network that runs now wants it.
    """

    def __init__(self, network: ToonNetwork, max_batch: int, *, pinned: bool = False) -> None:
        outputs = network.outputs
        self.tensors = [
            torch.empty((max_batch, *output.shape), dtype=output.dtype, pin_memory=pinned)
            for output in outputs
        ]
        self.arrays: list[NDArray] = [tensor.numpy() for tensor in self.tensors]
        self._by_name = dict(zip((output.name for output in outputs), self.arrays, strict=True))
        self._bands = [(name, *box) for name, box in network.band_boxes.items()]
        self.follow(network)
        side = network.output_size
        self._whole = np.empty((max_batch, side, side, 3), np.uint8) if self._bands else None

    def follow(self, network: ToonNetwork) -> None:
        """Hand out from now on what another network of the same architecture draws."""
        self.finish = network.finish

    def engine_output(self, n: int) -> EngineOutput:
        """The first `n` toons."""
        results = {name: array[:n] for name, array in self._by_name.items()}
        toons: NDArray[np.uint8] = results["toons"]
        if self._whole is not None:
            for i in range(n):
                self._assemble(i, toons[i], self._whole[i])
            toons = self._whole[:n]
        return EngineOutput(toons, results.get("masks"), results.get("details"), self.finish)

    def _assemble(self, i: int, toon: NDArray[np.uint8], whole: NDArray[np.uint8]) -> None:
        """The toon at twice its side, with its eyes and mouth as they were drawn at that side."""
        cv2.resize(toon, whole.shape[1::-1], dst=whole, interpolation=cv2.INTER_LINEAR)
        for name, rows, columns in self._bands:
            whole[rows, columns] = self._by_name[name][i]
