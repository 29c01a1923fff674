"""The losses of pairs: how far a drawing is from what it should be."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engines.networks.fovea import BAND_NAMES, BANDS
from engines.networks.generator import Drawing
from engines.training.learn.losses import (
    FeatureDistance,
    colour_loss,
    detail_loss,
    gradient_l1,
    mask_loss,
    shrink,
    weighted_l1,
)
from engines.training.learn.models import channels_last
from engines.training.learn.patches import eye_strips
from engines.training.pairs.sampler import Batch


@dataclass(frozen=True, kw_only=True)
class PairWeights:
    """How much each term counts beside L1.

    Attributes:
        features, gradients, detail, colour: weights of the feature distance, of the edge term, of
            the amount of detail and of hue and saturation.
        feature_share: share of the drawn pictures that the feature distance looks at.
        elsewhere: how much the feature distance of the toon counts outside its head, which is all
            that is shown by default.
        close_up: weight of the feature distance, the L1 and the edges of the toon's enlarged eyes,
            which are a fiftieth of the picture and half of its expression; their colours count as
            the picture's do.
        warp: weight of the error of the toon's shape, in pixels of a 256 px picture; for the face,
            whose shape is the person's own, of any move at all.
    """

    features: float = 1.0
    gradients: float = 0.5
    detail: float = 0.0
    colour: float = 0.0
    feature_share: float = 1.0
    elsewhere: float = 1.0
    close_up: float = 0.0
    warp: float = 0.1


def share(n: int, part: float) -> int:
    """How many of `n` pictures a `part` in 0..1 is: at least one, unless it is 0."""
    return min(n, max(1, round(n * part))) if part else 0


def paired_losses(
    drawing: Drawing, batch: Batch, weights: PairWeights, features: FeatureDistance, *, toon: bool
) -> dict[str, Tensor]:
    """The losses, by name, of a drawing of the first people of a batch.

    Args:
        drawing: of as many people as it has pictures.
        batch: what it should be.
        weights: of the terms; one without weight is not computed.
        features: the feature distance.
        toon: the goal is their toon, in the toon's shape, which is looked at more closely; else it
            is their photo, in its own shape.
    """
    image, mask, detail = drawing.image, drawing.mask, drawing.detail
    count, top = len(image), image.shape[-1]
    target = shrink((batch.toon if toon else batch.photo)[:count], top)
    focus = F.interpolate(batch.focus[:count], [top, top], mode="bilinear")
    looked, head = share(count, weights.feature_share), batch.head[:count]
    where = None
    if toon and weights.elsewhere < 1:
        where = weights.elsewhere + (1 - weights.elsewhere) * head[:looked]
    losses = _picture_losses(image, target, weights, features, looked, where, focus)
    if weights.close_up and toon:
        eyes = batch.eyes * (top / batch.photo.shape[-1])
        mine, aim = (eye_strips(x[:looked], eyes) for x in (image, target))
        losses["eyes"] = weights.close_up * features(mine, aim)
        lines = (mine - aim).abs().mean() + gradient_l1(mine, aim)
        losses["pupils"] = weights.close_up * lines
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


def band_losses(
    drawing: Drawing, batch: Batch, weights: PairWeights, features: FeatureDistance, *, toon: bool
) -> dict[str, Tensor]:
    """As `paired_losses`, of the bands of a drawing alone, at the side of the finished picture.

    A goal of half that side is enlarged.
    """
    count, side = len(drawing.image), 2 * drawing.image.shape[-1]
    goal = (batch.toon if toon else batch.photo)[:count]
    if goal.shape[-1] < side:
        goal = F.interpolate(goal, [side, side], mode="bicubic")
    focus = F.interpolate(batch.focus[:count], [side, side], mode="bilinear")
    looked = share(count, weights.feature_share)
    losses: dict[str, Tensor] = {}
    for name, band, image in zip(BAND_NAMES, BANDS, drawing.bands, strict=True):
        terms = _picture_losses(
            image, band.of(goal), weights, features, looked, focus=band.of(focus)
        )
        losses |= {f"{name}_{term}": loss for term, loss in terms.items()}
    return losses


def _picture_losses(
    image: Tensor,
    target: Tensor,
    weights: PairWeights,
    features: FeatureDistance,
    looked: int,
    where: Tensor | None = None,
    focus: Tensor | None = None,
) -> dict[str, Tensor]:
    """The terms that any picture [N, 3, H, W] has; the feature distance looks at the first
    `looked`, and counts each place as `where` says; L1 counts it as `focus` says."""
    plain = (image - target).abs().mean() if focus is None else weighted_l1(image, target, focus)
    losses = {"l1": plain}
    if weights.gradients:
        losses["edges"] = weights.gradients * gradient_l1(image, target)
    if weights.detail:
        losses["detail"] = weights.detail * detail_loss(image, target)
    if weights.colour:
        losses["colour"] = weights.colour * colour_loss(image, target)
    if weights.features:
        losses["features"] = weights.features * features(
            channels_last(image[:looked]), target[:looked], where
        )
    return losses
