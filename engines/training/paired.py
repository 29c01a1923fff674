"""What a generator is taught by pairs: how far a drawing is from what it should have been."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from engines.networks.generator import Drawing
from engines.training.data import Batch
from engines.training.losses import (
    FeatureDistance,
    colour_loss,
    detail_loss,
    gradient_l1,
    mask_loss,
    shrink,
    weighted_l1,
)
from engines.training.patches import eye_strips


class Weights(Protocol):
    """How much each term counts beside L1; `engines.training.stages.Stage` says what they are."""

    @property
    def features(self) -> float: ...
    @property
    def gradients(self) -> float: ...
    @property
    def detail(self) -> float: ...
    @property
    def colour(self) -> float: ...
    @property
    def feature_share(self) -> float: ...
    @property
    def elsewhere(self) -> float: ...
    @property
    def close_up(self) -> float: ...
    @property
    def warp(self) -> float: ...


def share(n: int, part: float) -> int:
    """How many of ``n`` a part is: at least one, unless it is none."""
    return min(n, max(1, round(n * part))) if part else 0


def paired_losses(
    drawing: Drawing, batch: Batch, weights: Weights, features: FeatureDistance, *, toon: bool
) -> dict[str, Tensor]:
    """The losses, by name, of a drawing of the first people of a batch.

    ``toon``: it is to be their toon in the toon's shape, which is looked at more closely; else it
    is to be their photo, unmoved.
    """
    image, mask, detail = drawing
    count, top = len(image), image.shape[-1]
    target = shrink((batch.toon if toon else batch.photo)[:count], top)
    focus = F.interpolate(batch.focus[:count], [top, top], mode="bilinear")
    losses = {"l1": weighted_l1(image, target, focus)}
    if weights.gradients:
        losses["edges"] = weights.gradients * gradient_l1(image, target)
    if weights.detail:
        losses["detail"] = weights.detail * detail_loss(image, target)
    if weights.colour:
        losses["colour"] = weights.colour * colour_loss(image, target)
    looked, head = share(count, weights.feature_share), batch.head[:count]
    where = None
    if toon and weights.elsewhere < 1:
        where = weights.elsewhere + (1 - weights.elsewhere) * head[:looked]
    losses["features"] = weights.features * features(
        image[:looked].to(memory_format=torch.channels_last), target[:looked], where
    )
    if weights.close_up and toon:
        eyes = batch.eyes * (top / batch.photo.shape[-1])
        mine, aim = (eye_strips(x[:looked], eyes) for x in (image, target))
        losses["eyes"] = weights.close_up * features(mine, aim)
        if weights.colour:
            losses["irises"] = weights.colour * colour_loss(mine, aim)
    if mask is not None:
        losses["mask"] = mask_loss(mask, head)
    if detail is not None:
        losses["head"] = 0.5 * mask_loss(detail[:, 3:], head)
    if weights.warp and detail is not None:
        warp, side = detail[:, :2], detail.shape[-1]
        goal = batch.warp[:count] if toon else torch.zeros_like(warp)
        error = 256 * (warp - shrink(goal, side)).abs()
        weight = shrink(batch.focus[:count], side)
        losses["warp"] = weights.warp * (error * (weight / weight.mean())).mean()
    return losses
