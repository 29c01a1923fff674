"""One encoder, its people and its work folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.blending import BlendSpec
from engines.errors import ToonifyError
from engines.training.encoder_runs import identity, read_once, train
from engines.training.learn.distil import distiller
from engines.training.learn.encoder import DistilSettings
from engines.training.learn.runs import CHECKPOINT, Deadline
from tests.engines.factory import random_bundle
from tests.engines.training.factory import CPU, StopAfter, tiny_pairs, tiny_size, write_pairs

BLENDS = {"film": BlendSpec(swap_resolution=8)}
SHORT = DistilSettings(pictures=8, batch_size=4, twins=1, features=0.0)


def test_an_encoder_is_trained_in_its_work_folder(tmp_path: Path) -> None:
    bundle = random_bundle(size=tiny_size())
    blends = {bundle.styles[0]: BLENDS["film"]}
    folder, work = write_pairs(tiny_pairs(), tmp_path / "pairs"), tmp_path / "work"
    run = identity(bundle, (bundle.face,), folder, SHORT, blends)
    people = read_once(folder, 32, work, run)
    assert len(people) == 10

    trainer = distiller(bundle, people, blends, SHORT, CPU)
    assert not train(trainer, work, StopAfter(1))
    again = distiller(bundle, people, blends, SHORT, CPU)
    assert train(again, work, Deadline())
    assert again.step == 2
    assert (work / CHECKPOINT).is_file()
    assert (work / "sheet.png").is_file()


def test_another_encoder_is_kept_out_of_its_work_folder(tmp_path: Path) -> None:
    bundle = random_bundle(size=tiny_size())
    folder, work = write_pairs(tiny_pairs(), tmp_path / "pairs"), tmp_path / "work"
    read_once(folder, 32, work, identity(bundle, (bundle.face,), folder, SHORT, BLENDS))
    others = (
        identity(bundle, (bundle.face,), folder, SHORT, {}),
        identity(bundle, (bundle.face,), tmp_path, SHORT, BLENDS),
        identity(bundle, (bundle.encoder or {},), folder, SHORT, BLENDS),
        identity(bundle, (bundle.face,), folder, DistilSettings(), BLENDS),
    )
    for other in others:
        with pytest.raises(ToonifyError, match="other pictures or settings"):
            read_once(folder, 32, work, other)
