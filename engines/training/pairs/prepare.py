"""From a folder of portraits to a folder of photo/toon pairs, drawn by the artist.

The result is a folder as `engines.training.pairs.pair_set` describes it, with `contact.png`, a
sheet for checking.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.person import PersonSegmenter
from engines.pictures import write_png
from engines.training.artist.expressions import close_eyes, open_mouth
from engines.training.looks import LOOKS, Artist, find_artist
from engines.training.pairs.aligned import (
    DRAWING_SIZE,
    INDEX,
    AlignedSet,
    align_folder,
    aligned_before,
)
from engines.training.pairs.pair_set import WARP_GRID, Pair, PairFolder, PrepareError
from engines.training.progress import Progress, silent

LEAST_TURN, LARGEST_TURN = 12.0, 26.0  # degrees added to a head's own yaw
TURNED_WEIGHT = 2.0  # as rare as the portraits that are turned most


@dataclass(frozen=True)
class Row:
    """One pair to draw.

    Attributes:
        portrait: number of the portrait.
        closed: how far each eye is closed, 0..1.
        jaw: how far the jaw is dropped, in eye distances.
        turn: degrees by which the head is turned, further to its own side and up; see
            `engines.training.pairs.turned.turn_head`.
    """

    portrait: int
    closed: tuple[float, float] = (0.0, 0.0)
    jaw: float = 0.0
    turn: tuple[float, float] = (0.0, 0.0)


def plan_rows(count: int, variants: int, turned: int = 0, seed: int = 0) -> list[Row]:
    """Every portrait as it is, then changed ones.

    `variants` have closed or narrowed eyes, winks, open mouths; `turned` are turned further to
    their side. A portrait that cannot be turned well gives its row to the next one.

    Few portraits squint. If nearly all narrow eyes in the training set were almost closed, the
    network would also close those of a dark face in bright sun.
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
    for portrait in random.permutation(np.arange(turned) * count // max(turned, 1)):
        yaw, pitch = random.uniform(LEAST_TURN, LARGEST_TURN), random.uniform(-15, 15)
        rows.append(Row(int(portrait), turn=(float(yaw), float(pitch))))
    return rows


def draw_pair(
    rgb: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    segmenter: PersonSegmenter,
    artist: Artist,
    size: int,
    row: Row,
) -> Pair | None:
    """Change the expression or the view, draw at full size, then shrink photo and toon.

    Args:
        rgb: uint8 [512, 512, 3].
        landmarks: float32 [478, 3] in its pixels.
        segmenter: finds the person.
        artist: draws the toon.
        size: side of photo and toon, pixels; the head mask has half of it.
        row: the expression, and how far the head is turned.

    Returns:
        The pair; None if this head cannot be turned well.

    Raises:
        RigError: the head is to be turned, but there is no head model.
    """
    if any(row.turn):
        from engines.training.pairs.turned import turn_head  # heavy: compiled, and seldom needed

        turned = turn_head(rgb, landmarks, segmenter.segment(rgb), *row.turn)
        if turned is None:
            return None
        rgb, landmarks = turned
    if any(row.closed):
        rgb, landmarks = close_eyes(rgb, landmarks, row.closed)
    if row.jaw:
        rgb, landmarks = open_mouth(rgb, landmarks, row.jaw)
    result = artist(rgb, landmarks, person=segmenter.segment(rgb))

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


@dataclass(frozen=True)
class _Job:
    portraits: AlignedSet
    rows: list[Row]
    look: str
    size: int


_job: _Job
_segmenter: PersonSegmenter
_artist: Artist


def _start_worker(job: _Job) -> None:
    """Give a worker its own network, and one thread: the work is split into processes already."""
    global _job, _segmenter, _artist
    cv2.setNumThreads(1)
    _job, _segmenter, _artist = job, PersonSegmenter(), find_artist(job.look)


def _draw_row(number: int) -> tuple[int, Pair]:
    row, portraits = _job.rows[number], _job.portraits
    for portrait in range(row.portrait, row.portrait + len(portraits)):
        portrait %= len(portraits)
        photo, points = portraits.read(portrait), portraits.landmarks[portrait]
        pair = draw_pair(photo, points, _segmenter, _artist, _job.size, row)
        if pair is not None:
            return number, pair
    raise PrepareError(
        "Portraits with heads turned 10 to 45 degrees were expected, to turn them further, found "
        "none that can be; add some, or use --turned 0."
    )


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
    turned: int = 0,
    workers: int = 1,
    progress: Progress = silent,
) -> tuple[str, ...]:
    """Draw the pairs of a folder of portraits, or of an aligned set, into `out`.

    Args:
        source: pictures of any size, or a set with `faces.npz`.
        out: folder for the pairs; an interrupted run continues there.
        look: one of `engines.training.looks.LOOKS`.
        size: side of photo and toon in pixels, even, at most 512.
        variants: extra pairs with other expressions, see `plan_rows`.
        turned: extra pairs with heads turned further; they need the head model.
        workers: number of drawing processes.
        progress: called with the phases "align" and "draw".

    Returns:
        Names of the pictures in which no face was found.

    Raises:
        ToonifyError: when an argument is wrong, there is no face, or `out` holds other pairs.
    """
    if look not in LOOKS:
        raise PrepareError(f"A look was expected ({', '.join(LOOKS)}), found {look!r}; choose one.")
    find_artist(look)  # so that what it lacks is said before anything is aligned
    if turned:
        from engines.training.pairs.turned import check_head_model

        check_head_model()
    if size % 2 or not 32 <= size <= DRAWING_SIZE:
        raise PrepareError(f"An even size of 32 to {DRAWING_SIZE} was expected, found {size}.")
    if not source.is_dir():
        raise PrepareError(f"{source} was expected to be a folder of portraits; there is none.")
    left_out: tuple[str, ...] = ()
    aligned = out / "aligned"
    if (source / INDEX).is_file():
        portraits = AlignedSet.open(source)
    elif before := aligned_before(source, aligned):
        portraits, left_out = before
    else:
        portraits, left_out = align_folder(source, aligned, progress)
    rows = plan_rows(len(portraits), variants, turned)
    task: dict[str, object] = {"source": str(source.resolve()), "look": look}
    if turned:  # folders of before, which had none, can still be continued
        task["turned"] = turned
    pairs = PairFolder(out, len(rows), size, task)
    numbers = pairs.missing()
    for number, pair in _draw(_Job(portraits, rows, look, size), numbers, workers):
        pairs.write(number, pair)
        progress("draw", len(rows) - len(pairs.missing()), len(rows))
    weight = portraits.weight[[row.portrait for row in rows]]
    weight[[any(row.turn) for row in rows]] = TURNED_WEIGHT
    np.save(out / "weight.npy", weight)
    write_png(out / "contact.png", pairs.sheet())
    return left_out
