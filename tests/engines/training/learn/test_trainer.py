"""The training loop: it learns, resumes exactly, holds still what it should."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch.nn import functional as F

from engines.errors import ToonifyError
from engines.training.learn.losses import (
    FeatureDistance,
    colour_loss,
    detail_loss,
    shift_loss,
    swap_loss,
)
from engines.training.learn.models import ToonModels
from engines.training.learn.paired import share
from engines.training.learn.patches import eye_strips, patch_corners
from engines.training.learn.runs import CHECKPOINT, CURVES
from engines.training.learn.stages import Stage, TrainSettings, one_cycle
from engines.training.learn.trainer import Trainer
from engines.training.pairs.sampler import Batch, Sampler
from tests.engines.training.factory import tiny_pairs, tiny_size

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


WHO, PAIRED_LOSSES = ("face", "toon"), ("l1", "edges", "features", "mask", "warp")


def make(folder: Path, *stages: Stage, side: int = 32) -> Trainer:
    settings = TrainSettings(
        tiny_size(side), stages, batch_size=4, twins=1, seed=3, patch=16, r1_every=2
    )
    sampler = Sampler(tiny_pairs(side=side), 4, seed=3, twins=1)
    return Trainer(settings, sampler, folder, accelerator="cpu", precision="32-true")


def quiet(_: str) -> None:
    pass


def test_steps_on_one_batch_lower_the_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(tmp_path, PAIRED)
    batch = trainer.sampler.draw()
    monkeypatch.setattr(trainer.sampler, "draw", lambda: Batch(**vars(batch)))
    trainer.models.train()
    totals = []
    for _ in range(12):
        losses = trainer.train_step(PAIRED)
        totals.append(sum(losses[f"{who}_{what}"] for who in WHO for what in PAIRED_LOSSES))
    assert totals[-1] < 0.8 * totals[0]


def test_resuming_is_exact(tmp_path: Path) -> None:
    stages = (replace(PAIRED, pictures=8, toon_share=0.0), replace(SHARP, fork="toon"))
    whole = make(tmp_path / "whole", *stages)
    assert whole.run(report=quiet)

    first = make(tmp_path / "parts", *stages)
    steps = iter(range(100))
    assert not first.run(report=quiet, interrupted=lambda: next(steps) == 2)  # in the second stage
    second = make(tmp_path / "parts", *stages)
    assert second.resume()
    assert (second.stage_index, second.step) == (1, 3)
    assert second.run(report=quiet)

    for name in ("models", "average", "judge"):
        a, b = (getattr(t, name).module.state_dict() for t in (whole, second))
        assert all(torch.equal(a[key], b[key]) for key in a), name


def test_time_is_up_after_the_step_in_hand(tmp_path: Path) -> None:
    trainer = make(tmp_path, PAIRED)
    saved = []
    assert not trainer.resume()
    assert not trainer.run(minutes=0, report=quiet, on_save=lambda t: saved.append(t.step))
    assert trainer.step == 1
    assert (tmp_path / CHECKPOINT).is_file()
    assert make(tmp_path, PAIRED).resume()


def test_curves_are_written(tmp_path: Path) -> None:
    lines: list[str] = []
    trainer = make(tmp_path, replace(PAIRED, pictures=80, toon_share=0.0, features=0.0))
    assert trainer.run(report=lines.append)
    assert len(lines) == 1
    header, row = (tmp_path / CURVES).read_text().splitlines()
    assert header == "time,stage,step,pictures,losses"
    assert ",paired,20," in row


def test_networks_outside_a_stage_stay_as_they_are(tmp_path: Path) -> None:
    stage = replace(SHARP, face_share=0.0, pictures=8, trains=("toon",))
    trainer = make(tmp_path, stage)
    before = {k: v.clone() for k, v in trainer.models.module.state_dict().items()}
    assert trainer.run(report=quiet)
    after = trainer.models.module.state_dict()
    moved = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert moved == {"toon"}


def test_twins_are_drawn_only_where_they_are_compared(tmp_path: Path) -> None:
    trainer = make(tmp_path, replace(PAIRED, pictures=4), replace(SHARP, pictures=4))
    drawn: list[tuple[int, int]] = []
    draw = trainer.sampler.draw

    def watched() -> Batch:
        batch = draw()
        drawn.append((len(batch.crop), len(batch.shift)))
        return batch

    trainer.sampler.draw = watched  # type: ignore[method-assign]
    assert trainer.run(report=quiet)
    assert drawn == [(4, 0), (4, 1)]


def test_a_swap_shares_its_blocks_with_both_generators(tmp_path: Path) -> None:
    models = ToonModels(tiny_size(64))
    mixed = models.swapped()
    assert mixed.block(32) is models.toon.synthesis.block(32)
    assert mixed.block(64) is models.face.synthesis.block(64)
    assert models.toon.synthesis.block(64) is not models.face.synthesis.block(64)  # left as it was

    trainer = make(tmp_path, replace(PAIRED, top=64, swap_share=0.5), side=64)
    losses = trainer.train_step(trainer.settings.stages[0])
    assert 0 < losses["swap"] < 4


def test_a_swap_is_to_show_the_person_moved() -> None:
    photo = torch.rand(2, 3, 64, 64) * 2 - 1
    detail = torch.zeros(2, 4, 16, 16)
    detail[:, 2] = 1  # all of the detail
    assert swap_loss(photo, photo, detail) < 1e-5
    detail[:, 0] = 8 / 64  # taken from 8 px further right
    moved = photo.roll(-8, -1)
    moved[..., 56:] = photo[..., 63:]
    assert swap_loss(moved, photo, detail) < 1e-5
    assert swap_loss(photo, photo, detail) > 0.1
    detail[:, :3] = 0  # none of the detail
    soft = F.interpolate(F.avg_pool2d(photo, 4), 64, mode="bilinear")
    assert swap_loss(soft, photo, detail) < 1e-5


def test_eye_strips_show_the_eyes_enlarged() -> None:
    images = torch.zeros(3, 1, 64, 64)
    eyes = torch.tensor([[[24.0, 30], [40, 30]], [[50, 4], [66, 4]], [[20, 40], [36, 44]]])
    for image, centres in zip(images, eyes, strict=True):
        for x, y in centres.long().clamp(max=63).tolist():
            image[0, y, x] = 1
    strips = eye_strips(images, eyes)
    assert strips.shape == (3, 1, 32, 64)
    for strip, centres in zip(strips, eyes, strict=True):
        seen = (strip[0] > 0.5).nonzero().float()
        gap = float(seen[:, 1].max() - seen[:, 1].min())
        assert gap == pytest.approx(2 * float(min(centres[1, 0], 63) - centres[0, 0]), abs=2)


def test_half_of_the_patches_are_at_eyes() -> None:
    eyes = torch.tensor([[[10.0, 12], [22, 12]]]).expand(40, 2, 2)
    corners = patch_corners(eyes, 32, 16)
    assert corners.min() >= 0
    assert corners.max() <= 32 - 16
    centres = corners[::2] + 8
    nearest = (centres[:, None] - eyes[::2]).abs().amax(2).amin(1)
    assert nearest.max() <= 9  # the corners of a small picture allow no more
    assert len(corners[1::2].unique(dim=0)) > 10


def test_batch_statistics_can_be_kept(tmp_path: Path) -> None:
    trainer = make(tmp_path, replace(PAIRED, pictures=8, statistics=False))
    before = {k: v.clone() for k, v in trainer.models.module.encoder.state_dict().items()}
    assert trainer.run(report=quiet)
    after = trainer.models.module.encoder.state_dict()
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved
    assert not any("running" in key or "tracked" in key for key in moved)


@pytest.mark.parametrize("name", ["toon", "face"])
def test_a_fork_makes_siblings_of_both_generators_and_their_averages(
    tmp_path: Path, name: Literal["toon", "face"]
) -> None:
    frozen = replace(PAIRED, pictures=4, lr=0.0, fork=name)
    trainer = make(tmp_path, frozen)
    other = {"toon": "face", "face": "toon"}[name]
    source = {k: v.clone() for k, v in trainer.models.module.state_dict().items()}
    assert trainer.run(report=quiet)
    for models in (trainer.models.module, trainer.average.module):
        face, toon = models.face.state_dict(), models.toon.state_dict()
        assert all(torch.equal(face[key], toon[key]) for key in face if "w_avg" not in key)
    kept = getattr(trainer.models.module, other).synthesis.b4.const
    assert torch.equal(kept, source[f"{other}.synthesis.b4.const"])


def test_other_sizes_and_damage_are_refused(tmp_path: Path) -> None:
    make(tmp_path, PAIRED).save()
    with pytest.raises(ToonifyError, match="another size"):
        make(tmp_path, PAIRED, side=64).resume()
    other = make(tmp_path, PAIRED)
    other.settings = replace(other.settings, patch=8)
    with pytest.raises(ToonifyError, match="another size"):
        other.resume()
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(ToonifyError, match="not a training checkpoint"):
        make(tmp_path, PAIRED).resume()


def test_what_has_been_trained_must_be_what_is_asked_for(tmp_path: Path) -> None:
    first, second = replace(PAIRED, pictures=4), replace(SHARP, pictures=8)
    steps = iter(range(100))
    begun = make(tmp_path, first, second)
    assert not begun.run(report=quiet, interrupted=lambda: next(steps) == 1)  # in the second stage

    other = replace(second, lr=1e-5)
    for stages in ((first, other), (second,), (first,), (replace(first, pictures=8), second)):
        with pytest.raises(ToonifyError, match=r"in other stages \(paired, sharp\)"):
            make(tmp_path, *stages).resume()
    longer = make(tmp_path, first, replace(second, pictures=12), other)  # and one more
    assert longer.resume()
    assert longer.run(report=quiet)
    assert (longer.stage_index, longer.step) == (3, 1 + 3 + 2)

    # Another recipe in a finished folder is not done, it is another run.
    with pytest.raises(ToonifyError, match="in other stages"):
        make(tmp_path, replace(first, trains=("toon",))).resume()
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    theirs = json.loads(state["settings"])
    del theirs["stages"][0]["statistics"]  # an older release did not have it
    torch.save({**state, "settings": json.dumps(theirs)}, tmp_path / CHECKPOINT)
    assert make(tmp_path, *longer.settings.stages).resume()
    theirs["stages"][0]["colours"] = 3
    torch.save({**state, "settings": json.dumps(theirs)}, tmp_path / CHECKPOINT)
    with pytest.raises(ToonifyError, match="in other stages"):
        make(tmp_path, *longer.settings.stages).resume()


def test_a_batch_has_room_for_its_twins() -> None:
    assert TrainSettings(tiny_size(), (PAIRED,), batch_size=1)  # which has none
    with pytest.raises(ToonifyError, match="A batch of 1 has room for 0 twins, not 1"):
        TrainSettings(tiny_size(), (PAIRED, SHARP), batch_size=1)


def test_colour_is_hue_and_saturation_without_light() -> None:
    torch.manual_seed(0)
    grey = torch.rand(2, 1, 32, 32).expand(-1, 3, -1, -1)
    assert colour_loss(grey, grey * 0.3) < 1e-6
    blue = grey + torch.tensor([-0.1, 0.0, 0.1])[:, None, None]
    assert colour_loss(blue, grey) == pytest.approx(0.2 / 3, rel=1e-4)  # 10 (0.1^2 + 0 + 0.1^2) / 3
    noise = blue + torch.randn(2, 3, 32, 32) * 0.05
    assert colour_loss(noise, blue) < 0.2 * colour_loss(blue, grey)


def test_detail_is_an_amount_and_no_place() -> None:
    torch.manual_seed(0)
    sharp = torch.rand(2, 3, 64, 64) * 2 - 1
    soft = F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    assert detail_loss(sharp, sharp) == 0
    assert detail_loss(sharp.roll(2, -1), sharp) < 0.2 * detail_loss(soft, sharp)
    elsewhere = torch.cat([soft[..., :32], sharp[..., 32:]], -1)
    assert detail_loss(elsewhere, elsewhere.flip(-1)) > 0.5 * detail_loss(soft, sharp)


def test_shift_loss_knows_shifted_pictures() -> None:
    torch.manual_seed(0)
    shift = torch.tensor([[3, -2], [-4, 1]])
    first = torch.rand(2, 3, 40, 40)
    second = torch.stack(
        [
            picture.roll((int(dy), int(dx)), (1, 2))
            for picture, (dx, dy) in zip(first, shift, strict=True)
        ]
    )
    images = torch.cat([first, second])
    assert shift_loss(images, shift, 1.0) == 0
    assert shift_loss(images, -shift, 1.0) > 0.1
    assert shift_loss(torch.cat([first, first]), shift, 1.0) > 0.1
    # At half the size only even moves come out whole: here none does.
    assert shift_loss(images, torch.tensor([[3, 1], [1, 1]]), 0.5) == 0


def test_one_cycle_rises_and_falls() -> None:
    rates = [one_cycle(x / 100, 0.05) for x in range(101)]
    assert max(rates) == pytest.approx(1.0, abs=1e-3)
    assert rates.index(max(rates)) == 5
    assert rates[0] == pytest.approx(0.02)
    assert rates[-1] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("n", "part", "count"), [(8, 1.0, 8), (8, 0.25, 2), (8, 0.01, 1), (8, 0, 0)]
)
def test_share(n: int, part: float, count: int) -> None:
    assert share(n, part) == count


def test_the_feature_distance_counts_places_as_told() -> None:
    distance = FeatureDistance()
    a, b = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    b[..., 32:] = a[..., 32:]  # alike on the right
    left, right = torch.zeros(2, 1, 1, 64, 64)
    left[..., :32], right[..., 32:] = 1, 1
    plain = distance.per_picture(a, b)
    torch.testing.assert_close(distance.per_picture(a, b, left + right), plain)
    assert distance.per_picture(a, b, right) < plain < distance.per_picture(a, b, left)
    assert distance(a, b, left) == distance.per_picture(a, b, left).mean()


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"pictures": 0}, "pictures must be a number above 0"),
        ({"pictures": "many"}, "not 'many'"),
        ({"top": 100}, "power of two"),
        ({"fork": "comic"}, "not 'comic'"),
        ({"trains": ("tooon",)}, "not 'tooon'"),
        ({"toon_share": 0.0, "adversarial": 1.0}, "raise toon_share"),
        ({"toon_share": 0.0, "face_share": 0.0}, "raise toon_share"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(wrong: dict[str, Any], what: str) -> None:
    with pytest.raises(ToonifyError, match=what):
        Stage(**{"name": "one", "pictures": 8, "top": 32, **wrong})


@pytest.mark.parametrize("size", [0, "8"])
def test_a_batch_that_cannot_be_is_refused(size: Any) -> None:
    with pytest.raises(ToonifyError, match="one picture or more"):
        TrainSettings(batch_size=size, twins=0)
