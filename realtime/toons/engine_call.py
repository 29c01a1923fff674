"""The engine's part of a drawing: crops in, toons out."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.backends import Engine
from engines.errors import ToonifyError
from engines.finish import Finish
from engines.pictures import Image, Mask
from realtime.frame import as_uint8


class StylizerError(ToonifyError):
    """The engine did not give one toon for each crop."""


class EngineToon(NamedTuple):
    """What the engine gives for one crop.

    Attributes:
        image: the toon, uint8 [R, R, 3] BGR.
        head: where its head is, uint8 [M, M], or None for an engine without masks.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`; None for an engine that does
            not say.
        finish: what its style wants done to it.
    """

    image: Image
    head: Mask | None
    plan: NDArray[np.float32] | None
    finish: Finish


def run_engine(engine: Engine, crops: list[Image]) -> list[EngineToon]:
    """Toons of crops, in as few calls as the engine's batches allow.

    Args:
        engine: draws them.
        crops: uint8 [S, S, 3] BGR each.

    Raises:
        StylizerError: the engine returned something other than one toon per crop.
    """
    drawn: list[EngineToon] = []
    batch = np.stack([cv2.cvtColor(crop, cv2.COLOR_BGR2RGB) for crop in crops], dtype=np.uint8)
    for start in range(0, len(batch), engine.max_batch):
        part = batch[start : start + engine.max_batch]
        images, masks, plans, finish = engine.run(part)
        side = engine.output_size
        if images.shape != (len(part), side, side, 3) or images.dtype != np.uint8:
            raise StylizerError(
                f"Expected {len(part)} toons uint8 [{side}, {side}, 3] from the engine "
                f"{engine.name}, found {images.dtype} {list(images.shape)}."
            )
        for i, image in enumerate(images):  # copies: the engine draws into the same memory
            toon = as_uint8(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            head = None if masks is None else masks[i].copy()
            plan = None if plans is None else plans[i].copy()
            drawn.append(EngineToon(toon, head, plan, finish))
    return drawn
