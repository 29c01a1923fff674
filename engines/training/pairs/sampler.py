"""Augmented batches, drawn from training pairs at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.errors import ToonifyError
from engines.training.pairs import augment
from engines.training.pairs.dyes import Dye, random_dye
from engines.training.pairs.eyewear import Layer, draw_spectacles
from engines.training.pairs.objects import Thing, random_thing
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.shades import Shade, random_shade

EYES = ((33, 133, 159, 145), (263, 362, 386, 374))
MOUTH = (61, 291, 0, 17)
Extra = Dye | Layer | Shade | Thing  # applied to photo and toon alike, each in its own shape


def eye_centres(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centres (x, y) of both eyes: landmarks float32 [478, 2] -> float32 [2, 2]."""
    return np.stack([landmarks[list(eye)].mean(0) for eye in EYES])


def focus_map(landmarks: NDArray[np.float32], size: int, grid: int = 64) -> NDArray[np.float32]:
    """Error weights: 1, rising to 5 on the eyes and 3 on the mouth.

    Args:
        landmarks: float32 [478, 2] in pixels of the picture.
        size: side of the picture in pixels.
        grid: side of the result.

    Returns:
        float32 [grid, grid].
    """
    scale = grid / size
    eyes = eye_centres(landmarks) * scale
    distance = float(np.linalg.norm(eyes[0] - eyes[1]))
    y, x = np.mgrid[0:grid, 0:grid].astype(np.float32) + 0.5
    out = np.ones((grid, grid), np.float32)
    centres = [(e, 4.0, 0.3) for e in eyes] + [(landmarks[list(MOUTH)].mean(0) * scale, 2.0, 0.38)]
    for (cx, cy), height, reach in centres:
        radius = reach * distance
        out += height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * radius**2 + 1e-6))
    return out


@dataclass
class Batch:
    """One training batch; pictures are float32 [N, 3, S, S] RGB in -1..1.

    Attributes:
        crop: the degraded photo, the encoder's input.
        photo, toon: the clean targets, of the crop's side or larger.
        head: float32 [N, 1, M, M] in 0..1.
        focus: float32 [N, 1, 64, 64] error weights.
        warp: float32 [N, 2, 64, 64], as in `PairSet`.
        eyes: float32 [N, 2, 2]: centre (x, y) of each eye in pixels of the photo.
        shift: int64 [T, 2]: sample `N - T + i` is sample `i` moved by (dx, dy) whole pixels of the
            crop.
    """

    crop: Tensor
    photo: Tensor
    toon: Tensor
    head: Tensor
    focus: Tensor
    warp: Tensor
    eyes: Tensor
    shift: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        return Batch(**{k: v.to(device, non_blocking=True) for k, v in vars(self).items()})


def check_twins(batch_size: int, twins: int) -> None:
    """Refuse a batch that cannot hold `twins` samples and a shifted copy of each.

    Raises:
        ToonifyError: when the batch is too small.
    """
    if not 0 <= 2 * twins <= batch_size:
        raise ToonifyError(
            f"A batch of {batch_size} has room for {batch_size // 2} twins, not {twins}; raise the "
            f"batch size."
        )


