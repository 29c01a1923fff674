"""People drawn in a style, put together from patches of the style's own pictures.

Unpaired pictures show how a style looks, not how it would draw a given person. With a discriminator
alone, a generator needs tens of thousands of pictures to find that out. So the drawings are made
first, from examples, and the generator learns from pairs. Futschik et al. ("Real-Time Patch-Based
Stylization of Portraits Using Generative Adversarial Network", Expressive 2019) train their network
this way, with drawings by FaceStyle (Fiser et al., "Example-Based Synthesis of Stylized Facial
Animations", SIGGRAPH 2017).

The style's pictures that are most like the person are bent until their faces have the person's
landmarks. Then every place takes the patch whose light and colours fit the person best. Both eyes
come from one picture, and so does the mouth: halves from two pictures would not fit together. What
patches cannot show comes from the photo (`engines.training.own.lines`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engines.faces.features import BROW
from engines.faces.head import FACE_OVAL
from engines.networks.additions import moved
from engines.pictures import Image
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
from engines.training.pairs.sampler import EYES as LIDS
from engines.training.pairs.sampler import to_tensor

# Likeness of two people: features, colours, and places of the landmarks.
DEEP = 4  # feature map of `FeatureDistance` that is compared
DESCRIPTOR_SIDE, COLOUR = 4, 0.5  # places a side of the compared features; weight of the colours
POSE = 4.0  # weight of the landmarks
CANDIDATES, SOURCES = 16, 6  # pictures that are bent; of those, pictures with similar light in use
# The ends of lids and lips, and their middles.
OPEN = (*LIDS, (61, 291, 13, 14))
LIGHT_SIDE = 16
STEPS = 3  # rounds of choosing patches; each makes neighbours fit better
UNIT = 30.0  # Lab units that count as 1
FACE_LIGHT = 1.5  # weight of the blurred colours inside the face
EDGES = 2.0  # weight of edges beside colours, outside the face
NEAR, NEAR_FACE, NEAR_FEATURES = 0.03, 0.1, 5.0  # weight of staying at a place
TOGETHER = 5.0  # weight of fitting the neighbours
ONE_SOURCE = 5.0  # weight of taking eyes or mouth from the chosen picture
# Shares that come from the person, in the face and elsewhere:
TAKEN = (0.8, 0.5)  # of the mean colour
TINT = (0.3, 0.7)  # of the hue of each place
OWN_LINES = (0.5, 1.0)  # of the steps of light and hue
OPENING = 40.0  # Lab units that count as much as an eye or mouth open by its width


@dataclass(frozen=True)
class _Part:
    """Eyes or mouth, which are taken from one picture.

    Attributes:
        where: mask [S, S], 0..1.
        cost: [K], what each picture costs; the cheapest is chosen.
    """

    where: Tensor
    cost: Tensor


class Exemplars:
    """Draws people with a style's pictures.

    Args:
        pictures: uint8 [M, S, S, 3] RGB, aligned like the people and of their size.
        landmarks: float32 [M, 478, 2], 1 = their side.
        shape: how the style changes faces.
        palette: how it changes colours.
        lines: how it changes steps of light.
        device: what to compute on.
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
        self.descriptors = torch.cat(
            [self._describe(to_tensor([p]).to(device)) for p in self.pictures]
        )

    @torch.no_grad()
    def draw(self, photo: Image, landmarks: Floats) -> Image | None:
        """Draw a person in the style.

        Args:
            photo: uint8 [S, S, 3] RGB.
            landmarks: float32 [478, 2], 1 = its side.

        Returns:
            uint8 [S, S, 3] RGB in the style's shape, which `Shape.bend(landmarks)` maps to the
            photo. None when no picture of the style shows a head in such a pose.
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

    def _describe(self, pictures: Tensor) -> Tensor:
        """Descriptors [N, L] of the people in pictures; the product of two is their likeness."""
        with torch.no_grad():
            deep = self.features.features(pictures)[DEEP]
        deep = F.normalize(F.adaptive_avg_pool2d(deep, DESCRIPTOR_SIDE).flatten(1), dim=1)
        colour = F.normalize(shrink(pictures, 2 * DESCRIPTOR_SIDE).flatten(1), dim=1)
        return torch.cat([deep, COLOUR * colour], 1)

    def _sources(
        self, person: Tensor, mine: Tensor, goal: Floats, face: Tensor
    ) -> tuple[Tensor, Floats] | None:
        """The pictures to take patches from.

        Returns:
            the pictures bent to the person, L*a*b* [K, 3, S, S], and their landmarks before that;
            None when none can be bent that far.
        """
        alike = (self._describe(person) @ self.descriptors.T)[0].cpu().numpy()
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
        """Eyes and mouth, with the costs of taking them from each picture."""
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
        """Replace the steps of light and hue of a drawing by the person's.

        Args:
            drawn: L*a*b* [1, 3, S, S].
            flat: L*a*b* [1, 3, S, S], the person as flat as the style.
            soft: [1, 1, S, S], 1 inside the face, 0 outside, with a soft edge.
            features: [1, 1, S, S], 1 on eyes, brows and mouth, which stay as drawn.
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
        """Tint a drawing with the person's hues: the face a little, hair more, irises completely.

        Lightness stays, because the style is in its steps and lines.
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
        """L*a*b* [1, 3, S, S] of the patches that fit the person and each other."""
        side = self.side
        grid = max(side // 2, 1)  # places a side of the matching grid

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
    """How far eyes and mouth are open, as shares of their width: [..., 478, 2] -> [..., 3]."""
    found = []
    for left, right, upper, lower in OPEN:
        across = points[..., left, :] - points[..., right, :]
        apart = points[..., upper, :] - points[..., lower, :]
        found.append(np.linalg.norm(apart, axis=-1) / (np.linalg.norm(across, axis=-1) + 1e-6))
    return np.stack(found, -1)


def _recoloured(theirs: Tensor, mine: Tensor, face: Tensor, soft: Tensor) -> Tensor:
    """Shift pictures to the person's mean colours, in the face and elsewhere."""
    out = theirs
    for where, share, taken in zip((face, 1 - face), (soft, 1 - soft), TAKEN, strict=True):
        count = where.sum().clamp_min(1)
        means = [(x * where).sum((2, 3), True) / count for x in (mine, theirs)]
        out = out + taken * share * (means[0] - means[1])
    return out


def _batch(warps: list[Floats], device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack(warps)).permute(0, 3, 1, 2).to(device)
