"""Photo/toon pairs for training: a folder of portraits, drawn by the artist.

The result is a folder of arrays that training maps into memory:

- ``photo.npy`` uint8 [N, S, S, 3] RGB, the aligned portraits;
- ``toon.npy``  uint8 [N, S, S, 3] RGB, the artist's drawings;
- ``head.npy``  uint8 [N, S/2, S/2], 255 inside the toon's head and hair;
- ``landmarks.npy`` float32 [N, 478, 2], pixels of the S px photo;
- ``warp.npy`` float16 [N, 64, 64, 2], where the photo shows what the toon shows at each place;
- ``weight.npy`` float64 [N], how often a pair is drawn in training;
- ``done.npy``  bool [N], which rows are finished: an interrupted run goes on where it stopped;
- ``contact.png``, a sheet to look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from engines.faces.person import PersonSegmenter
from engines.pictures import write_png
from engines.training.artist import LOOKS, Look, toonify
from engines.training.artist.expressions import close_eyes, open_mouth
from engines.training.pairs.aligned import (
    DRAWING_SIZE,
    AlignedSet,
    PrepareError,
    Report,
    align_folder,
    aligned_before,
)
from engines.training.pairs.data import WARP_GRID, spread_over
from engines.training.show.sheets import contact_sheet

SHEET_ROWS, SHEET_PAIRS = 6, 4


@dataclass(frozen=True)
class Row:
    """One pair to draw: a portrait, perhaps with another expression."""

    portrait: int
    closed: tuple[float, float] = (0.0, 0.0)  # how far each eye is closed, 0..1
    jaw: float = 0.0  # how far the jaw is dropped, in eye distances


def plan_rows(count: int, variants: int, seed: int = 0) -> list[Row]:
    """Every portrait as it is, then ``variants`` with eyes shut or narrowed, winks, open mouths.

    Few portraits squint: where most of the narrow eyes that a network is shown are all but shut, it
    draws those of a dark face in the sun shut, too.
    """
    rows = [Row(i) for i in range(count)]
    random = np.random.default_rng(seed)
    for portrait in random.permutation(np.arange(variants) % max(count, 1)):
        kind = random.random()
        if kind < 0.25:
            rows.append(Row(int(portrait), (1.0, 1.0)))
        elif kind < 0.35:
            left, right = random.permutation([random.uniform(0.8, 1.0), random.uniform(0, 0.3)])
            rows.append(Row(int(portrait), (float(left), float(right))))
        elif kind < 0.70:
            left, right = random.uniform(0.2, 0.6) + random.uniform(-0.1, 0.1, 2)
            rows.append(Row(int(portrait), (float(left), float(right))))
        else:
            rows.append(Row(int(portrait), jaw=float(random.uniform(0.08, 0.38))))
    return rows


@dataclass(frozen=True)
class Pair:
    """What one row becomes."""

    photo: NDArray[np.uint8]
    toon: NDArray[np.uint8]
    head: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    warp: NDArray[np.float16]


def draw_pair(
    rgb: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    segmenter: PersonSegmenter,
    look: Look,
    size: int,
    row: Row,
) -> Pair:
    """Change the expression, draw at full size, shrink photo and toon to ``size``, mask to half."""
    if any(row.closed):
        rgb, landmarks = close_eyes(rgb, landmarks, row.closed)
    if row.jaw:
        rgb, landmarks = open_mouth(rgb, landmarks, row.jaw)
    result = toonify(rgb, landmarks, person=segmenter.segment(rgb), look=look)

    def shrink(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)

    points = (landmarks[:, :2] * (size / DRAWING_SIZE)).astype(np.float32)
    return Pair(
        shrink(rgb, size),
        shrink(result.image, size),
        shrink(result.head, size // 2),
        points,
        result.warp.moves(WARP_GRID).astype(np.float16),
    )


class PairFolder:
    """The arrays of a folder of pairs, made or continued."""

    def __init__(self, folder: Path, count: int, size: int, task: dict[str, object]) -> None:
        """``task`` says what is drawn; a folder that holds another task is refused."""
        folder.mkdir(parents=True, exist_ok=True)
        card = folder / "task.json"
        wanted = {"pairs": count, "size": size, **task}
        again = card.is_file()
        if again and json.loads(card.read_text("utf-8")) != wanted:
            raise PrepareError(
                f"{folder} holds other pairs ({card.read_text('utf-8')}) than were asked for "
                f"({json.dumps(wanted)}); choose another folder."
            )
        self.arrays = {
            name: open_memmap(
                folder / f"{name}.npy", mode="r+" if again else "w+", dtype=dtype, shape=shape
            )
            for name, dtype, shape in (
                ("photo", np.uint8, (count, size, size, 3)),
                ("toon", np.uint8, (count, size, size, 3)),
                ("head", np.uint8, (count, size // 2, size // 2)),
                ("landmarks", np.float32, (count, 478, 2)),
                ("warp", np.float16, (count, WARP_GRID, WARP_GRID, 2)),
                ("done", np.bool_, (count,)),
            )
        }
        card.write_text(json.dumps(wanted), "utf-8")  # last: a card promises whole arrays

    def write(self, row: int, pair: Pair) -> None:
        """Store a row, then mark it as finished."""
        for name, value in vars(pair).items():
            self.arrays[name][row] = value
        self.arrays["done"][row] = True

    def missing(self) -> list[int]:
        """Rows still to draw."""
        return [int(row) for row in np.flatnonzero(~self.arrays["done"])]

    def sheet(self) -> NDArray[np.uint8]:
        """Photo and toon of pairs spread over the folder."""
        chosen = spread_over(len(self.arrays["done"]), SHEET_ROWS * SHEET_PAIRS)
        cells = [self.arrays[name][row] for row in chosen for name in ("photo", "toon")]
        cells += [np.full_like(cells[0], 255)] * (-len(cells) % (2 * SHEET_PAIRS))
        width = 2 * SHEET_PAIRS
        return contact_sheet([cells[i : i + width] for i in range(0, len(cells), width)], side=192)


@dataclass(frozen=True)
class _Job:
    portraits: AlignedSet
    rows: list[Row]
    look: Look
    size: int


_job: _Job
_segmenter: PersonSegmenter


def _start_worker(job: _Job) -> None:
    """Give a worker process its own network and one thread: the processes are the parallelism."""
    global _job, _segmenter
    cv2.setNumThreads(1)
    _job, _segmenter = job, PersonSegmenter()


def _draw_row(number: int) -> tuple[int, Pair]:
    row = _job.rows[number]
    photo, points = _job.portraits.read(row.portrait), _job.portraits.landmarks[row.portrait]
    return number, draw_pair(photo, points, _segmenter, _job.look, _job.size, row)


def _draw(job: _Job, numbers: list[int], workers: int) -> Iterator[tuple[int, Pair]]:
    if workers == 1:
        _start_worker(job)
        with _segmenter:
            yield from map(_draw_row, numbers)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (job,)) as pool:
        try:
            for future in as_completed([pool.submit(_draw_row, number) for number in numbers]):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def prepare(
    source: Path,
    out: Path,
    *,
    look: str = "film",
    size: int = 256,
    variants: int = 0,
    workers: int = 1,
    report: Report = lambda *_: None,
) -> tuple[str, ...]:
    """Draw the pairs of a folder of portraits, or of an aligned set, into ``out``.

    Args:
        source: pictures of any size, or a set with ``faces.npz``.
        out: folder of pairs; a run that was interrupted goes on there.
        look: name of one of `artist.LOOKS`.
        size: side of photo and toon in pixels, even, at most 512.
        variants: more pairs with other expressions, as `plan_rows` has them.
        workers: drawing processes.
        report: called with phase, done, total.

    Returns:
        Names of the pictures in which no face was found.
    """
    if look not in LOOKS:
        raise PrepareError(f"A look was expected ({', '.join(LOOKS)}), found {look!r}; choose one.")
    if size % 2 or not 32 <= size <= DRAWING_SIZE:
        raise PrepareError(f"An even size of 32 to {DRAWING_SIZE} was expected, found {size}.")
    if not source.is_dir():
        raise PrepareError(f"{source} was expected to be a folder of portraits; there is none.")
    left_out: tuple[str, ...] = ()
    aligned = out / "aligned"
    if (source / "faces.npz").is_file():
        portraits = AlignedSet.open(source)
    elif before := aligned_before(source, aligned):
        portraits, left_out = before
    else:
        portraits, left_out = align_folder(source, aligned, report)
    rows = plan_rows(len(portraits), variants)
    task: dict[str, object] = {"source": str(source.resolve()), "look": look}
    pairs = PairFolder(out, len(rows), size, task)
    numbers = pairs.missing()
    for number, pair in _draw(_Job(portraits, rows, LOOKS[look], size), numbers, workers):
        pairs.write(number, pair)
        report("draw", len(rows) - len(pairs.missing()), len(rows))
    weight = portraits.weight[[row.portrait for row in rows]]
    np.save(out / "weight.npy", weight)
    write_png(out / "contact.png", pairs.sheet())
    return left_out
