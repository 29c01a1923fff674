"""Tiny data and models on which a training step takes milliseconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import LID_POINTS
from engines.networks.encoder import EncoderConfig
from engines.pictures import Image
from engines.training.hardware import Hardware
from engines.training.learn.models import ModelSize
from engines.training.learn.runs import Deadline
from engines.training.own.shape import Floats
from engines.training.pairs.pair_set import PairSet

CPU = Hardware("cpu", 1, "32-true")


class StopAfter(Deadline):
    """Time that is up after some steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def passed(self) -> bool:
        self.left -= 1
        return self.left <= 0


def smooth_pictures(count: int, side: int, seed: int = 0) -> NDArray[np.uint8]:
    """Random colours without edges: uint8 [count, side, side, 3]."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (count, 5, 5, 3), dtype=np.uint8)
    return np.stack(
        [cv2.resize(x, (side, side), interpolation=cv2.INTER_CUBIC) for x in small]
    ).astype(np.uint8)


def tiny_pairs(count: int = 10, side: int = 32, seed: int = 0) -> PairSet:
    """Photos, and toons that are the photos with their colours turned round."""
    photo = smooth_pictures(count, side, seed)
    rng = np.random.default_rng(seed)
    landmarks = rng.uniform(0.3, 0.7, (count, 478, 2)).astype(np.float32) * side
    head = np.zeros((count, side, side), np.uint8)
    head[:, side // 4 : -side // 4, side // 4 : -side // 4] = 255
    warp = (rng.uniform(-0.03, 0.03, (count, 1, 1, 2)) * np.ones((1, 64, 64, 1))).astype(np.float16)
    weight = np.full(count, 1 / count)
    return PairSet(photo, 255 - photo[..., ::-1], head, landmarks, warp, weight)


def grey_pairs(side: int) -> PairSet:
    """Photos and toons alike, grey and unmoved: what is done to them shows."""
    pairs = tiny_pairs(side=side)
    grey = np.full_like(pairs.photo, 128)
    return replace(pairs, photo=grey, toon=grey, warp=np.zeros_like(pairs.warp))


def small_people(
    portraits: Image, measured: dict[str, Floats], count: int, side: int
) -> tuple[Image, Floats]:
    """People: uint8 [count, side, side, 3] and their landmarks float32 [count, 478, 2], 1 = their
    side; of the fixtures `small_portraits` and `measured_faces`."""
    size = (side, side)
    photos = [cv2.resize(photo, size, interpolation=cv2.INTER_AREA) for photo in portraits[:count]]
    points = (measured["people"][:count, :, :2] / 512).astype(np.float32)
    return np.stack(photos).astype(np.uint8), points


def write_pairs(pairs: PairSet, folder: Path) -> Path:
    """A folder as `PairSet.open` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("photo", "toon", "head", "landmarks", "warp", "weight"):
        np.save(folder / f"{name}.npy", getattr(pairs, name))
    return folder


def tiny_size(side: int = 32) -> ModelSize:
    """Every feature of the shipped model in a few thousand weights; from 64 px on, a fovea, too."""
    stages = side.bit_length() - 4
    encoder = EncoderConfig(
        input_size=side,
        widths=(12, 16, 16, 16)[:stages],
        depths=(0, 1, 1, 1)[:stages],
        feature_resolutions=(4, side),
        style_width=16,
        unshuffle=4,
    )
    half = side // 2
    fovea = 4 if side >= 64 else 0  # of a smaller picture, its bands would have no pixels
    return ModelSize(half, 16, 256, 16, 2, encoder, half // 2, half // 4, half, True, fovea)


def draw_spectacles(
    rgb: NDArray[np.uint8], landmarks: NDArray[np.floating], *, width: int, dark: bool = False
) -> NDArray[np.uint8]:
    """The photo with a round black frame and its bridge, or with two black lenses, drawn over it.

    `landmarks`: [478, >= 2] in pixels; `width`: of the frame, in pixels.
    """
    out, ink = rgb.copy(), (12, 12, 14)
    centres = [landmarks[ids, :2].mean(0) for ids in LID_POINTS]
    (x0, y0), (x1, y1) = centres
    unit = float(np.hypot(x1 - x0, y1 - y0))
    for x, y in centres:
        middle, axes = (round(x), round(y + 0.05 * unit)), (round(0.42 * unit), round(0.36 * unit))
        cv2.ellipse(out, middle, axes, 0, 0, 360, ink, -1 if dark else width, cv2.LINE_AA)
    left, right = (round(x0 + 0.4 * unit), round(y0)), (round(x1 - 0.4 * unit), round(y1))
    cv2.line(out, left, right, ink, width)
    return out
