"""Face and toon generator learned from pairs, behind one encoder; a `runs.Task`.

It has stages (see `Stage`), each of which starts with the weights of the one before. First one
generator learns the artist's toons or to reconstruct portraits. Then the other one starts as its
copy and learns beside it with the same encoder. An adversarial stage can sharpen both.
`engines.training.recipe` has the stages that are used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from engines.errors import ToonifyError
from engines.networks.generator import Drawing, Generator
from engines.training.hardware import Hardware
from engines.training.learn.discriminator import DiscriminatorTrainer
from engines.training.learn.losses import FeatureDistance, shift_loss, shrink, swap_loss
from engines.training.learn.models import (
    EMA,
    SWAP,
    ToonModels,
    channels_last,
    learning_groups,
    patch_discriminator,
)
from engines.training.learn.paired import band_losses, paired_losses, share
from engines.training.learn.patches import cut, patch_corners
from engines.training.learn.runs import Position
from engines.training.learn.stages import FOVEA, Stage, TrainSettings, has_begun_with, one_cycle
from engines.training.learn.task import SampledTask
from engines.training.pairs.pair_set import PairSet
from engines.training.pairs.sampler import Batch, Sampler
from engines.training.work_folder import fingerprint

CHECKPOINT_VERSION = 1


class Trainer(SampledTask):
    """Trains `ToonModels` on pairs, stage by stage.

    Args:
        settings: the run.
        pairs: photos and toons, as large as the largest pictures of any stage or larger.
        hardware: what to train on.
    """

    settings: TrainSettings

    def __init__(
        self, settings: TrainSettings, pairs: PairSet, hardware: Hardware | None = None
    ) -> None:
        crop = settings.size.encoder_config().input_size
        sampler = Sampler(pairs, settings.batch_size, settings.seed, settings.twins, crop=crop)
        super().__init__(settings, sampler, hardware)
        models = channels_last(ToonModels(settings.size))
        self.ema = EMA(models).to(self.fabric.device)
        network = patch_discriminator(settings.patch)
        # With a first moment, unlike most GANs: the generators also learn from pictures.
        self.models: Any
        self.models, self.optimizer = self.fabric.setup(
            models, torch.optim.Adam(learning_groups(models), lr=2e-3, betas=(0.9, 0.99))
        )
        self.discriminator = DiscriminatorTrainer(
            self.fabric, network, lr=2e-3, r1=settings.r1, r1_every=settings.r1_every
        )
        self.features = channels_last(FeatureDistance()).to(self.fabric.device)
        self.stage_index, self.stage_pictures = 0, 0
        self._prepared: int | None = None  # the stage that the networks are set up for
        self._position = Position("", 0, 0)
        # Fingerprint of the weights it began with: "" if they were random, None if not known.
        self.start: str | None = ""
        self.start_name = ""

    def start_from(self, weights: Mapping[str, Mapping[str, Tensor]], name: str) -> None:
        """Begin with the weights of "encoder", "face" and "toon" of the bundle `name`."""
        self.start, self.start_name = fingerprint(*weights.values()), name
        for models in (self.models.module, self.ema.module):
            for part, state in weights.items():
                getattr(models, part).load_state_dict(state)

    # ------------------------------------------------------------------ stages

    @property
    def stage(self) -> Stage:
        """The stage of the next step, or the last one when all are over."""
        return self.settings.stages[min(self.stage_index, len(self.settings.stages) - 1)]

    @property
    def done(self) -> bool:
        """Whether all stages are over."""
        return self.stage_index >= len(self.settings.stages)

    @property
    def position(self) -> Position:
        """Where the last step left the training: its stage, even if that is over now."""
        return self._position

    def _prepare_stage(self, stage: Stage) -> None:
        """Set up the networks and the sampler for the next steps."""
        if self._prepared == self.stage_index:
            return
        self._prepared = self.stage_index
        if self.stage_pictures == 0 and stage.fork:
            for models in (self.models.module, self.ema.module):
                models.fork(stage.fork)
        self.sampler.twins = self.settings.twins if stage.consistency else 0
        self.sampler.side = max(self.sampler.crop, stage.resolution)
        for name, network in self.models.module.named_children():
            learns = name in stage.trains
            # Batch norm is the only layer that knows the difference.
            network.requires_grad_(learns).train(learns and stage.statistics)
            if FOVEA in stage.trains and isinstance(network, Generator):
                network.synthesis.fovea().requires_grad_(True)

    def _count(self, stage: Stage) -> None:
        """Count the step just done, and move to the next stage when this one is over."""
        self.step += 1
        self.stage_pictures += self.pictures_per_step
        self._position = Position(stage.name, self.stage_pictures, stage.pictures)
        self._close_stage()

    def _close_stage(self) -> None:
        if not self.done and self.stage_pictures >= self.stage.pictures:
            self.stage_index, self.stage_pictures = self.stage_index + 1, 0

    # ------------------------------------------------------------------ a step

    def train_step(self) -> dict[str, float]:
        """Do one optimiser step of the current stage on a fresh batch: the losses by name."""
        stage = self.stage
        self._prepare_stage(stage)
        progress = self.stage_pictures / stage.pictures
        self._set_rate(stage.lr * one_cycle(progress, self.settings.warm_up))
        batch = self.sampler.draw().to(self.fabric.device)
        with self.fabric.autocast():
            n = len(batch.crop)
            shares = {
                "face": share(n, stage.face_share),
                "toon": share(n, stage.toon_share),
                "swap": share(n, stage.swap_share) if stage.resolution >= SWAP else 0,
            }
            w_plus, drawn = self.models(
                channels_last(batch.crop),
                {name: count for name, count in shares.items() if count},
                stage.resolution,
            )
            losses = self._paired(stage, batch, drawn)
            if stage.adversarial:
                real, fake = self._patches(stage, batch, drawn["toon"].image)
                losses["adversarial"] = self.discriminator.generator_loss(fake) * stage.adversarial
        norm = self._descend(losses, self.models, self.settings.clip)
        if "encoder" in stage.trains:
            self.models.module.track_w_avg(w_plus)
        if stage.adversarial:
            losses["discriminator"], _ = self.discriminator.train_step(
                real, fake.detach(), self.step
            )
        losses["gradient"] = norm
        self._count(stage)
        self.ema.update(self.models.module, self.step)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _paired(self, stage: Stage, batch: Batch, drawn: dict[str, Drawing]) -> dict[str, Tensor]:
        """The losses of what each generator drew, by name."""
        losses = {}
        for name, drawing in drawn.items():
            image, count = drawing.image, len(drawing.image)
            if name == "swap":
                losses[name] = swap_loss(image, batch.photo[:count], drawing.detail)
                continue
            toon = name == "toon"
            if drawing.bands:
                terms = band_losses(drawing, batch, stage, self.features, toon=toon)
            else:
                terms = paired_losses(drawing, batch, stage, self.features, toon=toon)
            losses |= {f"{name}_{term}": loss for term, loss in terms.items()}
            if stage.consistency and count == len(batch.crop) and len(batch.shift):
                losses[f"{name}_shift"] = stage.consistency * shift_loss(
                    image.float(), batch.shift, stage.resolution / batch.crop.shape[-1]
                )
        return losses

    def _patches(self, stage: Stage, batch: Batch, image: Tensor) -> tuple[Tensor, Tensor]:
        """The same patch of each toon [N, 3, P, P]: as it should be, and as it was drawn."""
        side, patch, n = stage.resolution, self.settings.patch, len(image)
        corners = patch_corners(batch.eyes[:n] * (side / batch.photo.shape[-1]), side, patch)
        real = cut(shrink(batch.toon[:n], side), corners, patch, patch)
        return real, cut(image, corners, patch, patch)

    # ------------------------------------------------------------------ state

    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds, by name."""
        return {
            "models": self.models.module,
            "ema": self.ema.module,
            "optimizer": self.optimizer.optimizer,
            **self.discriminator.parts(),
        }

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        return {
            **super().state(),
            "version": CHECKPOINT_VERSION,
            "progress": [self.stage_index, self.stage_pictures, self.step],
            "start": self.start,
            "torch_rng": torch.get_rng_state(),
        }

    def _load(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`.

        Stages that are over must be those of the settings, and so must the one in hand, except for
        its length; stages to come may be changed, added or removed.

        Raises:
            ToonifyError: when it was made with other network sizes, in other stages, or from
                another model.
        """
        theirs, mine = json.loads(state["settings"]), json.loads(json.dumps(asdict(self.settings)))
        if any(theirs[what] != mine[what] for what in ("size", "patch")):
            raise ToonifyError(
                "it was made for networks of another size; give another folder or the settings it "
                "was started with."
            )
        over, pictures, step = state["progress"]
        begun = theirs["stages"][: over + (pictures > 0)]
        if not has_begun_with(self.settings.stages, begun, over):
            names = ", ".join(stage["name"] for stage in begun)
            raise ToonifyError(
                f"it was trained in other stages ({names}) than the settings have; give another "
                f"folder or the settings it was started with."
            )
        start = state.get("start")  # not in checkpoints of earlier releases
        if self.start and start not in (None, self.start):
            raise ToonifyError(
                f"it did not start from {self.start_name}; give another folder, or the model it "
                f"was started from."
            )
        super()._load({**state, "step": step})
        self.start = start
        self.stage_index, self.stage_pictures, self._prepared = over, pictures, None
        self._close_stage()  # it was stopped at the end of one, or the stage is shorter now
        torch.set_rng_state(state["torch_rng"])
