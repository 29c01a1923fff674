"""Every measure of one person: photo, artist's toon and output compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.quality import shape, steadiness
from benchmarks.quality.colour import (
    LEAST_IRISES,
    colour_difference,
    hair_mask,
    iris_mask,
    skin_mask,
    skin_tone,
)
from benchmarks.quality.live import eyes_of, finished
from benchmarks.quality.portraits import Artist, Drawn, Portrait, resize
from benchmarks.quality.scenes.covered import cover
from benchmarks.quality.scenes.moves import close_eyes, open_mouth, steps
from benchmarks.quality.scenes.spectacles import black_frame, frame_shown
from engines.backends import Engine
from engines.faces.landmarker import Landmarker
from engines.pictures import Image
from engines.training.learn.losses import FeatureDistance
from realtime.toons.eyes.painting import Eyes

SHIFTS = ((1, 0), (0, 2), (-3, 0), (4, 4))
"""Crop pixels (dx, dy)."""
STILL_FRAMES = 8
MOVE_STEPS = 5
SHUT = 0.12  # lid distance over eye width
AWAKE = 0.4  # openness of an eye, 0..1, that must not be left out


@dataclass
class Measured:
    """One person: three pictures at the output's size, and numbers by name, where measured."""

    name: str
    photo: Image
    artist: Image
    output: Image
    numbers: dict[str, float]
    tone: str | None


class Judge:
    """Engine, detectors and feature network, opened once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.distance = FeatureDistance()
        self.landmarker = Landmarker()

    def close(self) -> None:
        """Frees the native parts."""
        self.engine.close()
        self.landmarker.close()

    def toons(self, crops: Sequence[Image]) -> Image:
        """Any number of crops, each as users see its toon: uint8 [N, R, R, 3]."""
        return np.stack([toon for toon, _ in self.drawn(crops)])

    def drawn(self, crops: Sequence[Image]) -> list[tuple[Image, NDArray[np.uint8] | None]]:
        """The same, each with the mask of its head if the network gives one."""
        step, results = self.engine.max_batch, []
        for start in range(0, len(crops), step):
            batch = crops[start : start + step]
            out = self.engine.run(np.stack(batch))
            for i, crop in enumerate(batch):
                toon = out.images[i].copy()  # an engine may reuse its buffers
                head = None if out.masks is None else out.masks[i].copy()
                if out.details is not None:
                    points = self.points(crop)
                    toon = finished(crop, toon, points, out.details[i], head, out.finish)
                results.append((toon, head))
        return results

    def eyes(self, crop: Image) -> Eyes | None:
        """What the loop would know of the eyes of a single picture; None without a face or where
        the style does not want its eyes painted."""
        out, points = self.engine.run(crop[None]), self.points(crop)
        if points is None or out.details is None or not out.finish.painted_eyes:
            return None
        return eyes_of(crop, out.images[0], points, out.details[0])

    def points(self, image: Image) -> NDArray[np.float32] | None:
        """Landmarks of the only face of a crop, or None."""
        faces = self.landmarker.detect(image)
        return faces[0].points if faces else None

    def feature_distance(self, a: Image, b: Image, where: NDArray[np.uint8] | None = None) -> float:
        """EfficientNet-lite0 feature distance of two pictures of one size.

        Args:
            where: uint8 of the pictures' size, how much each place counts; None for equal weights.
        """
        weight = None if where is None else torch.from_numpy(where)[None, None] / 255
        with torch.no_grad():
            return float(self.distance.per_picture(_tensor(a), _tensor(b), weight)[0])

    def embedding(self, image: Image, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Pooled deep features of the face alone, without hair, clothes and wall."""
        x, y = points[shape.OVAL, :2].T
        low = np.clip(np.floor([y.min(), x.min()]), 0, image.shape[0] - 8).astype(int)
        high = np.ceil([y.max(), x.max()]).astype(int)
        face = image[low[0] : max(high[0], low[0] + 8), low[1] : max(high[1], low[1] + 8)]
        with torch.no_grad():
            taps = self.distance.features(_tensor(resize_to(face, 160)))
        return torch.cat([tap.mean((2, 3))[0] for tap in taps[-2:]]).numpy()


def _tensor(image: Image) -> torch.Tensor:
    planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
    return planes / 127.5 - 1


def resize_to(image: Image, side: int) -> Image:
    """Any rectangle to a square."""
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)


def measure_portrait(judge: Judge, artist: Artist, portrait: Portrait) -> Measured:
    """Every per-face number of one person."""
    size, side = judge.engine.input_size, judge.engine.output_size
    crop, photo = portrait.crop(size), portrait.crop(side)
    drawn = artist.draw(portrait).at(side)
    target, (output, head) = drawn.toon, judge.drawn([crop])[0]
    outline = overlap(head, drawn.head)
    skin = skin_mask(portrait.points(side), side)
    hair = hair_mask(portrait.points(side), resize_mask(artist.person(portrait), side), side)
    numbers: dict[str, float | None] = {
        "feature distance": judge.feature_distance(output, target, drawn.head)
        / judge.feature_distance(photo, target, drawn.head),
        "feature distance, whole crop": judge.feature_distance(output, target)
        / judge.feature_distance(photo, target),
        "head outline": outline,
        "detail": steadiness.detail(output, drawn.head)
        / max(steadiness.detail(target, drawn.head), 1e-6),
        "skin colour": colour_difference(output, target, skin),
        "hair colour": colour_difference(output, target, hair),
        "spectacles": _spectacles(judge, portrait, drawn, output),
        **_covered(judge, portrait),
        **_following(judge, portrait, output, target),
        **_steady(judge, portrait, output),
    }
    present = {name: value for name, value in numbers.items() if value is not None}
    return Measured(portrait.name, photo, target, output, present, skin_tone(photo, skin))


