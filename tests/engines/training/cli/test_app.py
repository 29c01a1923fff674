"""Every command from end to end, on tiny data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.training.cli.app import app
from engines.training.learn.stages import Stage, TrainSettings
from engines.training.learn.style import StyleSettings
from engines.training.own import job as own_style
from engines.training.pairs.data import PairSet
from engines.training.show.sheets import LABEL_HEIGHT
from tests.engines.factory import random_bundle
from tests.engines.training.factory import smooth_pictures, tiny_pairs, tiny_size, write_pairs

CPU = ("--device", "cpu", "--precision", "32-true", "--threads", "1")


def toonify_train(*words: object) -> None:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)
    if isinstance(result.exception, ToonifyError):
        raise result.exception
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module", autouse=True)
def threads() -> object:
    """`--threads` is for the process; leave it as it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tiny_pairs(), tmp_path_factory.mktemp("data") / "pairs")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stages = (
        Stage("face", 8, 16, toon_share=0.0),
        Stage("toon", 8, 32, fork="toon", adversarial=0.1, consistency=0.5),
    )
    settings = TrainSettings(tiny_size(), stages, batch_size=4, patch=16)
    path = tmp_path_factory.mktemp("recipe") / "tiny.json"
    path.write_text(json.dumps(asdict(settings)))
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "base.toon"
    random_bundle(32, size=tiny_size()).save(path)
    return path


def test_pack_and_unpack(pairs: Path, tmp_path: Path) -> None:
    toonify_train("pack", pairs, tmp_path / "pairs.pack")
    toonify_train("unpack", tmp_path / "pairs.pack", tmp_path / "pairs")
    assert len(PairSet.open(tmp_path / "pairs")) == 10


def test_sheets_show_every_person_once(base: Path, pairs: Path, tmp_path: Path) -> None:
    toonify_train("sheets", base, pairs, tmp_path, "--count", 3)
    people, swaps = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("people", "swaps"))
    # Three people under the captions: photo, face model, artist and the one style.
    assert people.shape[:2] == (LABEL_HEIGHT + 3 * 194 - 2, 4 * 194 - 2)
    # Photo, face model, swaps at 8, 16 and 32 px both ways, toon model.
    assert swaps.shape[:2] == (LABEL_HEIGHT + 3 * 152 - 2, 9 * 152 - 2)
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
        *("--swap", 8, "--low", "face"),
    )
    assert Bundle.load(both).styles == ("film", "comic")
    assert Bundle.load(both).card.styles["comic"].blend.low == "face"


def test_film_from_nothing_but_portraits(recipe: Path, shared_dir: Path, tmp_path: Path) -> None:
    people = tmp_path / "people"
    people.mkdir()
    for picture in sorted((shared_dir / "data/faces/dev_eval").glob("*.webp"))[:2]:
        shutil.copy(picture, people)
    out = tmp_path / "film"
    command = ("film", "--people", people, "--out", out, "--recipe", recipe, "--variants", 1)
    toonify_train(*command, "--workers", 1, "--minutes", 0, *CPU)
    assert (out / "pairs/aligned/faces.npz").is_file()  # what starts anew is done to its end
    assert not (out / "run").exists()  # time was up while drawing
    toonify_train(*command, "--workers", 1, *CPU)
    pairs = PairSet.open(out / "pairs")
    assert (len(pairs), pairs.size) == (3, 32)
    bundle = Bundle.load(out / "film-256.toon")
    assert bundle.styles == ("film",)
    assert bundle.card.licence == "MIT"
    toonify_train("prepare", people, out / "pairs", "--size", 32, "--variants", 1, "--workers", 1)
    with pytest.raises(ToonifyError, match="other pairs"):
        toonify_train("prepare", people, out / "pairs", "--size", 64, "--workers", 1)


def other_base(folder: Path) -> Path:
    """A model of the same name with other weights."""
    random_bundle(32, seed=1, size=tiny_size()).save(folder / "base.toon")
    return folder / "base.toon"


