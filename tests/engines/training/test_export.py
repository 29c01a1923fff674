"""A bundle made of a checkpoint draws what the trained network draws."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.card import Style
from engines.errors import ToonifyError
from engines.training.export import (
    Description,
    TrainedModels,
    add_style,
    add_trained_style,
    export,
)
from engines.training.learn.runs import Deadline, run
from engines.training.learn.stages import Stage, TrainSettings
from engines.training.learn.trainer import Trainer
from tests.engines.training.factory import CPU, tiny_pairs, tiny_size

STAGE = Stage("paired", 8, 32, features=0.0)


def trainer(stage: Stage = STAGE, seed: int = 0) -> Trainer:
    settings = TrainSettings(tiny_size(), (stage,), batch_size=4, twins=1, seed=seed, patch=16)
    return Trainer(settings, tiny_pairs(), CPU)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def trained(folder: Path) -> Trainer:
    made = trainer()
    run(made, folder, Deadline())
    return made


@pytest.fixture(scope="module")
def bundle(trained: Trainer, folder: Path) -> Bundle:
    about = Description("Film", "A test", "MIT", {"Data": "ten pictures"}, {"loss": 1}, ("tiny",))
    return export(TrainedModels.read(folder), "film-32", about)


def test_the_export_equals_the_trained_network(
    trained: Trainer, bundle: Bundle, tmp_path: Path
) -> None:
    models = trained.ema.module
    torch.manual_seed(0)
    crops = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    with torch.no_grad():
        codes = models.encoder(crops.permute(0, 3, 1, 2).float() * (2 / 255) - 1)
        expected = (models.toon.synthesis(*codes) * 127.5 + 127.5).clamp(0, 255)
    expected = expected.permute(0, 2, 3, 1)
    bundle.save(tmp_path / "film-32.toon")
    loaded = Bundle.load(tmp_path / "film-32.toon")
    for made, room in ((bundle, 0.51), (loaded, 2.0)):  # rounding to bytes; then FP16 weights
        toons = made.network()(crops)[0]
        assert (toons - expected).abs().max() < room
    assert expected.std() > 5


def test_the_card_says_what_it_was_told(bundle: Bundle) -> None:
    card = bundle.card
    assert (card.name, card.title, card.licence, card.limits) == (
        "film-32",
        "Film",
        "MIT",
        ("tiny",),
    )
    assert card.training == {"Data": "ten pictures"}
    assert card.encoder == tiny_size().encoder_config()
    assert "ten pictures" in card.to_markdown()


def test_a_style_trained_behind_the_same_encoder_joins(
    trained: Trainer, bundle: Bundle, tmp_path: Path
) -> None:
    assert bundle.encoder is not None
    bundle.save(tmp_path / "base")
    base = Bundle.load(tmp_path / "base")
    assert base.encoder is not None
    second = trainer(replace(STAGE, face_share=0.0, trains=("toon",)), seed=5)
    weights = {"encoder": base.encoder, "face": base.face, "toon": base.toons["film"]}
    second.start_from(weights, "base")
    run(second, tmp_path / "comic", Deadline())
    models = TrainedModels.read(tmp_path / "comic" / "checkpoint.pt")
    spec = BlendSpec(swap_resolution=8)
    joined = add_trained_style(base, models, "comic", Style("inked", spec))
    assert joined.styles == ("film", "comic")
    assert joined.card.styles["comic"].blend == spec
    joined.save(tmp_path / "both")
    crops = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    both = Bundle.load(tmp_path / "both")
    assert torch.equal(both.network("film")(crops)[0], base.network()(crops)[0])
    assert not torch.equal(both.network("comic")(crops)[0], base.network()(crops)[0])


def test_what_does_not_belong_together_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    models = TrainedModels(tiny_size(), bundle.encoder or {}, bundle.face, bundle.toons["film"])
    with pytest.raises(ToonifyError, match="a style 'film' already"):
        add_style(bundle, "film", models.toon)
    with pytest.raises(ToonifyError, match=r"only one has mapping\.fc0\.bias"):
        add_style(bundle, "new", {k: v for k, v in models.toon.items() if "fc0.bias" not in k})
    grown = {k: v[..., None] if k.endswith("b4.const") else v for k, v in models.toon.items()}
    with pytest.raises(ToonifyError, match="train it from this model"):
        add_style(bundle, "new", grown)
    other = {k: v + 1 for k, v in models.encoder.items()}
    with pytest.raises(ToonifyError, match="another encoder"):
        add_trained_style(bundle, replace(models, encoder=other), "new")


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToonifyError, match="no training checkpoint"):
        TrainedModels.read(tmp_path / "nothing.pt")
    torch.save({"step": 1}, tmp_path / "other.pt")
    with pytest.raises(ToonifyError, match="not a checkpoint of the face and toon trainer"):
        TrainedModels.read(tmp_path / "other.pt")
    torch.save([1], tmp_path / "list.pt")
    with pytest.raises(ToonifyError, match="not a training checkpoint"):
        TrainedModels.read(tmp_path / "list.pt")


def test_words_come_from_json(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"title": "T", "limits": ["one", "two"]}))
    assert Description.read(path) == Description(title="T", limits=("one", "two"))
    for wrong, told in (
        ({"colour": "red"}, "colour"),
        ({"title": 3}, "title should be a text"),
        ({"training": "much"}, "training should be texts by name"),
    ):
        path.write_text(json.dumps(wrong))
        with pytest.raises(ToonifyError, match=told):
            Description.read(path)