def to_tensor(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """uint8 [S, S, 3] pictures -> float32 [N, 3, S, S] in -1..1, channels last in memory."""
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return batch.float() * (2 / 255) - 1


@dataclass
class Sampler:
    """Draws augmented batches. Its only state is `rng`, so training resumes exactly.

    Attributes:
        pairs: the pairs to draw from.
        batch_size: samples in a batch.
        seed: of the random generator.
        twins: how many samples of a batch are shifted copies of others.
        geometry: limits of the random crop changes.
        spectacles, dyed, shaded, hidden: shares of the samples that get spectacles, a dye around
            the face, a hard shadow, and a hand or a thing in front, on photo and toon.
        crop: side of the encoder's input in pixels; 0 for that of the pairs.
        side: side of the targets, from `crop` to that of the pairs; 0 for that of the pairs.
    """

    pairs: PairSet
    batch_size: int
    seed: int = 0
    twins: int = 0
    geometry: augment.GeometryRange = field(default_factory=augment.GeometryRange)
    spectacles: float = 0.15
    dyed: float = 0.15
    shaded: float = 0.1
    hidden: float = 0.15
    crop: int = 0
    side: int = 0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.side = self.side or self.pairs.size
        self.crop = self.crop or self.side

    def draw(self) -> Batch:
        """One batch; the last `twins` samples are shifted copies of the first ones."""
        rng, size = self.rng, self.side
        fresh = self.batch_size - self.twins
        index = rng.choice(len(self.pairs), fresh, p=self.pairs.weight)
        moves = [augment.random_transform(rng, size, self.geometry) for _ in index]
        curves = [augment.light_curve(rng) for _ in index]
        extras = [self._extras(i) for i in index]
        shift = rng.integers(-4, 5, (self.twins, 2))
        plan = list(zip(index, moves, curves, extras, strict=True))
        for (i, move, *rest), step in zip(plan[: self.twins], shift, strict=True):
            step = step * (size // self.crop)
            offset = np.array([[0, 0, step[0]], [0, 0, step[1]]], np.float32)
            plan.append((i, move + offset, *rest))
        columns = [self._sample(*entry) for entry in plan]
        crop, photo, toon, head, focus, warp, eyes = zip(*columns, strict=True)
        masks = torch.from_numpy(np.stack(head))[:, None].float() / 255
        maps = torch.from_numpy(np.stack(focus))[:, None]
        images = {"crop": crop, "photo": photo, "toon": toon}
        return Batch(
            **{name: to_tensor(x) for name, x in images.items()},
            head=masks,
            focus=maps,
            warp=torch.from_numpy(np.stack(warp)).permute(0, 3, 1, 2),
            eyes=torch.from_numpy(np.stack(eyes)),
            shift=torch.from_numpy(shift),
        )

    def _extras(self, i: int) -> list[Extra]:
        points, size, rng = self._points(i), self.side, self.rng
        eyes = eye_centres(points)
        extras: list[Extra] = []
        if rng.random() < self.dyed:
            extras.append(random_dye(rng, points, size))
        if rng.random() < self.spectacles:
            extras.append(draw_spectacles(rng, points, eyes, size))
        if rng.random() < self.shaded:
            extras.append(random_shade(rng, eyes, size))
        if self.hidden and rng.random() < self.hidden:
            extras.append(random_thing(rng, shrunk(self.pairs.photo[i], size), points))
        return extras

    def _points(self, i: int) -> NDArray[np.float32]:
        """The landmarks of a pair in pixels of the targets."""
        return np.asarray(self.pairs.landmarks[i] * np.float32(self.side / self.pairs.size))

    def _sample(
        self,
        i: int,
        move: NDArray[np.float32],
        curve: NDArray[np.uint8],
        extras: list[Extra],
    ) -> tuple[NDArray, ...]:
        pairs, size = self.pairs, self.side
        photo, toon = (shrunk(pictures[i], size) for pictures in (pairs.photo, pairs.toon))
        warp = np.asarray(pairs.warp[i], np.float32)
        for extra in extras:
            photo, toon = extra.over(photo), extra.moved(warp).over(toon)
        photo, toon = (
            augment.apply_curve(augment.warp(image, move, size), curve) for image in (photo, toon)
        )
        side = pairs.head.shape[1] * size // pairs.size
        small = augment.rescale_transform(move, side / size)
        head = cv2.warpAffine(
            shrunk(pairs.head[i], side), small, (side, side), borderMode=cv2.BORDER_REPLICATE
        )
        moved = self._points(i) @ move[:, :2].T + move[:, 2]
        points = moved.astype(np.float32)
        crop = augment.webcam(self.rng, shrunk(photo, self.crop))
        moved_warp = augment.move_warp(warp, move, size)
        return crop, photo, toon, head, focus_map(points, size), moved_warp, eye_centres(points)


def shrunk(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """`image` [S, S, ...] averaged to `side` pixels; itself if it has that or fewer."""
    if image.shape[0] <= side:
        return image
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
