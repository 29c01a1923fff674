"""Sheets for blind judges, and the counts of their answers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.blind import ANSWERS, JUDGE, KEY, SIDE, app, as_table, count, write_sheets
from engines.command_line import run_app
from engines.errors import ToonifyError
from engines.pictures import read_picture, write_png

PEOPLE = 5
LEVELS = {"photos": 10, "new": 120, "old": 240}  # of grey: by it a picture on a sheet is known


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Photos and two folders of pictures of them."""
    for name, level in LEVELS.items():
        for person in range(PEOPLE):
            (tmp_path / name).mkdir(exist_ok=True)
            write_png(tmp_path / name / f"{person}.png", np.full((64, 64, 3), level, np.uint8))
    return [tmp_path / name for name in LEVELS]


def choose(out: Path, name: str, question: str = "film") -> str:
    """Answers of somebody who always chooses one folder."""
    key = json.loads((out / KEY).read_text())
    letter = {row: next(a for a, n in places.items() if n == name) for row, places in key.items()}
    return "".join(f"{row} {question} {letter[row]}\n" for row in key)


def test_the_key_says_what_lies_where(folders: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert write_sheets(folders[0], folders[1:], out, seed=3) == PEOPLE
    key = json.loads((out / KEY).read_text())
    sheets = [read_picture(out / JUDGE / f"sheet{n}.png").rgb for n in (1, 2)]
    height = sheets[1].shape[0]
    rows = [sheet[top : top + height] for sheet in sheets for top in range(0, len(sheet), height)]
    assert len(rows) == len(key) == PEOPLE
    for row, places in zip(rows, key.values(), strict=True):
        middle = [row[-SIDE // 2, SIDE // 2 + n * (SIDE + 2), 0] for n in range(3)]
        assert middle == [10, LEVELS[places["A"]], LEVELS[places["B"]]]
    assert len({places["A"] for places in key.values()}) == 2  # no folder is always first
    assert not (out / JUDGE / KEY).exists()


def test_answers_are_added_up(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [tmp_path / "first", tmp_path / "second"]
    for seed, out in enumerate(outs):
        write_sheets(folders[0], folders[1:], out, seed)
        (out / JUDGE / ANSWERS).write_text(
            choose(out, ("new", "old")[seed]) + choose(out, "new", "wear")
        )
    assert [count(out) for out in outs] == [
        {"film": Counter(new=5), "wear": Counter(new=5)},
        {"film": Counter(old=5), "wear": Counter(new=5)},
    ]
    assert run_app(app, "blind", ["count", *map(str, outs)]) == 0
    told = capsys.readouterr().out.strip()
    assert told == as_table([count(out) for out in outs])
    assert told.splitlines()[2:] == ["| new | 5 of 10 | 10 of 10 |", "| old | 5 of 10 | 0 of 10 |"]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ("1 film Z\n", "found '1 film Z'"),
        ("99 film A\n", "found '99 film A'"),
        ("1 film A or B\n", "found '1 film A or B'"),
        ("1 film A\n1 film B\n", "found '1 film B'"),
        ("1 film A\n", "Nobody answered 'film' for row 2, 3, 4, 5"),
    ],
)
def test_answers_that_cannot_be_counted_are_named(
    folders: list[Path], tmp_path: Path, answers: str, reason: str
) -> None:
    out = tmp_path / "out"
    write_sheets(folders[0], folders[1:], out)
    (out / JUDGE / ANSWERS).write_text(answers)
    with pytest.raises(ToonifyError, match=reason):
        count(out)


def test_what_is_missing_is_named(folders: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ToonifyError, match=r"answers\.txt were expected"):
        count(out)
    with pytest.raises(ToonifyError, match="of different names"):
        write_sheets(folders[0], [folders[1], folders[1]], out)
    with pytest.raises(ToonifyError, match=r"was expected to hold pictures .* but has none"):
        write_sheets(tmp_path, folders[1:], out)
    write_sheets(folders[0], folders[1:], out)
    with pytest.raises(ToonifyError, match="holds sheets already"):
        write_sheets(folders[0], folders[1:], out)
    (folders[2] / "3.png").unlink()
    with pytest.raises(ToonifyError, match=r"A picture 3 was expected in .*old, found none"):
        write_sheets(folders[0], folders[1:], tmp_path / "other")
