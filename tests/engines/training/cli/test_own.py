"""`toonify train style`, `distil` and `refit` from end to end, on tiny data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.finish import Finish
from engines.training.learn.style import StyleSettings
from engines.training.own import job as own_style
from tests.engines.factory import random_bundle
from tests.engines.training.cli.commands import CPU, toonify_train
from tests.engines.training.factory import smooth_pictures, tiny_pairs, tiny_size, write_pairs


def other_base(folder: Path) -> Path:
    """A model of the same name with other weights."""
    random_bundle(seed=1, size=tiny_size()).save(folder / "base.toon")
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
    alike.landmarks[:] = alike.landmarks[0]  # so that any style picture can be bent to them
    people = write_pairs(alike, tmp_path / "people")
    command = ("style", folder, "--people", people, "--out", out, "--base", base, "--aligned")
    options = ("--name", "mine", "--swap", 16, "--batch", 4, "--inked", "--painted-eyes", *CPU)
    toonify_train(*command, *options, "--minutes", 0)
    assert not out.exists()
    toonify_train(*command, *options)
    bundle = Bundle.load(out)
    assert bundle.styles == ("mine",)
    assert bundle.card.styles["mine"].blend.swap_resolution == 16
    assert bundle.card.styles["mine"].finish == Finish(painted_eyes=True, inked=True)
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
    toonify_train(*start, "--minutes", 0)  # missing pictures may be added
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
    """The work folder is marked only once everything was read."""
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


@pytest.mark.parametrize("command", ["style", "distil", "refit", "film"])
def test_a_folder_of_people_is_looked_at_first(
    command: str, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engines.training.learn.distil.check_refittable", lambda bundle: None)
    for what, said in (("nowhere", "there is none"), (".", "but has none")):
        words = ("--out", tmp_path / "out.toon", "--people", tmp_path / what)
        given = () if command == "film" else (base,)
        with pytest.raises(ToonifyError, match=said):
            toonify_train(command, *given, *words)
        assert list(tmp_path.iterdir()) == []


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
    public = random_bundle(size=plain)
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
