"""Engines that draw next to nothing, for tests of what is done with a drawing."""

from __future__ import annotations

import cv2
import numpy as np

from engines.backends import EngineOutput
from engines.networks.toon import ToonNetwork


class Inverter:
    """An engine whose toon is the crop with its red inverted, and whose head is known."""

    name, device, precision, build_seconds = "inverter", "cpu", "fp32", 0.0
    input_size = output_size = 128

    def __init__(self, max_batch: int = 4, masks: bool = True) -> None:
        self.max_batch = max_batch
        self.batches: list[int] = []
        self._masks = masks
        self._head = np.zeros((128, 128), np.uint8)
        cv2.ellipse(self._head, (64, 60), (40, 52), 0, 0, 360, 255, cv2.FILLED)

    def run(self, crops: np.ndarray) -> EngineOutput:
        assert crops.dtype == np.uint8
        assert crops.flags.c_contiguous
        self.batches.append(len(crops))
        toons = crops.copy()
        toons[..., 0] = 255 - toons[..., 0]
        return EngineOutput(toons, np.stack([self._head] * len(crops)) if self._masks else None)

    def update(self, network: ToonNetwork) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Planner(Inverter):
    """Takes all detail from where the photo has it."""

    def run(self, crops: np.ndarray) -> EngineOutput:
        images, masks, *_ = super().run(crops)
        plan = np.zeros((len(crops), 3, 16, 16), np.float32)
        plan[:, 2] = 1
        return EngineOutput(images, masks, plan)
