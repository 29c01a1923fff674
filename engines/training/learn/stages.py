"""What decides a run of training: its stages, and how fast each of them learns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from engines.errors import ToonifyError
from engines.training.learn.models import ModelSize
from engines.training.learn.paired import PairWeights
from engines.training.pairs.sampler import check_twins

NETWORKS = ("encoder", "face", "toon")


@dataclass(frozen=True)
class Stage(PairWeights):
    """One stage of training, with the weights of its pairs.

    Attributes:
        name: what it is called in reports.
        pictures: how many pictures it lasts.
        top: side of the drawn pictures (growing: smaller than the full resolution at first).
        lr: peak of the one-cycle schedule.
        face_share, toon_share: share of each batch that the generators draw.
        swap_share: share that the toon's low and the face's high blocks draw together: the person
            in the toon's shape.
        adversarial: weight of the patch discriminator's judgement; 0 switches it off.
        consistency: weight of the crop-shift term on twin samples.
        fork: "toon" or "face": this generator starts as a copy of the other one, which makes the
            two siblings that can be layer-swapped.
        trains: the networks that learn; the others stay as they are.
        statistics: learn batch statistics; without, the encoder runs as it will run live, so that
            inputs far from the average are not tamed by the batch they happen to be in.

    Raises:
        ToonifyError: for values that no training could go by.
    """

    name: str
    pictures: int
    top: int
    lr: float = 2e-3
    face_share: float = 1.0
    toon_share: float = 1.0
    swap_share: float = 0.0
    adversarial: float = 0.0
    consistency: float = 0.0
    fork: Literal["", "toon", "face"] = ""
    trains: tuple[str, ...] = NETWORKS
    statistics: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "trains", tuple(self.trains))
        for what in ("pictures", "top"):
            count = getattr(self, what)
            if not isinstance(count, int) or count < 1:
                raise ToonifyError(f"A stage's {what} must be a number above 0, not {count!r}.")
        if self.top & (self.top - 1):
            raise ToonifyError(f"A stage's top must be a power of two, not {self.top}.")
        if self.fork not in ("", "toon", "face"):
            raise ToonifyError(f"A stage's fork is 'toon', 'face' or '', not {self.fork!r}.")
        if not self.trains or not set(self.trains) <= set(NETWORKS):
            raise ToonifyError(
                f"A stage trains some of {', '.join(NETWORKS)}, not {', '.join(self.trains)!r}."
            )
        if not (self.face_share or self.toon_share) or (self.adversarial and not self.toon_share):
            raise ToonifyError(
                "A stage draws faces, toons or both, and judges toons; raise toon_share above 0."
            )


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides a run, stored in each checkpoint."""

    size: ModelSize = field(default_factory=ModelSize)
    stages: tuple[Stage, ...] = ()
    batch_size: int = 8
    twins: int = 1
    seed: int = 0
    patch: int = 64
    r1: float = 0.1  # 0.0002 patch^2 / batch, the rule of StyleGAN2-ADA (arXiv 2006.06676)
    r1_every: int = 16
    warm_up: float = 0.05
    clip: float = 3.0

    def __post_init__(self) -> None:
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise ToonifyError(f"A batch holds one picture or more, not {self.batch_size!r}.")
        if any(stage.consistency for stage in self.stages):  # the others have no twins
            check_twins(self.batch_size, self.twins)


def one_cycle(progress: float, warm_up: float) -> float:
    """Learning-rate factor: linear rise over ``warm_up``, then a cosine down to 0.02."""
    if progress < warm_up:
        return max(progress / warm_up, 0.02)
    x = min((progress - warm_up) / max(1 - warm_up, 1e-6), 1.0)
    return 0.02 + 0.49 * (1 + math.cos(x * math.pi))
