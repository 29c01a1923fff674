"""The training loop: stages, slices of time, checkpoints that resume exactly, curves and sheets.

Stages, each started from the last one's weights (see `Stage`): a generator learns the artist's
toons or to reconstruct portraits; the other one, started as its copy, learns beside it with the
same encoder; an adversarial stage can sharpen them. `engines.training.recipe` says which are run.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.errors import ToonifyError
from engines.networks.generator import Drawing
from engines.training.learn.losses import (
    FeatureDistance,
    backward_r1,
    discriminator_loss,
    generator_loss,
    shift_loss,
    shrink,
    swap_loss,
)
from engines.training.learn.models import (
    SWAP,
    Average,
    ToonModels,
    channels_last,
    learning_groups,
    patch_discriminator,
)
from engines.training.learn.paired import paired_losses, share
from engines.training.learn.patches import cut, patch_corners
from engines.training.learn.runs import (
    CHECKPOINT,
    CURVES,
    Hardware,
    agreed,
    fingerprint,
    own_stretch,
    read_checkpoint,
    write_checkpoint,
)
from engines.training.learn.stages import Stage, TrainSettings, one_cycle
from engines.training.pairs.sampler import Batch, Sampler

CHECKPOINT_VERSION = 1


class Trainer:
    """Trains `ToonModels` on a sampler's batches.

    Args:
        settings: the run.
        sampler: training pairs.
        folder: where ``checkpoint.pt`` and ``curves.csv`` go.
        accelerator, devices, precision: as Lightning Fabric names them.
    """

    def __init__(
        self,
        settings: TrainSettings,
        sampler: Sampler,
        folder: Path,
        *,
        accelerator: str = "auto",
        devices: int | str = 1,
        precision: str = "bf16-mixed",
    ) -> None:
        self.settings, self.sampler, self.folder = settings, sampler, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.fabric = Hardware(accelerator, devices, precision).launch(settings.seed)
        self._part_ways()
        models = channels_last(ToonModels(settings.size))
        self.average = Average(models).to(self.fabric.device)
        self.models: Any = models
        self.judge: Any = patch_discriminator(settings.patch)
        # GAN-style: no first moment for the judge; the generators also learn from pictures.
        self.optimizer: Any = torch.optim.Adam(learning_groups(models), lr=2e-3, betas=(0.9, 0.99))
        self.judge_optimizer: Any = torch.optim.Adam(
            self.judge.parameters(), lr=2e-3, betas=(0.0, 0.99)
        )
        self.models, self.optimizer = self.fabric.setup(models, self.optimizer)
        self.judge, self.judge_optimizer = self.fabric.setup(self.judge, self.judge_optimizer)
        self.features = channels_last(FeatureDistance()).to(self.fabric.device)
        self.stage_index, self.stage_pictures, self.step = 0, 0, 0
        self.start: str | None = ""  # fingerprint of the weights begun with; None: not known
        self.curves_path = folder / CURVES

    # ------------------------------------------------------------------ state

    @property
    def checkpoint_path(self) -> Path:
        """The one checkpoint of this run, replaced atomically."""
        return self.folder / CHECKPOINT

    def save(self) -> None:
        """Write everything that the next step depends on."""
        if not self.fabric.is_global_zero:
            return
        state = {
            "version": CHECKPOINT_VERSION,
            "settings": json.dumps(asdict(self.settings)),
            "progress": [self.stage_index, self.stage_pictures, self.step],
            "start": self.start,
            "models": self.models.module.state_dict(),
            "average": self.average.module.state_dict(),
            "judge": self.judge.module.state_dict(),
            "optimizer": self.optimizer.optimizer.state_dict(),
            "judge_optimizer": self.judge_optimizer.optimizer.state_dict(),
            "sampler": json.dumps(self.sampler.rng.bit_generator.state),
            "torch_rng": torch.get_rng_state(),
        }
        write_checkpoint(self.checkpoint_path, state)

    def resume(self) -> bool:
        """Continue from the checkpoint if there is one; False when there is none.

        Stages that are over must be those of the settings, and so must the one in hand, but for
        how many pictures it lasts; stages to come may be changed, added or left out.

        Raises:
            ToonifyError: when it was made with other network sizes or in other stages.
        """
        if not self.checkpoint_path.is_file():
            return False
        state = read_checkpoint(self.checkpoint_path)
        theirs, mine = json.loads(state["settings"]), json.loads(json.dumps(asdict(self.settings)))
        if any(theirs[what] != mine[what] for what in ("size", "patch")):
            raise ToonifyError(
                f"{self.checkpoint_path} was made for networks of another size; give another "
                f"folder or the settings it was started with."
            )
        over, pictures, _ = state["progress"]
        begun = theirs["stages"][: over + (pictures > 0)]
        if not self._has_begun_with(begun, over):
            names = ", ".join(stage["name"] for stage in begun)
            raise ToonifyError(
                f"{self.checkpoint_path} was trained in other stages ({names}) than the settings "
                f"have; give another folder or the settings it was started with."
            )
        self.models.module.load_state_dict(state["models"])
        self.average.module.load_state_dict(state["average"])
        self.judge.module.load_state_dict(state["judge"])
        self.optimizer.optimizer.load_state_dict(state["optimizer"])
        self.judge_optimizer.optimizer.load_state_dict(state["judge_optimizer"])
        self.stage_index, self.stage_pictures, self.step = state["progress"]
        self.start = state.get("start")  # not in checkpoints of earlier releases
        self.sampler.rng.bit_generator.state = json.loads(state["sampler"])
        torch.set_rng_state(state["torch_rng"])
        self._part_ways()
        return True

    def _has_begun_with(self, begun: list[dict[str, Any]], over: int) -> bool:
        """Whether the settings' stages start with these, of which ``over`` are over."""
        mine = self.settings.stages[: len(begun)]
        try:  # fields that are younger than a checkpoint had their defaults
            theirs = tuple(Stage(**values) for values in begun)
        except TypeError:
            return False
        if len(theirs) > over and len(mine) > over:
            last = replace(theirs[over], pictures=mine[over].pictures)
            theirs = (*theirs[:over], last)
        return mine == theirs

    def start_from(self, weights: dict[str, dict[str, Tensor]]) -> None:
        """Begin with the weights of "encoder", "face" and "toon" (a bundle's, for instance)."""
        self.start = fingerprint(*weights.values())
        for models in (self.models.module, self.average.module):
            for name, state in weights.items():
                getattr(models, name).load_state_dict(state)

    def _part_ways(self) -> None:
        """Give every process after the first its own stretch of random numbers."""
        self.sampler.rng = own_stretch(self.sampler.rng, self.fabric.global_rank)

    # ------------------------------------------------------------------ loop

    def run(
        self,
        minutes: float = float("inf"),
        *,
        save_every: float = 5.0,
        report: Callable[[str], None] = print,
        on_save: Callable[[Trainer], None] | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train until the stages end (True) or the minutes are over (False), then save.

        ``interrupted`` is asked after every step whether to stop as if the minutes were over.
        """
        start = saved = time.monotonic()
        self.models.train()
        while self.stage_index < len(self.settings.stages):
            stage = self.settings.stages[self.stage_index]
            if self.stage_pictures == 0 and stage.fork:
                for models in (self.models.module, self.average.module):
                    models.fork(stage.fork)
            self.sampler.twins = self.settings.twins if stage.consistency else 0
            for name, network in self.models.module.named_children():
                learns = name in stage.trains
                # Batch norm is the only layer that knows the difference.
                network.requires_grad_(learns).train(learns and stage.statistics)
            while self.stage_pictures < stage.pictures:
                values = self.train_step(stage)
                if self.step % 20 == 0 and self.fabric.is_global_zero:
                    self._log(stage, values, report)
                now = time.monotonic()
                if agreed(self.fabric, now - start > minutes * 60 or interrupted()):
                    self.save()
                    return False
                if now - saved > save_every * 60:
                    self.save()
                    saved = now
                    if on_save and self.fabric.is_global_zero:
                        on_save(self)
            self.stage_index, self.stage_pictures = self.stage_index + 1, 0
            self.save()
        if on_save and self.fabric.is_global_zero:
            on_save(self)
        self.fabric.barrier()  # nobody reads the checkpoint before it is written
        return True

    def train_step(self, stage: Stage) -> dict[str, float]:
        """One optimiser step of ``stage`` on a fresh batch: the losses by name."""
        progress = self.stage_pictures / stage.pictures
        rate = stage.lr * one_cycle(progress, self.settings.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        batch = self.sampler.draw().to(self.fabric.device)
        with self.fabric.autocast():
            n, size, patch = len(batch.crop), self.sampler.pairs.size, self.settings.patch
            shares = {
                "face": share(n, stage.face_share),
                "toon": share(n, stage.toon_share),
                "swap": share(n, stage.swap_share) if stage.top >= SWAP else 0,
            }
            w_plus, drawn = self.models(
                channels_last(batch.crop),
                {name: count for name, count in shares.items() if count},
                stage.top,
            )
            losses = self._paired(stage, batch, drawn)
            total = torch.stack(list(losses.values())).sum()
            if stage.adversarial:
                boxes = patch_corners(
                    batch.eyes[: shares["toon"]] * (stage.top / size), stage.top, patch
                )
                fake = cut(drawn["toon"].image, boxes, patch, patch)
                real = cut(shrink(batch.toon[: len(fake)], stage.top), boxes, patch, patch)
                self.judge.requires_grad_(False)
                losses["adversarial"] = generator_loss(self.judge(fake)) * stage.adversarial
                total = total + losses["adversarial"]
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(total)
        norm = self.fabric.clip_gradients(
            self.models,
            self.optimizer,
            max_norm=self.settings.clip,
            error_if_nonfinite=False,
        )
        self.optimizer.step()
        if "encoder" in stage.trains:
            self.models.module.track_w_avg(w_plus)
        if stage.adversarial:
            losses["judge"] = self._train_judge(real, fake.detach())
        losses["gradient"] = norm
        self.step += 1
        self.stage_pictures += self.settings.batch_size * self.fabric.world_size
        self.average.update(self.models.module, self.step)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _paired(self, stage: Stage, batch: Batch, drawn: dict[str, Drawing]) -> dict[str, Tensor]:
        losses = {}
        for name, drawing in drawn.items():
            image, _, detail = drawing
            count = len(image)
            if name == "swap":
                losses[name] = swap_loss(image, batch.photo[:count], detail)
                continue
            terms = paired_losses(drawing, batch, stage, self.features, toon=name == "toon")
            losses |= {f"{name}_{term}": loss for term, loss in terms.items()}
            if stage.consistency and count == len(batch.crop) and len(batch.shift):
                losses[f"{name}_shift"] = stage.consistency * shift_loss(
                    image.float(), batch.shift, stage.top / self.sampler.pairs.size
                )
        return losses

    # ------------------------------------------------------------------ adversarial part

    def _train_judge(self, real: Tensor, fake: Tensor) -> Tensor:
        self.judge.requires_grad_(True)
        with self.fabric.autocast():
            loss = discriminator_loss(self.judge(real), self.judge(fake))
        self.judge_optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if self.step % self.settings.r1_every == 0:
            weight = self.settings.r1 / 2 * self.settings.r1_every
            backward_r1(self.fabric, self.judge, real, weight)
        self.judge_optimizer.step()
        return loss

    # ------------------------------------------------------------------ reporting

    def _log(self, stage: Stage, values: dict[str, float], report: Callable[[str], None]) -> None:
        row = {
            "time": round(time.time(), 1),
            "stage": stage.name,
            "step": self.step,
            "pictures": self.stage_pictures,
            "losses": json.dumps({k: round(v, 5) for k, v in values.items()}),
        }
        fresh = not self.curves_path.is_file()
        with self.curves_path.open("a", newline="") as file:
            writer = csv.DictWriter(file, row.keys())
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        text = "  ".join(f"{k} {v:.4f}" for k, v in values.items())
        report(f"{stage.name} {self.stage_pictures}/{stage.pictures}  {text}")
