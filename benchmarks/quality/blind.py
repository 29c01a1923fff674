"""Pictures judged blind: sheets in random order for people who know nothing, and their answers
counted.

`python -m benchmarks.quality.blind sheets PHOTOS TOONS OTHERS --out FOLDER` writes rows of a photo
and the pictures of it that lie under the same name in each of the folders. Whoever judges gets
`FOLDER/judge` alone; `FOLDER/key.json` says what lies where. `count FOLDER...` adds up what they
wrote into `FOLDER/judge/answers.txt`, a line `ROW QUESTION LETTER` for each answer.
"""

from __future__ import annotations

import json
import string
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.render import markdown_rows
from engines.command_line import run_app
from engines.errors import ToonifyError
from engines.files import write_atomically
from engines.pictures import read_picture, write_png
from engines.training.pairs.portraits import picture_files
from engines.training.show.sheets import contact_sheet

SIDE, ROWS = 380, 4  # of a picture, pixels; on a sheet
LETTERS = string.ascii_uppercase
KEY, JUDGE, ANSWERS = "key.json", "judge", "answers.txt"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


def write_sheets(photos: Path, folders: Sequence[Path], out: Path, seed: int = 0) -> int:
    """Write sheets and key into `out`, of square pictures; the number of rows.

    Raises:
        ToonifyError: there is no photo, a picture of it is missing, two folders have one name, or
            `out` has sheets already.
    """
    names = [folder.name for folder in folders]
    if not 2 <= len(set(names)) == len(names) <= len(LETTERS):
        raise ToonifyError(
            f"2 to {len(LETTERS)} folders of different names were expected, found "
            f"{', '.join(names) or 'none'}; rename them."
        )
    if (out / KEY).exists():
        raise ToonifyError(f"{out} holds sheets already, and perhaps answers; give another folder.")
    pictures = picture_files(photos)
    others = [{path.stem: path for path in picture_files(folder)} for folder in folders]
    for folder, found in zip(folders, others, strict=True):
        for photo in pictures:
            if photo.stem not in found:
                raise ToonifyError(
                    f"A picture {photo.stem} was expected in {folder}, found none; every photo "
                    f"needs one there."
                )
    random = np.random.default_rng(seed)
    key: dict[str, dict[str, str]] = {}
    rows = []
    for row, index in enumerate(random.permutation(len(pictures)), 1):
        photo, order = pictures[index], random.permutation(len(folders))
        shown = [photo, *(others[i][photo.stem] for i in order)]
        key[str(row)] = {LETTERS[n]: names[i] for n, i in enumerate(order)}
        labels = [f"{row}  photo", *LETTERS[: len(folders)]]
        row_of = [read_picture(path).rgb for path in shown]
        rows.append(contact_sheet([row_of], labels=labels, side=SIDE))
    (out / JUDGE).mkdir(parents=True, exist_ok=True)
    for first in range(0, len(rows), ROWS):
        sheet = np.concatenate(rows[first : first + ROWS])
        write_png(out / JUDGE / f"sheet{first // ROWS + 1}.png", sheet)
    write_atomically(out / KEY, json.dumps(key, indent=1).encode())
    return len(rows)


def count(out: Path) -> dict[str, Counter[str]]:
    """How often each folder's picture was chosen, by question.

    Raises:
        ToonifyError: key or answers are missing or damaged, or a question was answered twice or not
            for every row.
    """
    try:
        key: Mapping[str, Mapping[str, str]] = json.loads((out / KEY).read_text(encoding="utf-8"))
        lines = (out / JUDGE / ANSWERS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ToonifyError(
            f"{KEY} and {JUDGE}/{ANSWERS} were expected in {out}, but: {error}."
        ) from error
    found: dict[str, dict[str, str]] = {}
    for line in filter(str.strip, lines):
        words = line.split()
        row, question, letter = words if len(words) == 3 else ("", "", "")
        chosen = key.get(row, {}).get(letter)
        answered = found.setdefault(question, {})
        if chosen is None or row in answered:
            raise ToonifyError(
                f"A line 'ROW QUESTION LETTER' was expected in {out / JUDGE / ANSWERS}, once for "
                f"each row, found {line!r}; mend it."
            )
        answered[row] = chosen
    for question, answered in found.items():
        if missing := sorted(key.keys() - answered.keys(), key=int):
            raise ToonifyError(
                f"Nobody answered {question!r} for row {', '.join(missing)} of {out}; ask again."
            )
    return {question: Counter(answered.values()) for question, answered in found.items()}


def as_table(counts: Sequence[Mapping[str, Counter[str]]]) -> str:
    """Markdown of what one judge or more chose: a line for each folder, a column for each
    question."""
    sums: dict[str, Counter[str]] = {}
    for judge in counts:
        for question, chosen in judge.items():
            sums.setdefault(question, Counter()).update(chosen)
    names = sorted({name for total in sums.values() for name in total})
    rows = [[name, *(f"{t[name]} of {t.total()}" for t in sums.values())] for name in names]
    return "\n".join(markdown_rows(["", *sums], rows))


@app.command("sheets")
def sheets_command(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="Folder of photos.")],
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Folders of pictures of them.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for sheets and key.")],
    seed: Annotated[int, typer.Option(metavar="N", help="Of the order.")] = 0,
) -> None:
    """Write sheets in random order."""
    rows = write_sheets(photos, folders, out, seed)
    print(f"Wrote {rows} rows into {out / JUDGE}; the answers belong into {ANSWERS} there.")


@app.command("count")
def count_command(
    outs: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Folders of `sheets`, one a judge.")
    ],
) -> None:
    """Add up the answers of one judge or more."""
    print(as_table([count(out) for out in outs]))


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmarks.quality.blind"))
