"""Fit the weights of `glance` to judgements made by eye.

    python -m engines.training.artist3d.train_glance FACES LABELS OUT

FACES holds aligned portraits (faces.npz with `names`, `landmarks`, `male_guess`, `age_guess`,
`glasses_guess`, and the pictures); LABELS is a CSV file with the columns index, tone (L* of the
skin in even light) and beard (0 none .. 3 full); OUT is the file to write.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.training.artist3d.glance import TARGETS, features

STIFFNESS = {"tone": 0.3, "beard": 0.3, "male": 0.3, "log_age": 0.3, "glasses": 0.3}
BLOCK_DEPTHS = 1280  # features of the last map, weighed like all others together


def fit_linear(
    seen: NDArray[np.float64], wanted: NDArray[np.float64], weight: NDArray[np.float64], cost: float
) -> tuple[NDArray[np.float64], float]:
    """Weighted ridge regression by its dual: slopes [D] and offset.

    Args:
        seen: [N, D], standardised.
        wanted, weight: [N].
        cost: of the slopes, relative to D.
    """
    count, width = seen.shape
    kernel = seen @ seen.T / width
    system = np.zeros((count + 1, count + 1))
    system[:count, :count] = kernel + cost * np.diag(1 / weight)
    system[:count, count] = system[count, :count] = 1
    solution = np.linalg.solve(system, np.r_[wanted, 0.0])
    return seen.T @ solution[:count] / width, float(solution[count])


def main() -> None:
    """Read labels and faces, fit, write."""
    parser = argparse.ArgumentParser(description="Fit the weights of glance.")
    for name in ("faces", "labels", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    with args.labels.open(newline="") as file:
        rows = [(int(r["index"]), float(r["tone"]), float(r["beard"])) for r in csv.DictReader(file)]
    with np.load(args.faces / "faces.npz") as table:
        names, landmarks = table["names"], table["landmarks"].astype(np.float64)
        guesses = [table[k].astype(np.float64) for k in ("male_guess", "age_guess", "glasses_guess")]
    index = np.array([row[0] for row in rows])
    seen = []
    for i in index:
        bgr = cv2.imread(str(args.faces / str(names[i])))
        seen.append(features(np.ascontiguousarray(bgr[..., ::-1]), landmarks[i]))
    write(args.out, np.array(seen, np.float64), np.array(rows)[:, 1:], [g[index] for g in guesses])


def write(
    out: Path,
    seen: NDArray[np.float64],
    judged: NDArray[np.float64],
    guesses: list[NDArray[np.float64]],
) -> None:
    """Fit all targets on features [N, D]; ``judged``: tone and beard; ``guesses``: the rest."""
    mean, spread = seen.mean(0), seen.std(0) + 1e-3
    standard = np.clip((seen - mean) / spread, -6, 6)
    share = np.ones(seen.shape[1])
    share[BLOCK_DEPTHS:] = np.sqrt(BLOCK_DEPTHS / max(len(share) - BLOCK_DEPTHS, 1))
    wanted = {
        "tone": judged[:, 0], "beard": judged[:, 1], "male": guesses[0],
        "log_age": np.log(np.clip(guesses[1], 1, 95)), "glasses": guesses[2],
    }  # fmt: skip
    weights = {
        "tone": np.where(judged[:, 0] < 66, 2.5, 1.0),
        "beard": np.where(judged[:, 1] > 0.4, 2.0, 1.0),
    }
    slopes, offsets = [], []
    for name in TARGETS:
        weight = weights.get(name, np.ones(len(seen)))
        slope, offset = fit_linear(standard * share, wanted[name], weight, STIFFNESS[name])
        slopes.append(slope * share)
        offsets.append(offset)
    np.savez(
        out, mean=mean.astype(np.float16), spread=spread.astype(np.float16),
        slopes=np.array(slopes).T.astype(np.float16), offsets=np.array(offsets, np.float32),
    )  # fmt: skip


if __name__ == "__main__":
    main()
