"""The commands from end to end, on tiny data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch

from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.faces.people import people as shipped_people
from engines.finish import Finish
from engines.training.pairs.pair_set import PairSet
from engines.training.show.sheets import LABEL_HEIGHT
from tests.engines.training.cli.commands import CPU, toonify_train


def test_pack_and_unpack(pairs: Path, tmp_path: Path) -> None:
    toonify_train("pack", pairs, tmp_path / "pairs.pack")
    toonify_train("unpack", tmp_path / "pairs.pack", tmp_path / "pairs")
    assert len(PairSet.open(tmp_path / "pairs")) == 10


def test_sheets_show_every_person_once(base: Path, pairs: Path, tmp_path: Path) -> None:
    toonify_train("sheets", base, pairs, tmp_path, "--count", 3)
    people, swaps = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("people", "swaps"))
    # Three people under the captions: photo, face model, artist and the one style.
    assert people.shape[:2] == (LABEL_HEIGHT + 3 * 194 - 2, 4 * 194 - 2)
    # Photo, face model, swaps at 8 and 16 px both ways, toon model.
    assert swaps.shape[:2] == (LABEL_HEIGHT + 3 * 152 - 2, 7 * 152 - 2)
    assert not (people[-192:, -192:] == 255).all()


def test_run_stops_goes_on_and_is_exported(
    pairs: Path, recipe: Path, base: Path, tmp_path: Path
) -> None:
    run = ("run", pairs, "--out", tmp_path / "run", "--recipe", recipe, *CPU)
    toonify_train(*run, "--minutes", 0)
    first = torch.load(tmp_path / "run/checkpoint.pt", weights_only=True)
    assert first["progress"] == [0, 4, 1]
    toonify_train(*run)
    last = torch.load(tmp_path / "run/checkpoint.pt", weights_only=True)
    assert last["progress"] == [2, 0, 4]
    with pytest.raises(ToonifyError, match="did not start from random-32"):
        toonify_train(*run, "--base", base)
    sheet = cv2.imread(str(tmp_path / "run/sheet.png"))
    assert sheet.shape[1] == 4 * 34 - 2
    words = tmp_path / "words.json"
    words.write_text(json.dumps({"licence": "CC0-1.0", "limits": ["very small"]}))
    out = tmp_path / "tiny.toon"
    toonify_train("export", tmp_path / "run", "--out", out, "--words", words, "--style", "film")
    bundle = Bundle.load(out)
    assert bundle.styles == ("film",)
    assert (bundle.card.licence, bundle.card.limits) == ("CC0-1.0", ("very small",))

    # A second look, learned behind the first one's encoder.
    look = json.loads(recipe.read_text())
    look["stages"] = [
        {"name": "toon", "pictures": 8, "top": 32, "face_share": 0, "trains": ["toon"]}
    ]
    second = tmp_path / "look.json"
    second.write_text(json.dumps(look))
    again = ("run", pairs, "--out", tmp_path / "comic", "--recipe", second, *CPU)
    toonify_train(*again, "--base", out)
    toonify_train(*again, "--base", out)
    with pytest.raises(ToonifyError, match="did not start from random-32"):
        toonify_train(*again, "--base", base)
    with pytest.raises(ToonifyError, match="in other stages"):
        toonify_train("run", pairs, "--out", tmp_path / "run", "--recipe", second, *CPU)
    both = tmp_path / "both.toon"
    toonify_train(
        *("export", tmp_path / "comic", "--out", both, "--add-to", out, "--style", "comic"),
        *("--swap", 8, "--low", "face", "--painted-eyes", "--inked"),
    )
    assert Bundle.load(both).styles == ("film", "comic")
    film, comic = Bundle.load(both).card.styles.values()
    assert comic.blend.low == "face"
    assert comic.finish == Finish(painted_eyes=True, inked=True)
    assert film.finish == Finish()
    lit = tmp_path / "lit.toon"
    toonify_train("export", tmp_path / "comic", "--out", lit, "--relief", "--haired-brows")
    assert Bundle.load(lit).card.styles["film"].finish == Finish(relief=True, haired_brows=True)


def test_film_from_nothing_but_portraits(recipe: Path, tmp_path: Path) -> None:
    people = tmp_path / "people"
    people.mkdir()
    for picture in shipped_people()[:2]:
        shutil.copy(picture, people)
    out = tmp_path / "film"
    command = ("film", "--people", people, "--out", out, "--recipe", recipe, "--variants", 1)
    toonify_train(*command, "--workers", 1, "--minutes", 0, *CPU)
    assert (out / "pairs/aligned/faces.npz").is_file()  # aligning is always finished
    assert not (out / "run").exists()  # time was up while drawing
    toonify_train(*command, "--workers", 1, *CPU)
    pairs = PairSet.open(out / "pairs")
    assert (len(pairs), pairs.size) == (3, 32)
    bundle = Bundle.load(out / "film.toon")
    assert bundle.styles == ("film",)
    assert bundle.card.licence == "MIT"
    toonify_train("prepare", people, out / "pairs", "--size", 32, "--variants", 1, "--workers", 1)
    with pytest.raises(ToonifyError, match="other pairs"):
        toonify_train("prepare", people, out / "pairs", "--size", 64, "--workers", 1)


def test_precisions_that_do_not_resume_are_not_offered(
    pairs: Path, recipe: Path, tmp_path: Path
) -> None:
    run = ("run", pairs, "--out", tmp_path / "run", "--recipe", recipe, "--device", "cpu")
    with pytest.raises(ToonifyError, match="in 32-true or bf16-mixed, not in '16-mixed'"):
        toonify_train(*run, "--precision", "16-mixed")


def test_errors_are_one_sentence(tmp_path: Path) -> None:
    """The module as a program: no traceback, exit code 1."""
    words = [sys.executable, "-m", "engines.training", "run", str(tmp_path), "--out", "x"]
    result = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "photo.npy" in result.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_device_is_told(pairs: Path, recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(ToonifyError, match="cannot start on 1 x 'cuda'"):
        toonify_train(
            *("run", pairs, "--out", tmp_path / "run", "--recipe", recipe, "--device", "cuda")
        )


def test_an_unknown_recipe_is_told(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(ToonifyError, match="no recipe 'no-such'"):
        toonify_train("run", pairs, "--out", tmp_path / "run", "--recipe", "no-such")