def test_own_style(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = StyleSettings(
        pictures=8, num_people=3, batch_size=4, discriminator_side=16, discriminator_base=256
    )
    monkeypatch.setattr("engines.training.learn.style.StyleSettings", lambda: tiny)
    job = own_style.StyleJob
    monkeypatch.setattr(
        "engines.training.own.job.StyleJob",
        lambda **kw: job(**kw, encoder=replace(job(**kw).encoder, pictures=8, twins=1)),
    )
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, picture in enumerate(smooth_pictures(20, 40, seed=4)):
        cv2.imwrite(str(folder / f"{i}.png"), picture)
    out = tmp_path / "own.toon"
    alike = tiny_pairs()
    alike.landmarks[:] = alike.landmarks[0]  # whom one style's picture can be bent to
    people = write_pairs(alike, tmp_path / "people")
    command = ("style", folder, "--people", people, "--out", out, "--base", base, "--aligned")
    options = ("--name", "mine", "--swap", 16, "--batch", 4, *CPU)
    toonify_train(*command, *options, "--minutes", 0)
    assert not out.exists()
    toonify_train(*command, *options)
    bundle = Bundle.load(out)
    assert bundle.styles == ("mine",)
    assert bundle.card.styles["mine"].blend.swap_resolution == 16
    assert bundle.network()(torch.zeros(1, 32, 32, 3, dtype=torch.uint8))[0].shape == (1, 32, 32, 3)
    assert (tmp_path / "own-work/style.png").is_file()
    assert (tmp_path / "own-work/drawn.png").is_file()
    assert (tmp_path / "own-work/encoder.png").is_file()
    other = ("--base", other_base(tmp_path))
    for change in (("--pictures", 12), ("--swap", 8), ("--start", "face"), other):
        with pytest.raises(ToonifyError, match="other pictures or settings"):
            toonify_train(*command, *options, *change)
    cv2.imwrite(str(folder / "20.png"), smooth_pictures(1, 40, seed=5)[0])
    with pytest.raises(ToonifyError, match="other pictures or settings"):
        toonify_train(*command, *options)
    few = tmp_path / "few"
    few.mkdir()
    cv2.imwrite(str(few / "0.png"), smooth_pictures(1, 40)[0])
    with pytest.raises(ToonifyError, match="gave 1 faces, but a style needs at least 20"):
        toonify_train("style", few, *command[2:4], "--out", tmp_path / "b", *command[6:], *CPU)
    for i, picture in enumerate(smooth_pictures(20, 40, seed=4)):
        cv2.imwrite(str(few / f"{i}.png"), picture)
    start = ("style", few, *command[2:4], "--out", tmp_path / "b", *command[6:], *CPU)
    toonify_train(*start, "--minutes", 0)  # the pictures that were missing may be added
    with np.load(tmp_path / "b-work/style.npz") as crops:
        assert len(crops["images"]) == 20
    with pytest.raises(ToonifyError, match="--people is missing"):
        toonify_train("style", folder, "--out", out)
    for wrong, what in (
        (("--swap", 64), "lies above"),
        (("--name", "My Style"), "lower-case"),
        (("--start", "opera"), "no style 'opera'"),
        (("--out", folder), "something else than a model"),
    ):
        work = tmp_path / "wrong"
        with pytest.raises(ToonifyError, match=what):
            toonify_train(*command, *CPU, "--work", work, *wrong)
        assert not work.exists()  # refused before anything is read or trained


@pytest.mark.parametrize("command", ["style", "distil", "refit"])
def test_a_mistyped_folder_does_not_block_the_right_one(
    command: str, pairs: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what has been read marks the working folder."""
    monkeypatch.setattr("engines.training.learn.distil.check_refittable", lambda bundle: None)
    empty = tmp_path / "pictrues"
    empty.mkdir()
    cv2.imwrite(str(empty / "0.png"), smooth_pictures(1, 40)[0])
    words: tuple[object, ...] = (base, "--people", empty)
    if command == "style":
        words = (empty, "--people", pairs, "--base", base, "--aligned")
    with pytest.raises(ToonifyError, match=r"gave 1 faces|No face was found"):
        toonify_train(command, *words, "--out", tmp_path / "out.toon", *CPU)
    assert not (tmp_path / "out-work/run.json").exists()


def test_an_unknown_style_is_not_distilled(pairs: Path, base: Path, tmp_path: Path) -> None:
    for wrong, what in ((("--style", "opera"), "no style 'opera'"), (("--swap", 64), "lies above")):
        with pytest.raises(ToonifyError, match=what):
            toonify_train("distil", base, "--people", pairs, "--out", tmp_path / "a.toon", *wrong)


def test_distil(pairs: Path, base: Path, tmp_path: Path) -> None:
    out = tmp_path / "steady.toon"
    command = ("distil", base, "--people", pairs, "--out", out, "--pictures", 8, "--batch", 4)
    toonify_train(*command, "--swap", 8, "--minutes", 0, *CPU)
    assert not out.exists()
    toonify_train(*command, "--swap", 8, *CPU)
    card = Bundle.load(out).card
    assert card.styles["film"].blend.swap_resolution == 8
    assert "8 augmented crops of 10 people" in card.training["Encoder"]
    with pytest.raises(ToonifyError, match="other pictures or settings"):
        toonify_train(*command, "--swap", 16, *CPU)
    command = (command[0], other_base(tmp_path), *command[2:])
    with pytest.raises(ToonifyError, match="other pictures or settings"):
        toonify_train(*command, "--swap", 8, *CPU)


def test_refit(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = tiny_size()
    plain = replace(size, encoder=replace(size.encoder_config(), feature_resolutions=()))
    public = random_bundle(32, size=plain)
    path = tmp_path / "public.toon"
    replace(public, encoder=None, card=replace(public.card, encoder=None)).save(path)
    people = write_pairs(tiny_pairs(side=64), tmp_path / "people")
    command = ("refit", path, "--people", people, "--size", 64, "--pictures", 8, "--batch", 4)
    toonify_train(*command, *CPU)
    assert Bundle.load(path).network().input_size == 64
    toonify_train(*command, *CPU)  # is done already
    before = base.read_bytes()
    with pytest.raises(ToonifyError, match="works with feature maps"):
        toonify_train("refit", base, *command[2:], *CPU)
    monkeypatch.setattr("engines.bundle.shipped_bundle", lambda: path)
    with pytest.raises(ToonifyError, match=r"belongs to the package .* give --out"):
        toonify_train(*command, *CPU)
    assert base.read_bytes() == before


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


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "does not hold"), ('{"size": {"colour": 1}}', "colour"), ("{}", "no stages")],
)
def test_recipes_that_are_none(pairs: Path, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content)
    with pytest.raises(ToonifyError, match=message):
        toonify_train("run", pairs, "--out", tmp_path / "run", "--recipe", path)
    with pytest.raises(ToonifyError, match="no recipe 'no-such'"):
        toonify_train("run", pairs, "--out", tmp_path / "run", "--recipe", "no-such")
