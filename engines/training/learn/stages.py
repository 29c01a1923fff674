"""What decides a training by pairs: its stages, and how fast each of them learns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engines.errors import ToonifyError
from engines.training.learn.models import ModelSize
from engines.training.learn.paired import PairWeights
from engines.training.pairs.sampler import check_twins

NETWORKS = ("encoder", "face", "toon")
FOVEA = "fovea"
_RENAMED = {"top": "resolution"}  # fields under the names that earlier releases wrote


@dataclass(frozen=True)
class Stage(PairWeights):
    """One stage of training, with the weights of its pairs.

    Attributes:
        name: what it is called in reports.
        pictures: how many pictures it takes.
        resolution: side of the drawn pictures (growing: at first below the full resolution). At
            that of a fovea, only its bands are compared.
        lr: peak of the one-cycle schedule.
        face_share, toon_share: share of each batch that the generators draw.
        swap_share: share that the toon's low and the face's high blocks draw together: the person
            in the toon's shape.
        adversarial: weight of the patch discriminator's loss; 0 switches it off.
        consistency: weight of the crop-shift loss of twins.
        fork: "toon" or "face": this generator starts as a copy of the other one, which makes the
            two siblings that can be layer-swapped.
        trains: the networks that learn, or "fovea" for those of both generators; the others stay
            as they are.
        statistics: learn batch statistics; if not, the encoder runs as it will run live, so that
            inputs far from the average are not normalised by the batch they happen to be in.

    Raises:
        ToonifyError: for values that no training could use.
    """

    name: str
    pictures: int
    resolution: int
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
        for what in ("pictures", "resolution"):
            count = getattr(self, what)
            if not isinstance(count, int) or count < 1:
                raise ToonifyError(f"A stage's {what} must be a number above 0, not {count!r}.")
        if self.resolution & (self.resolution - 1):
            raise ToonifyError(
                f"A stage's resolution must be a power of two, not {self.resolution}."
            )
        if self.fork not in ("", "toon", "face"):
            raise ToonifyError(f"A stage's fork is 'toon', 'face' or '', not {self.fork!r}.")
        if not self.trains or not set(self.trains) <= {*NETWORKS, FOVEA}:
            raise ToonifyError(
                f"A stage trains some of {', '.join(NETWORKS)} and {FOVEA}, not "
                f"{', '.join(self.trains)!r}."
            )
        if not (self.face_share or self.toon_share) or (self.adversarial and not self.toon_share):
            raise ToonifyError(
                "A stage draws faces, toons or both, and its discriminator sees toons; raise "
                "toon_share above 0."
            )

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Stage:
        """The stage of a recipe or a checkpoint, of this or an earlier release.

        Raises:
            TypeError: for fields that a stage does not have.
            ToonifyError: for values that no training could use.
        """
        return cls(**{_RENAMED.get(name, name): value for name, value in values.items()})


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides a run, stored in each checkpoint.

    Attributes:
        size: sizes of the networks.
        stages: what is learned, one after the other.
        batch_size: pictures in a step of one process.
        twins: samples of each batch that are shifted copies, in stages with consistency.
        seed: of all random numbers.
        patch: side of the discriminator's patches, pixels.
        r1, r1_every: R1 penalty, and how often it is computed.
        warm_up: share of each stage in which the learning rate rises.
        clip: norm to which the gradients are clipped.

    Raises:
        ToonifyError: when a batch is empty or has no room for its twins.
    """

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

    @property
    def pair_size(self) -> int:
        """Side of the pairs that all stages need, pixels."""
        crop = self.size.encoder_config().input_size
        return max(crop, *(stage.resolution for stage in self.stages))

    def __post_init__(self) -> None:
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise ToonifyError(f"A batch holds one picture or more, not {self.batch_size!r}.")
        if any(stage.consistency for stage in self.stages):  # the others have no twins
            check_twins(self.batch_size, self.twins)


def has_begun_with(stages: Sequence[Stage], begun: Sequence[Mapping[str, Any]], over: int) -> bool:
    """Whether a training of `stages` can continue from a checkpoint.

    Args:
        stages: those asked for.
        begun: the fields of those that the checkpoint has been trained in.
        over: how many of them are over; one that is not may have another length now.
    """
    mine = tuple(stages[: len(begun)])
    try:  # fields that were added after the checkpoint had their defaults
        theirs = tuple(Stage.read(values) for values in begun)
    except TypeError:
        return False
    if len(theirs) > over and len(mine) > over:
        last = replace(theirs[over], pictures=mine[over].pictures)
        theirs = (*theirs[:over], last)
    return mine == theirs


def one_cycle(progress: float, warm_up: float) -> float:
    """Learning-rate factor: linear rise over `warm_up`, then a cosine down to 0.02."""
    if progress < warm_up:
        return max(progress / warm_up, 0.02)
    x = min((progress - warm_up) / max(1 - warm_up, 1e-6), 1.0)
    return 0.02 + 0.49 * (1 + math.cos(x * math.pi))