def overlap(found: NDArray[np.uint8] | None, wanted: NDArray[np.uint8]) -> float | None:
    """Intersection over union of two soft masks, at the first one's size; None without that."""
    if found is None:
        return None
    wanted = resize(wanted, found.shape[-1])
    return float(np.minimum(found, wanted).sum() / np.maximum(found, wanted).sum())


def resize_mask(mask: NDArray[np.floating], side: int) -> NDArray[np.floating]:
    """A soft mask at another size."""
    return cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)


def _spectacles(judge: Judge, portrait: Portrait, drawn: Drawn, bare: Image) -> float:
    """How much of a black frame drawn on the photo the toon shows."""
    size, side = judge.engine.input_size, judge.engine.output_size
    worn = judge.toons([black_frame(portrait, size).over(portrait.crop(size))])[0]
    return frame_shown(bare, worn, black_frame(portrait, side).moved(drawn.warp))


def _covered(judge: Judge, portrait: Portrait) -> dict[str, float | None]:
    """With something before one eye: is it painted all the same, is the other one left out?"""
    scene = cover(portrait, judge.engine.input_size)
    eyes = judge.eyes(scene.crop) if scene else None
    if scene is None or eyes is None:
        return {}
    other = 1 - scene.eye
    return {
        "covered eyes painted": float(eyes.shown(scene.eye) > 0.5),
        "free eyes left out": float(eyes.shown(other) < 0.5) if eyes.open[other] > AWAKE else None,
    }


def _following(
    judge: Judge, portrait: Portrait, output: Image, target: Image
) -> dict[str, float | None]:
    """Face found, eyes as big, open and coloured as the artist's, lids and jaw that follow."""
    found, wanted = judge.points(output), judge.points(target)
    numbers: dict[str, float | None] = {"face found": float(found is not None)}
    if found is not None and wanted is not None:
        numbers["eye size"] = shape.eye_size(found) / shape.eye_size(wanted)
        numbers["eyes open"] = less_open(shape.eye_openings(found), shape.eye_openings(wanted))
    if wanted is not None:
        irises = iris_mask(wanted, len(target))
        numbers["eye colour"] = colour_difference(output, target, irises, LEAST_IRISES)
    size = judge.engine.input_size
    crop, points = portrait.crop(size), portrait.points(size)
    for name, move, read in (
        ("mouth follows", open_mouth, shape.mouth_opening),
        ("blink follows", close_eyes, shape.eye_opening),
    ):
        moved = [move(crop, points, amount) for amount in steps(MOVE_STEPS)]
        numbers[name] = follows(judge, moved, judge.toons(moved), read)
    return numbers


def less_open(found: NDArray[np.floating], wanted: NDArray[np.floating]) -> float | None:
    """The smaller share [2] of the wanted openings [2]; None when an eye should be shut."""
    return float((found / wanted).min()) if wanted.min() > SHUT else None


def follows(
    judge: Judge,
    inputs: Iterable[Image],
    outputs: Iterable[Image],
    read: Callable[[NDArray[np.floating]], float],
) -> float | None:
    """Pearson's r of what is read off inputs and outputs, over pictures with both faces found."""
    pairs = [(judge.points(a), judge.points(b)) for a, b in zip(inputs, outputs, strict=True)]
    values = [(read(a), read(b)) for a, b in pairs if a is not None and b is not None]
    if len(values) < 3:
        return None
    before, after = np.array(values).T
    return shape.correlation(before, after)


def _steady(judge: Judge, portrait: Portrait, output: Image) -> dict[str, float | None]:
    """Flicker under noise, and movement with the crop."""
    size, side = judge.engine.input_size, judge.engine.output_size
    noisy = steadiness.noisy_copies(portrait.crop(size), STILL_FRAMES)
    still = steadiness.flicker(judge.toons(list(noisy))) / steadiness.flicker(noisy)
    zoom = portrait.full.shape[0] / size
    moved = judge.toons(
        [resize(steadiness.shifted(portrait.full, dx * zoom, dy * zoom), size) for dx, dy in SHIFTS]
    )
    scale = side / size
    errors, gains = [], []
    for (dx, dy), picture in zip(SHIFTS, moved, strict=True):
        errors.append(steadiness.shift_error(output, picture, dx * scale, dy * scale))
        got = steadiness.measured_shift(output, picture)
        gains.append((got[0] * dx + got[1] * dy) / (scale * (dx * dx + dy * dy)))
    return {
        "flicker": still,
        "shift error": float(np.mean(errors)),
        "shift followed": float(np.mean(gains)),
    }
