from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

from engines.errors import ToonifyError
from engines.training.pairs.pair_set import PairSet, PrepareError
from engines.training.pairs.prepare import Row, plan_rows, prepare

PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
SIZE = 64


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """A portrait and a picture without a face."""
    folder = tmp_path_factory.mktemp("pictures")
    shutil.copy(PORTRAIT, folder / "grace.jpg")
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 200, 3), 90, np.uint8))
    return folder


@pytest.fixture(scope="module")
def prepared(pictures, tmp_path_factory) -> tuple[Path, tuple[str, ...], list[tuple]]:
    out, calls = tmp_path_factory.mktemp("pairs"), []
    left_out = prepare(
        pictures, out, size=SIZE, variants=1, progress=lambda *call: calls.append(call)
    )
    return out, left_out, calls


def test_portraits_become_pairs(prepared) -> None:
    out, left_out, calls = prepared
    assert left_out == ("wall.png",)
    assert calls[-1] == ("draw", 2, 2)
    pairs = PairSet.open(out)
    assert pairs.photo.shape == pairs.toon.shape == (2, SIZE, SIZE, 3)
    assert pairs.head.shape == (2, SIZE // 2, SIZE // 2)
    assert np.abs(pairs.photo[0].astype(int) - pairs.toon[0]).mean() > 5
    nose = pairs.landmarks[0, 4]
    assert np.abs(nose - SIZE / 2).max() < 0.2 * SIZE
    assert pairs.head[0][tuple((nose[::-1] / 2).astype(int))] > 240
    assert pairs.warp.shape == (2, 64, 64, 2)
    assert 2 < np.abs(pairs.warp[0].astype(float)).max() * 256 < 30  # eyes and skull grow
    assert cv2.imread(str(out / "contact.png")).shape[2] == 3


def test_an_interrupted_run_goes_on_where_it_stopped(prepared, pictures) -> None:
    out, *_ = prepared
    toon, done = (np.load(out / f"{name}.npy", mmap_mode="r+") for name in ("toon", "done"))
    before = toon.copy()
    toon[1], done[1] = 0, False
    toon[0, 0, 0] = 77  # a finished row is not touched
    toon.flush(), done.flush()
    assert prepare(pictures, out, size=SIZE, variants=1) == ("wall.png",)  # told again
    after = np.load(out / "toon.npy")
    assert np.array_equal(after[1], before[1])
    assert (after[0, 0, 0] == 77).all()


def test_processes_draw_what_one_draws(prepared, tmp_path) -> None:
    out, *_ = prepared
    prepare(out / "aligned", tmp_path, size=SIZE, variants=1, workers=2)
    assert np.array_equal(np.load(tmp_path / "toon.npy")[1], np.load(out / "toon.npy")[1])


def test_other_pairs_are_never_overwritten(prepared, pictures) -> None:
    out, *_ = prepared
    with pytest.raises(PrepareError, match="another folder"):
        prepare(pictures, out, size=SIZE, variants=1, look="comic")


def test_pictures_that_came_later_are_not_passed_over(prepared, pictures, tmp_path) -> None:
    out, *_ = prepared
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    shutil.copytree(out, tmp_path / "pairs")
    shutil.copy(PORTRAIT, folder / "another.jpg")
    with pytest.raises(PrepareError, match="another folder for the pairs"):
        prepare(folder, tmp_path / "pairs", size=SIZE, variants=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"look": "oil"}, "film"), ({"size": 33}, "even size"), ({"source": "nowhere"}, "no")],
)
def test_wrong_arguments_are_named(pictures, tmp_path, arguments, words) -> None:
    given = {"source": str(pictures), **arguments}
    with pytest.raises(PrepareError, match=words):
        prepare(Path(given.pop("source")), tmp_path / "out", **given)


def test_folders_without_faces_are_named(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ToonifyError, match="hold pictures"):
        prepare(tmp_path / "empty", tmp_path / "out")
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(PrepareError, match="No face"):
        prepare(tmp_path, tmp_path / "out")


def test_variants_are_planned_alike_every_time() -> None:
    rows = plan_rows(5, 40)
    assert rows == plan_rows(5, 40)
    assert rows[:5] == [Row(i) for i in range(5)]
    changed = rows[5:]
    assert len(changed) == 40
    assert all(any(row.closed) != bool(row.jaw) for row in changed)
    assert {row.portrait for row in changed} == set(range(5))
    narrowed = [row for row in changed if min(row.closed) > 0 and max(row.closed) < 0.75]
    shut = [row for row in changed if min(row.closed) == 1]
    assert len(narrowed) > 5
    assert len(shut) > 5
    assert all(abs(left - right) < 0.25 for left, right in (row.closed for row in narrowed))


def test_turned_rows_come_last_and_leave_the_others_as_they_are() -> None:
    rows = plan_rows(50, 40, 20)
    assert rows[:90] == plan_rows(50, 40)
    turned = rows[90:]
    assert len({row.portrait for row in turned}) == 20
    assert all(12 <= row.turn[0] <= 26 and abs(row.turn[1]) <= 15 for row in turned)
    assert not any(row.jaw or any(row.closed) for row in turned)


def test_turned_heads_need_the_head_model(pictures, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("TOONIFY_RIG", raising=False)
    with pytest.raises(ToonifyError, match="Turned heads need the head model"):
        prepare(pictures, tmp_path / "pairs", size=SIZE, turned=1)
    assert not (tmp_path / "pairs").exists()
