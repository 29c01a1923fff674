"""Training by pairs: it learns, resumes exactly, holds still what it should."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch

from engines.errors import ToonifyError
from engines.training.learn.runs import CHECKPOINT, CURVES, Deadline, resume, run
from engines.training.learn.stages import Stage, TrainSettings
from engines.training.learn.trainer import Trainer
from engines.training.pairs.sampler import Batch
from tests.engines.training.factory import CPU, StopAfter, tiny_pairs, tiny_size

PAIRED = Stage("paired", 400, 32, lr=4e-3)
SHARP = Stage(
    "sharp",
    16,
    32,
    adversarial=0.1,
    consistency=0.5,
    face_share=0.5,
    close_up=0.5,
    detail=1.0,
    colour=1.0,
    elsewhere=0.2,
)
QUICK = replace(PAIRED, features=0.0)  # where what is drawn does not matter
WHO, PAIRED_LOSSES = ("face", "toon"), ("l1", "edges", "features", "mask", "warp")


def make(*stages: Stage, side: int = 32) -> Trainer:
    settings = TrainSettings(
        tiny_size(side), stages, batch_size=4, twins=1, seed=3, patch=16, r1_every=2
    )
    return Trainer(settings, tiny_pairs(side=side), CPU)


def test_steps_on_one_batch_lower_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(PAIRED)
    batch = trainer.sampler.draw()
    monkeypatch.setattr(trainer.sampler, "draw", lambda: Batch(**vars(batch)))
    totals = []
    for _ in range(8):
        losses = trainer.train_step()
        totals.append(sum(losses[f"{who}_{what}"] for who in WHO for what in PAIRED_LOSSES))
    assert totals[-1] < 0.8 * totals[0]


def test_resuming_is_exact(tmp_path: Path) -> None:
    stages = (replace(PAIRED, pictures=8, toon_share=0.0), replace(SHARP, fork="toon"))
    whole = make(*stages)
    assert run(whole, tmp_path / "whole", Deadline())

    first = make(*stages)
    assert not run(first, tmp_path / "parts", StopAfter(3))  # in the second stage
    second = make(*stages)
    assert resume(second, tmp_path / "parts")
    assert (second.stage_index, second.step) == (1, 3)
    assert run(second, tmp_path / "parts", Deadline())

    for name in ("models", "ema", "discriminator"):
        a, b = (t.parts()[name].state_dict() for t in (whole, second))
        assert all(torch.equal(a[key], b[key]) for key in a), name


def test_a_stage_ends_with_its_last_step(tmp_path: Path) -> None:
    stages = (replace(QUICK, pictures=4), replace(QUICK, name="next", pictures=4, fork="face"))
    trainer = make(*stages)
    assert not run(trainer, tmp_path, StopAfter(1))
    assert trainer.position == ("paired", 4, 4)
    assert trainer.state()["progress"] == [1, 0, 1]
    state = trainer.state()
    state["progress"] = [0, 4, 1]  # as earlier releases saved when they were stopped right there
    again = make(*stages)
    again.load_state(state)
    assert (again.stage_index, again.stage_pictures) == (1, 0)
    again.train_step()
    assert again.position == ("next", 4, 4)
    assert again.done


def test_time_is_up_after_the_step_in_hand(tmp_path: Path) -> None:
    trainer = make(QUICK)
    assert not resume(trainer, tmp_path)
    assert not run(trainer, tmp_path, Deadline(minutes=0))
    assert trainer.step == 1
    assert (tmp_path / CHECKPOINT).is_file()
    assert resume(make(QUICK), tmp_path)


def test_curves_are_written(tmp_path: Path) -> None:
    steps: list[int] = []
    trainer = make(replace(QUICK, pictures=80, toon_share=0.0))
    assert run(trainer, tmp_path, Deadline(), report=lambda task, losses: steps.append(task.step))
    assert steps == list(range(1, 21))
    header, row = (tmp_path / CURVES).read_text().splitlines()
    assert header == "time,stage,step,pictures,losses"
    assert ",paired,20,80," in row


def test_networks_outside_a_stage_stay_as_they_are(tmp_path: Path) -> None:
    stage = replace(SHARP, face_share=0.0, pictures=8, trains=("toon",))
    trainer = make(stage)
    before = {k: v.clone() for k, v in trainer.models.module.state_dict().items()}
    assert run(trainer, tmp_path, Deadline())
    after = trainer.models.module.state_dict()
    moved = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert moved == {"toon"}


def test_twins_are_drawn_only_where_they_are_compared(tmp_path: Path) -> None:
    trainer = make(replace(QUICK, pictures=4), replace(SHARP, pictures=4, features=0.0))
    batches = watch_batches(trainer)
    assert run(trainer, tmp_path, Deadline())
    assert [(len(batch.crop), len(batch.shift)) for batch in batches] == [(4, 0), (4, 1)]


def test_a_swap_of_toon_and_face_learns() -> None:
    trainer = make(replace(QUICK, resolution=64, swap_share=0.5), side=64)
    losses = trainer.train_step()
    assert 0 < losses["swap"] < 4


def test_batch_statistics_can_be_kept(tmp_path: Path) -> None:
    trainer = make(replace(QUICK, pictures=8, statistics=False))
    before = {k: v.clone() for k, v in trainer.models.module.encoder.state_dict().items()}
    assert run(trainer, tmp_path, Deadline())
    after = trainer.models.module.encoder.state_dict()
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved
    assert not any("running" in key or "tracked" in key for key in moved)


@pytest.mark.parametrize("name", ["toon", "face"])
def test_a_fork_makes_siblings_of_both_generators_and_their_averages(
    tmp_path: Path, name: Literal["toon", "face"]
) -> None:
    frozen = replace(QUICK, pictures=4, lr=0.0, fork=name)
    trainer = make(frozen)
    other = {"toon": "face", "face": "toon"}[name]
    source = {k: v.clone() for k, v in trainer.models.module.state_dict().items()}
    assert run(trainer, tmp_path, Deadline())
    for models in (trainer.models.module, trainer.ema.module):
        face, toon = models.face.state_dict(), models.toon.state_dict()
        assert all(torch.equal(face[key], toon[key]) for key in face if "w_avg" not in key)
    kept = getattr(trainer.models.module, other).synthesis.b4.const
    assert torch.equal(kept, source[f"{other}.synthesis.b4.const"])


def test_other_sizes_and_damage_are_refused(tmp_path: Path) -> None:
    assert not run(make(QUICK), tmp_path, StopAfter(1))
    with pytest.raises(ToonifyError, match=r"checkpoint\.pt cannot be continued: .* another size"):
        resume(make(QUICK, side=64), tmp_path)
    other = make(QUICK)
    other.settings = replace(other.settings, patch=8)
    with pytest.raises(ToonifyError, match="another size"):
        resume(other, tmp_path)
    with pytest.raises(ToonifyError, match="another training's"):
        other.load_state({"step": 1})
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(ToonifyError, match="not a training checkpoint"):
        resume(make(QUICK), tmp_path)


def test_what_has_been_trained_must_be_what_is_asked_for(tmp_path: Path) -> None:
    first, second = replace(QUICK, pictures=4), replace(SHARP, pictures=8, features=0.0)
    assert not run(make(first, second), tmp_path, StopAfter(2))  # in the second stage

    other = replace(second, lr=1e-5)
    for stages in ((first, other), (second,), (first,), (replace(first, pictures=8), second)):
        with pytest.raises(ToonifyError, match=r"in other stages \(paired, sharp\)"):
            resume(make(*stages), tmp_path)
    longer = make(first, replace(second, pictures=12), other)  # and one more
    assert resume(longer, tmp_path)
    assert run(longer, tmp_path, Deadline())
    assert (longer.stage_index, longer.step) == (3, 1 + 3 + 2)

    # Another recipe in a finished folder is not done, it is another run.
    with pytest.raises(ToonifyError, match="in other stages"):
        resume(make(replace(first, trains=("toon",))), tmp_path)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    theirs = json.loads(state["settings"])
    again = make(*longer.settings.stages)
    del theirs["stages"][0]["statistics"]  # an older release did not have it
    again.load_state({**state, "settings": json.dumps(theirs)})
    theirs["stages"][0]["colours"] = 3
    with pytest.raises(ToonifyError, match="in other stages"):
        again.load_state({**state, "settings": json.dumps(theirs)})


def test_a_training_started_from_a_model_goes_on_from_no_other() -> None:
    names = ("encoder", "face", "toon")
    weights = {name: getattr(make(QUICK).models.module, name).state_dict() for name in names}
    other = {name: {k: v + 1 for k, v in state.items()} for name, state in weights.items()}
    begun, same, new, unnamed = (make(QUICK) for _ in range(4))
    begun.start_from(weights, "film")
    same.start_from(weights, "film")
    new.start_from(other, "comic")
    begun.train_step()
    same.load_state(begun.state())
    unnamed.load_state(begun.state())
    assert unnamed.start == same.start == begun.start
    with pytest.raises(ToonifyError, match="did not start from comic"):
        new.load_state(begun.state())
    old = begun.state()
    del old["start"]  # an older release did not save it
    new.load_state(old)
    assert new.start is None


def test_checkpoints_of_earlier_releases_are_resumed(tmp_path: Path) -> None:
    """They have other names for the same things."""
    trainer = make(replace(QUICK, pictures=12))
    assert not run(trainer, tmp_path, StopAfter(1))
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    settings = json.loads(state["settings"])
    settings["stages"][0]["top"] = settings["stages"][0].pop("resolution")
    for now, then in (
        ("ema", "average"),
        ("discriminator", "judge"),
        ("discriminator_optimizer", "judge_optimizer"),
    ):
        state[then] = state.pop(now)
    del state["step"]
    torch.save({**state, "settings": json.dumps(settings)}, tmp_path / CHECKPOINT)
    again = make(replace(QUICK, pictures=12))
    assert resume(again, tmp_path)
    a, b = trainer.ema.module.state_dict(), again.ema.module.state_dict()
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert again.train_step() == trainer.train_step()


def test_a_fovea_learns_alone_at_its_own_size(tmp_path: Path) -> None:
    stage = Stage("fovea", 16, 128, lr=4e-3, face_share=0.25, trains=("fovea",), statistics=False)
    settings = TrainSettings(tiny_size(64), (stage,), batch_size=4, seed=3)
    assert settings.pair_size == 128
    trainer = Trainer(settings, tiny_pairs(side=128), CPU)
    before = {k: v.clone() for k, v in trainer.models.module.state_dict().items()}
    batches = watch_batches(trainer)
    assert run(trainer, tmp_path, Deadline())
    assert {(batch.crop.shape[-1], batch.toon.shape[-1]) for batch in batches} == {(64, 128)}
    after = trainer.models.module.state_dict()
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert {key.split(".")[0] for key in moved} == {"face", "toon"}
    assert all(".fovea." in key for key in moved), moved


def test_larger_pairs_are_shrunk_to_what_a_stage_needs(tmp_path: Path) -> None:
    settings = TrainSettings(tiny_size(64), (replace(QUICK, pictures=4),), batch_size=4, seed=3)
    trainer = Trainer(settings, tiny_pairs(side=128), CPU)
    batches = watch_batches(trainer)
    assert run(trainer, tmp_path, Deadline())
    assert batches[0].crop.shape[-1] == batches[0].toon.shape[-1] == 64
    assert batches[0].eyes.max() < 64


def watch_batches(trainer: Trainer) -> list[Batch]:
    """The batches that a trainer draws from now on."""
    batches: list[Batch] = []
    draw = trainer.sampler.draw

    def watched() -> Batch:
        batches.append(draw())
        return batches[-1]

    trainer.sampler.draw = watched  # type: ignore[method-assign]
    return batches
