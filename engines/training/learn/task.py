"""What all trainings share: how they start, an optimiser's step, and what a checkpoint holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from engines.errors import ToonifyError
from engines.training.hardware import Hardware, rng_for_rank
from engines.training.learn.models import EMA
from engines.training.learn.runs import Position
from engines.training.pairs.sampler import Sampler


class SampledTask:
    """Base of a `engines.training.learn.runs.Task` that learns from a sampler's batches.

    A subclass sets `ema` and `optimizer` (as Fabric wraps it) and says in `parts` what a checkpoint
    holds. If it does not say otherwise, it has one stage, whose length is `settings.pictures`.

    Args:
        settings: a dataclass of plain values, with `batch_size` and `seed`.
        sampler: where the batches come from.
        hardware: what to train on.
    """

    stage_name: str
    ema: EMA
    optimizer: Any

    def __init__(self, settings: Any, sampler: Sampler, hardware: Hardware | None) -> None:
        self.settings, self.sampler = settings, sampler
        self.fabric: Any = (hardware or Hardware()).launch(settings.seed)
        self.step = 0
        self._seed_by_rank()

    def _seed_by_rank(self) -> None:
        """Give every process after the first its own part of the random numbers."""
        self.sampler.rng = rng_for_rank(self.sampler.rng, self.fabric.global_rank)

    # ------------------------------------------------------------------ length

    @property
    def pictures_per_step(self) -> int:
        """Pictures that one step draws, by all processes."""
        return int(self.settings.batch_size * self.fabric.world_size)

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return max(1, self.settings.pictures // self.settings.batch_size // self.fabric.world_size)

    @property
    def drawn(self) -> int:
        """Pictures drawn so far, by all processes."""
        return self.step * self.pictures_per_step

    @property
    def done(self) -> bool:
        """Whether all steps have been done."""
        return self.step >= self.steps

    @property
    def position(self) -> Position:
        """Where the last step left the training."""
        return Position(self.stage_name, self.drawn, self.steps * self.pictures_per_step)

    # ------------------------------------------------------------------ a step

    def _set_rate(self, rate: float) -> None:
        """Set the learning rate of every parameter group, times its own factor."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("factor", 1.0)

    def _descend(self, losses: Mapping[str, Tensor], network: Any, max_norm: float) -> Tensor:
        """Step down the sum of `losses`: the norm of the gradients before they were clipped.

        Args:
            losses: scalars by name.
            network: what learns, as Fabric wraps it.
            max_norm: to which the gradients are clipped.
        """
        total = torch.stack([loss.float() for loss in losses.values()]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(total)
        norm: Tensor = self.fabric.clip_gradients(
            network, self.optimizer, max_norm=max_norm, error_if_nonfinite=False
        )
        self.optimizer.step()
        return norm

    # ------------------------------------------------------------------ state

    def parts(self) -> dict[str, Any]:
        """Everything that has a `state_dict` to be saved, by its name in a checkpoint."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        return {
            "settings": json.dumps(asdict(self.settings)),
            "step": self.step,
            "sampler": json.dumps(self.sampler.rng.bit_generator.state),
            **{name: part.state_dict() for name, part in self.parts().items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`.

        Raises:
            ToonifyError: when it was saved for another model or by another command.
        """
        try:
            self._load(state)
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise ToonifyError("it is another training's; give another folder.") from error
        self._seed_by_rank()

    def _load(self, state: Mapping[str, Any]) -> None:
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.sampler.rng.bit_generator.state = json.loads(state["sampler"])
        self.step = int(state["step"])

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights, on the CPU."""
        return {k: v.detach().cpu() for k, v in self.ema.module.state_dict().items()}
