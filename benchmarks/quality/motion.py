"""Lids and mouths in moving clips: does the toon do what the person does?"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import shape
from benchmarks.quality.judge import Judge
from benchmarks.quality.metrics import metric_result
from benchmarks.quality.portraits import read_clip
from benchmarks.report import Result, Skipped
from engines.errors import ToonifyError
from engines.faces.alignment import crop_transform, extract_crop
from engines.faces.landmarker import Landmarker

ENLARGE = 3
"""Clips are small; the detector needs faces of 100 px and more."""
LEAST_FRAMES = 20
STILLNESS = {"mouth follows": 0.006, "blink follows": 0.015}
"""`movement` below this is only the detector's own noise."""


def movement(values: NDArray[np.float64]) -> float:
    """Deviation over time of the middle one of every three frames [N >= 3].

    A jump of a single frame is a detector error: lids and lips take longer.
    """
    threes = np.stack([values[:-2], values[1:-1], values[2:]])
    return float(np.median(threes, axis=0).std())


def clip_crops(path: Path, size: int) -> list[NDArray[np.uint8]]:
    """Aligned crops of the largest face, one per frame that has one: uint8 [size, size, 3] RGB."""
    crops = []
    with Landmarker("video") as landmarker:
        for number, frame in enumerate(read_clip(path)):
            enlarged = (frame.shape[1] * ENLARGE, frame.shape[0] * ENLARGE)
            large = cv2.resize(frame, enlarged, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
            if faces := landmarker.detect(large, 40 * number):
                crops.append(extract_crop(large, crop_transform(faces[0].points, size), size))
    return crops


def clip_results(judge: Judge, folder: Path, skipped: list[Skipped]) -> list[Result]:
    """One result per clip and movement; a clip without movement is skipped."""
    clips = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".gif", ".webp"))
    if not clips:
        raise ToonifyError(f"Expected animated pictures (.gif, .webp) in {folder}, found none.")
    results = []
    for clip in clips:
        crops = clip_crops(clip, judge.engine.input_size)
        pairs = [
            (judge.points(crop), judge.points(toon))
            for crop, toon in zip(crops, judge.toons(crops) if crops else [], strict=True)
        ]
        seen = [(a, b) for a, b in pairs if a is not None and b is not None]
        for name, read in (
            ("mouth follows", shape.mouth_opening),
            ("blink follows", shape.eye_opening),
        ):
            label = f"{name}, {clip.stem}"
            before = np.array([read(a) for a, _ in seen])
            after = np.array([read(b) for _, b in seen])
            if len(seen) < LEAST_FRAMES:
                skipped.append(Skipped(label, f"Only {len(seen)} frames with a face on both."))
            elif (moves := movement(before)) < STILLNESS[name]:
                skipped.append(Skipped(label, f"Hardly moves (deviation {moves:.3f})."))
            else:
                result = metric_result(label, [clip.stem], [shape.correlation(before, after)])
                result.metrics["frames"] = float(len(seen))
                result.metrics["movement"] = moves
                results.append(result)
    return results
