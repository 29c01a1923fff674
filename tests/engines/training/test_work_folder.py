"""A work folder belongs to one training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engines.errors import ToonifyError
from engines.training.learn.runs import CURVES
from engines.training.work_folder import PICTURES, RUN, claim, claimed, fingerprint


def test_a_folder_is_not_shared(tmp_path: Path) -> None:
    claim(tmp_path / "work", {"people": "a"})
    claim(tmp_path / "work", {"people": "a"})
    with pytest.raises(ToonifyError, match="other pictures or settings"):
        claim(tmp_path / "work", {"people": "b"})
    assert not (tmp_path / "work" / CURVES).exists()
    claim(tmp_path / "work", {"people": "b"}, PICTURES)  # another question
    (tmp_path / "work" / RUN).write_text("{")
    with pytest.raises(ToonifyError, match="other pictures or settings"):
        claim(tmp_path / "work", {"people": "a"})


def test_a_folder_is_marked_after_its_pictures_were_read(tmp_path: Path) -> None:
    def fail() -> None:
        raise ToonifyError("No face was found.")

    with pytest.raises(ToonifyError, match="No face"):
        claimed(tmp_path, {"people": "a"}, fail)
    assert not (tmp_path / RUN).exists()
    assert claimed(tmp_path, {"people": "b"}, lambda: 7) == 7
    with pytest.raises(ToonifyError, match="other pictures or settings"):
        claimed(tmp_path, {"people": "a"}, fail)  # before anything is read


def test_folders_of_earlier_releases_still_belong_to_their_training(tmp_path: Path) -> None:
    old = {"people": "folder", "style": {"people": 400, "judge_lr": 1e-3, "seed": 0}}
    (tmp_path / RUN).write_text(json.dumps(old, indent=2))
    style = {"num_people": 400, "discriminator_lr": 1e-3, "seed": 0}
    with pytest.raises(ToonifyError, match="other pictures or settings"):
        claim(tmp_path, {"people": "folder", "style": {**style, "num_people": 100}})
    claim(tmp_path, {"people": "folder", "style": style})


def test_a_fingerprint_is_of_names_and_values() -> None:
    weights = {"a": torch.ones(2), "b": torch.zeros(2)}
    assert fingerprint(weights) == fingerprint(dict(reversed(weights.items())))
    assert fingerprint(weights) != fingerprint({"a": weights["b"], "b": weights["a"]})
    assert fingerprint(weights) != fingerprint({"c": weights["a"], "b": weights["b"]})
