"""People drawn in a style by putting together patches of the style's own pictures.

Unpaired pictures say how a style looks, not how it would draw a given person, and a discriminator
needs tens of thousands of pictures to make a generator find that out. So the drawings are made
first, from examples, and the generator is shown pairs, as Futschik et al. teach their network
("Real-Time Patch-Based Stylization of Portraits Using Generative Adversarial Network", Expressive
2019) with FaceStyle (Fiser et al., "Example-Based Synthesis of Stylized Facial Animations",
SIGGRAPH 2017): the style's pictures most like the person are bent until their faces have the
person's landmarks, and every place takes the patch whose light and colours suit the person best.
A pair of eyes and a mouth come from one picture each: halves of two would be nobody's. Where
patches could only guess, the drawing follows the person (`engines.training.own.lines`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engines.networks.additions import moved
from engines.pictures import Image
from engines.training.artist.head import BROW, FACE_OVAL
from engines.training.learn.losses import FeatureDistance, shrink
from engines.training.own.lines import Lines, bands
from engines.training.own.palette import (
    Palette,
    filled,
    iris_colour,
    irises_in,
    lab,
    mean_colour,
    to_picture,
)
from engines.training.own.patchwork import blur, matched, voted
from engines.training.own.shape import EYES, MOUTH, Floats, Shape, plate
from engines.training.pairs.data import EYES as LIDS
from engines.training.pairs.data import to_tensor

DEEP = 4  # feature map of `FeatureDistance` by which people are told to be alike
LOOK_SIDE, COLOUR = 4, 0.5  # likeness is one of features, and of light, hair and skin
POSE = 4.0  # and of the places of the landmarks
CANDIDATES, SOURCES = 16, 6  # as alike as that are bent; lit as alike as that are used
# The ends of lids and lips, and their middles.
OPEN = (*LIDS, (61, 291, 13, 14))
LIGHT_SIDE = 16
STEPS = 3  # of choosing patches, each more like its neighbours than before
UNIT = 30.0  # Lab units that count as one
FACE_LIGHT = 1.5  # how much colours, softened, count within the face
EDGES = 2.0  # how much the edges count beside colours, outside the face
NEAR, NEAR_FACE, NEAR_FEATURES = 0.03, 0.1, 5.0  # how much it counts to stay at a place
TOGETHER = 5.0  # how much it counts to suit the neighbours
ONE_SOURCE = 5.0  # how much it counts to take eyes or mouth of the chosen picture
TAKEN = (0.8, 0.5)  # how much of the person's mean colour is taken over: face, and all else
TINT = (0.3, 0.7)  # and of the hue of each place: face, and all else
OWN_LINES = (0.5, 1.0)  # how much of its steps of light and hue is the person's, likewise
OPENING = 40.0  # Lab units that eyes or lips as much as their width less open count


@dataclass(frozen=True)
class _Part:
    """Eyes or mouth, of one picture each: where, and what the picture is chosen by."""

    where: Tensor  # [S, S], 0..1
    cost: Tensor  # [K]


class Exemplars:
    """A style's pictures, to draw people by.

    Args:
        pictures: uint8 [M, S, S, 3] RGB, aligned as the people are and of their size.
        landmarks: float32 [M, 478, 2], 1 = their side.
        shape: what the style does to faces.
        palette: what it does to colours.
        lines: what it does to steps of light.
        device: what to work on.
    """

    def __init__(
        self,
        pictures: Image,
        landmarks: Floats,
        shape: Shape,
        palette: Palette,
        lines: Lines,
        device: torch.device,
    ) -> None:
        self.shape, self.lines, self.device = shape, lines, device
        self.palette = palette.to(device)
        self.pictures, self.points = pictures, landmarks
        self.side = pictures.shape[1]
        self.features = FeatureDistance().to(device)
        self.looks = torch.cat([self._look(to_tensor([p]).to(device)) for p in self.pictures])

    @torch.no_grad()
    def draw(self, photo: Image, landmarks: Floats) -> Image | None:
        """A person in the style.

        Args:
            photo: uint8 [S, S, 3] RGB.
            landmarks: float32 [478, 2], 1 = its side.

        Returns:
            uint8 [S, S, 3], in the style's shape: ``Shape.bend(landmarks)`` away from the photo;
            None when no picture of the style shows a head in such a pose.
        """
        goal = self.shape.apply(landmarks)
        bend = _batch([self.shape.bend(landmarks)], self.device)

        def bent(picture: Image) -> Tensor:
            return moved(to_tensor([picture]).to(self.device), bend)

        person = bent(photo)
        face = filled([FACE_OVAL], goal, self.side).to(self.device)
        soft = blur(face[None, None], self.side / 40)
        mine = self.palette.apply(lab(person), soft)
        found = self._sources(person, mine, goal, face)
        if found is None:
            return None
        theirs, points = found
        theirs = _recoloured(theirs, mine, face, soft)
        iris = self.palette.irises(iris_colour(lab(to_tensor([photo])), landmarks).to(self.device))
        parts = self._parts(mine, iris, theirs, points, goal)
        features = torch.stack([part.where for part in parts]).amax(0)[None, None]
        features = blur(features, self.side / 128)
        drawn = self._put_together(mine, theirs, soft, parts, features)
        flat_face, flat_rest = (bent(flat) for flat in self.lines.flattened(photo))
        flat = lab(soft * flat_face + (1 - soft) * flat_rest)
        drawn = self._with_lines(drawn, flat, soft, features)
        return to_picture(self._tinted(drawn, mine, iris, goal, soft))

    def _look(self, pictures: Tensor) -> Tensor:
        """What makes people alike in a picture, as rows whose products say how much: [N, L]."""
        with torch.no_grad():
            deep = self.features.features(pictures)[DEEP]
        deep = F.normalize(F.adaptive_avg_pool2d(deep, LOOK_SIDE).flatten(1), dim=1)
        colour = F.normalize(shrink(pictures, 2 * LOOK_SIDE).flatten(1), dim=1)
        return torch.cat([deep, COLOUR * colour], 1)

    def _sources(
        self, person: Tensor, mine: Tensor, goal: Floats, face: Tensor
    ) -> tuple[Tensor, Floats] | None:
        """The pictures to take patches from, bent to the person, L*a*b* [K, 3, S, S], and what
        their landmarks were; None when none can be bent that far."""
        alike = (self._look(person) @ self.looks.T)[0].cpu().numpy()
        apart = np.linalg.norm(self.points - goal, axis=-1).mean(1)
        order = np.argsort(POSE * apart - alike)[:CANDIDATES]
        bent = {i: warp for i in order if (warp := plate(self.points[i], goal)) is not None}
        if not bent:
            return None
        order = np.array(list(bent))
        drawn = to_tensor([self.pictures[i] for i in order]).to(self.device)
        theirs = lab(moved(drawn, _batch(list(bent.values()), self.device)))
        inside = shrink(face[None, None], LIGHT_SIDE)
        difference = (shrink(theirs, LIGHT_SIDE) - shrink(mine, LIGHT_SIDE)).abs().sum(1, True)
        counts = inside + 0.5 * (1 - inside)
        light = (difference * counts).sum((1, 2, 3)) / counts.sum()
        best = light.argsort()[:SOURCES]
        return theirs[best], self.points[order[best.cpu().numpy()]]

    def _parts(
        self, mine: Tensor, iris: Tensor, theirs: Tensor, points: Floats, goal: Floats
    ) -> tuple[_Part, ...]:
        side, grown = self.side, round(self.side / 50)
        eyes = filled([*EYES, *BROW], goal, side, grown).to(self.device)
        mouth = filled([MOUTH], goal, side, grown).to(self.device)
        soft = side / 128
        blurred, others = blur(mine, soft), blur(theirs, soft)

        def apart(where: Tensor) -> Tensor:
            difference = (others - blurred).abs().sum(1)
            return (difference * where).sum((1, 2)) / where.sum().clamp_min(1)

        irises = torch.zeros(len(theirs), device=self.device)
        for where in irises_in(goal, side):
            away = mean_colour(theirs, where.to(self.device)) - iris
            irises += away.abs().sum((1, 2, 3)) / 2
        opened = OPENING * np.abs(openings(points) - openings(goal))
        mood = torch.from_numpy(opened.astype(np.float32)).to(self.device)
        return (
            _Part(eyes, apart(eyes) + irises + mood[:, 0] + mood[:, 1]),
            _Part(mouth, apart(mouth) + mood[:, 2]),
        )

    def _with_lines(self, drawn: Tensor, flat: Tensor, soft: Tensor, features: Tensor) -> Tensor:
        """A drawing with the person's steps of light and hue.

        ``flat``: L*a*b* [1, 3, S, S], the person as flat as the style; ``features``: [1, 1, S, S],
        1 on eyes, brows and mouth, which stay as they are drawn.
        """
        hues, _ = bands(self.palette.apply(flat, soft)[:, 1:])
        share = OWN_LINES[0] * soft * (1 - features) + OWN_LINES[1] * (1 - soft)
        steps, drawn = bands(drawn)
        for step, light, hue in zip(steps, self.lines.steps(flat[:, :1], soft), hues, strict=True):
            drawn = drawn + step + share * (torch.cat([light, hue], 1) - step)
        return drawn

    def _tinted(
        self, drawn: Tensor, mine: Tensor, iris: Tensor, goal: Floats, soft: Tensor
    ) -> Tensor:
        """A drawing with the person's hues: of every place a little, of hair more, of irises all.

        The light stays, in whose steps and lines the style is.
        """
        hue = torch.tensor([0.0, 1.0, 1.0], device=drawn.device)[:, None, None]
        share = TINT[0] * soft + TINT[1] * (1 - soft)
        sigma = self.side / 24
        drawn = drawn + hue * share * (blur(mine, sigma) - blur(drawn, sigma))
        for where in irises_in(goal, self.side):
            where = where.to(drawn.device)
            drawn = drawn + hue * blur(where[None, None], 1) * (iris - mean_colour(drawn, where))
        return drawn

    def _put_together(
        self,
        mine: Tensor,
        theirs: Tensor,
        soft: Tensor,
        parts: tuple[_Part, ...],
        features: Tensor,
    ) -> Tensor:
        """Lab [1, 3, S, S] of the patches that suit the person and one another."""
        side = self.side
        grid = max(side // 2, 1)  # places of the matching

        def guide(picture: Tensor) -> Tensor:
            light = picture[:, :1]
            edges = blur(light, side / 170) - blur(light, side / 32)
            colours = soft * FACE_LIGHT * blur(picture, side / 128) + (1 - soft) * picture
            both = torch.cat([colours, EDGES * (1 - 0.7 * soft) * edges], 1)
            return shrink(both, grid) / UNIT

        wanted, offered = guide(mine), guide(theirs)
        near = NEAR + (NEAR_FACE - NEAR) * soft + NEAR_FEATURES * features
        near = shrink(near, grid)
        extra = torch.zeros(len(theirs), 1, grid, grid, device=mine.device)
        for part in parts:
            worse = (part.cost - part.cost.min())[:, None, None, None]
            extra += shrink(part.where[None, None], grid) * ONE_SOURCE * (1 + worse) * (worse > 0)
        goals = [(wanted, offered, 1.0)]
        small = shrink(theirs, grid) / UNIT
        for _ in range(STEPS):
            which, moves = matched(goals, near, extra)
            goals = [goals[0], (voted(small, which, moves), small, TOGETHER)]
        return voted(theirs, which, moves)


def openings(points: Floats) -> Floats:
    """How far eyes and mouth are open, share of their width: [..., 478, 2] -> [..., 3]."""
    found = []
    for left, right, upper, lower in OPEN:
        across = points[..., left, :] - points[..., right, :]
        apart = points[..., upper, :] - points[..., lower, :]
        found.append(np.linalg.norm(apart, axis=-1) / (np.linalg.norm(across, axis=-1) + 1e-6))
    return np.stack(found, -1)


def _recoloured(theirs: Tensor, mine: Tensor, face: Tensor, soft: Tensor) -> Tensor:
    """Pictures with the person's mean colours in the face, and in the rest."""
    out = theirs
    for where, share, taken in zip((face, 1 - face), (soft, 1 - soft), TAKEN, strict=True):
        count = where.sum().clamp_min(1)
        means = [(x * where).sum((2, 3), True) / count for x in (mine, theirs)]
        out = out + taken * share * (means[0] - means[1])
    return out


def _batch(warps: list[Floats], device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack(warps)).permute(0, 3, 1, 2).to(device)
