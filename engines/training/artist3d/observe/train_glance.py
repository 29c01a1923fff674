"""Fit the weights of `glance` to judgements made by eye.

    python -m engines.training.artist3d.observe.train_glance FACES LABELS OUT

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

from engines.training.artist3d.head.fit import fit_head
from engines.training.artist3d.head.rig import default_rig
from engines.training.artist3d.observe.glance import crop, features

STIFFNESS = 2.0  # cost of the slopes
LAST, IDENTITY = 1280, 100  # features of the network's last map; coefficients of the head
SHARES = (1.0, 1.0, 0.5)  # weight of last map, inner maps, identity
VARIANTS = 2  # relit, tinted and mirrored copies of every portrait


def fit_linear(
    seen: NDArray[np.float64], wanted: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Weighted ridge regression by its dual: slopes [D] and offset.

    Args:
        seen: [N, D].
        wanted: [N].
        weight: [N].
    """
    count = len(seen)
    system = np.zeros((count + 1, count + 1))
    system[:count, :count] = seen @ seen.T + STIFFNESS * np.diag(1 / weight)
    system[:count, count] = system[count, :count] = 1
    solution = np.linalg.solve(system, np.r_[wanted, 0.0])
    return seen.T @ solution[:count], float(solution[count])


def relit(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A face in another light, perhaps mirrored: the person stays."""
    light = (face.astype(np.float32) / 255) ** 2.2
    light = light * np.exp(rng.normal(0, 0.45)) * np.exp(rng.normal(0, 0.10, 3))
    if rng.random() < 0.5:
        side = np.linspace(-1, 1, face.shape[1])[None, :, None]
        light = light * np.exp(side * rng.choice([-1, 1]) * rng.uniform(0.2, 0.6))
    out = (np.clip(light, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
    return np.ascontiguousarray(out[:, ::-1]) if rng.random() < 0.5 else out


def write(out: Path, seen: NDArray[np.float64], wanted: NDArray[np.float64]) -> None:
    """Fit all targets.

    Args:
        out: file to write.
        seen: [N, D] features.
        wanted: [N, 5] tone, beard, male, age, glasses.
    """
    mean, spread = seen.mean(0), seen.std(0) + 1e-3
    standard = np.clip((seen - mean) / spread, -6, 6)
    widths = [LAST, seen.shape[1] - LAST - IDENTITY, IDENTITY]
    share = np.repeat([np.sqrt(w / n) for w, n in zip(SHARES, widths, strict=True)], widths)
    goals = wanted.copy()
    goals[:, 3] = np.log(np.clip(wanted[:, 3], 1, 95))
    weights = np.ones_like(goals)
    weights[:, 0] = np.where(wanted[:, 0] < 66, 2.5, 1.0)
    weights[:, 1] = np.where(wanted[:, 1] > 0.4, 2.0, 1.0)
    fits = [fit_linear(standard * share, g, w) for g, w in zip(goals.T, weights.T, strict=True)]
    np.savez(
        out,
        mean=mean.astype(np.float16),
        spread=spread.astype(np.float16),
        slopes=np.array([slope * share for slope, _ in fits]).T.astype(np.float16),
        offsets=np.array([offset for _, offset in fits], np.float32),
    )


def main() -> None:
    """Read labels and faces, fit, write."""
    parser = argparse.ArgumentParser(description="Fit the weights of glance.")
    for name in ("faces", "labels", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    with args.labels.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with np.load(args.faces / "faces.npz") as table:
        names, landmarks = table["names"], table["landmarks"].astype(np.float64)
        guesses = np.stack([table[k] for k in ("male_guess", "age_guess", "glasses_guess")], 1)
    rig, rng = default_rig(), np.random.default_rng(5)
    seen, wanted = [], []
    for row in rows:
        index = int(row["index"])
        path = args.faces / str(names[index])
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if bgr is None:
            raise SystemExit(f"A portrait was expected at {path}, found none; check the folder.")
        identity = fit_head(rig, landmarks[index], {}).identity
        face = crop(np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8), landmarks[index])
        for variant in [face, *(relit(face, rng) for _ in range(VARIANTS))]:
            seen.append(np.concatenate([features(variant), identity]))
            wanted.append([float(row["tone"]), float(row["beard"]), *guesses[index].tolist()])
    write(args.out, np.array(seen, np.float64), np.array(wanted, np.float64))


if __name__ == "__main__":
    main()
