"""Colour models of one face's own hair, skin and clothes, to correct what the network says.

The network knows what hair looks like in general; where it is sure, this face shows what its hair
looks like in particular. Per class a mixture of Gaussians over colour, texture and place is fitted
to the sure pixels, and decides with the network about the others.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]  # float32

ROUNDS = 2
SURE = 0.6  # probability from which a pixel belongs to its class's model
SAMPLES = 1200  # pixels a model is fitted to
FEWEST = 60  # sure pixels below which a class gets no model
PARTS = 6  # Gaussians of a mixture
SPREAD = (9.0, 4.0, 4.0, 3.0, 0.12, 0.12)  # least variance of L*, a*, b*, texture, x and y
WEIGHT = 0.3  # power of the models' vote beside the network's
DOUBT = 2e-3  # least share of a class, for both voters
RADIUS, SMOOTHNESS = 4, 40.0  # of the guided filter between rounds, on 8-bit colours


def features(rgb: Floats, place: Floats) -> Floats:
    """[H * W, 6]: CIE L*a*b*, its local contrast, and ``place`` [2, H, W] in eye distances."""
    lab: Floats = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = lab[..., 0]
    mean, square = (cv2.GaussianBlur(v, (0, 0), 1.5) for v in (light, light * light))
    texture = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.dstack([lab, texture, *(0.8 * place)]).reshape(-1, 6).astype(np.float32)


def density(points: Floats, sample: Floats) -> Floats:
    """Density at each of the ``points`` [N, 6] of a mixture fitted to the ``sample`` [M, 6]."""
    sample = np.ascontiguousarray(sample[:: max(len(sample) // SAMPLES, 1)])
    count = min(PARTS, max(len(sample) // FEWEST, 1))
    order = np.argsort(np.argsort(sample[:, 0], kind="stable"), kind="stable")
    labels: NDArray[Any] = (order * count // len(sample)).astype(np.int32)[:, None]
    if count > 1:
        stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 8, 0.1)
        labels = cv2.kmeans(sample, count, labels, stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)[1]
    total: Floats = np.full(len(points), 1e-30, np.float32)
    for number in range(count):
        part = sample[labels[:, 0] == number]
        if len(part) < 12:
            continue
        variance = part.var(0) + np.array(SPREAD, np.float32)
        distance = ((points - part.mean(0)) ** 2 @ (1 / variance)).clip(0, 80)
        total += np.exp(-0.5 * distance) * np.float32(
            len(part) / len(sample) / np.sqrt(variance.prod())
        )
    return total


def refine(rgb: Floats, place: Floats, probabilities: Floats) -> Floats:
    """Probabilities [C, H, W] that both the network and this face's colours agree to.

    Args:
        rgb: uint8 [H, W, 3].
        place: float32 [2, H, W], across and down the face in eye distances.
        probabilities: float32 [C, H, W], the network's.
    """
    classes, height, width = probabilities.shape
    points = features(rgb, place)
    prior = np.clip(probabilities, DOUBT, 1)
    current = prior
    for _ in range(ROUNDS):
        votes = np.full((classes, height * width), 1e-30, np.float32)
        for number in range(classes):
            sure = current[number].ravel() > SURE
            if sure.sum() >= FEWEST:
                votes[number] = density(points, points[sure])
        votes = np.clip(votes / votes.sum(0), DOUBT, 1) ** WEIGHT
        current = prior * votes.reshape(prior.shape)
        current /= current.sum(0)
        smooth = [cv2.ximgproc.guidedFilter(rgb, c, RADIUS, SMOOTHNESS) for c in current]
        current = np.clip(np.stack(smooth), 1e-5, 1)
        current /= current.sum(0)
    return current.astype(np.float32)
