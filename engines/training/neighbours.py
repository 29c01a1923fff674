"""How close the patches of a picture are to patches of a style's pictures.

For every place the nearest feature vector of the style is searched, not in one picture but in a few
that show people like this one, and not anywhere but near the same place: the crops are aligned, so
that eyes are compared with eyes and hair with hair. That is the patch matching of Li and Wand
(arXiv 1601.04589) and, both ways round, the transport of STROTSS (arXiv 1904.12785): every patch
drawn is to be one of the style's, and what the style has at a place, its lines too, is to be drawn.
It teaches in a few thousand pictures what a discriminator alone takes many times as many for.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engines.training.losses import shrink

MATCHED = (1, 2, 3)  # feature maps of `FeatureDistance`, at 1/4, 1/8 and 1/16 of the side
DEEP = 4  # the one by which people are told to be alike
BLOCKS = 8  # a side: each block of a map is searched in one of twice its side round it
ALIKE = 4  # how many pictures of the style a person is compared with
LOOK_SIDE, COLOUR = 4, 0.5  # likeness is one of features, and of light, hair and skin


class Neighbours:
    """The patches of a style's pictures, and of the same ones mirrored."""

    def __init__(self) -> None:
        self.maps: list[list[Tensor]] = []  # float16 [C, H, H] by picture and `MATCHED`
        self.looks: list[Tensor] = []  # [L], of each picture and then of its mirror image

    def add(self, taps: list[Tensor], pictures: Tensor) -> None:
        """Take pictures of the style in.

        Args:
            taps: theirs, as `engines.training.losses.FeatureDistance.features` gives them.
            pictures: float [M, 3, S, S] in -1..1.
        """
        self.maps += map(list, zip(*(taps[k].half() for k in MATCHED), strict=True))
        mirrored = look([tap.flip(3) for tap in taps], pictures.flip(3))
        self.looks += torch.stack([look(taps, pictures), mirrored], 1).flatten(0, 1)

    def distance(self, taps: list[Tensor], looks: Tensor) -> Tensor:
        """Mean of ``1 - cosine`` of patches and their nearest; gradients flow into ``taps``.

        Args:
            taps: of the pictures drawn, N of them.
            looks: `look` of the people whom they show, float32 [N, L].
        """
        alike = (looks @ torch.stack(self.looks).T).topk(min(ALIKE, len(self.looks)), 1).indices
        terms = []
        for depth, k in enumerate(MATCHED):
            for drawn, chosen in zip(taps[k], alike.tolist(), strict=True):
                style = torch.stack([self._map(i, depth) for i in chosen])
                terms += [_nearest(drawn[None], style), _nearest(style[:1], drawn[None])]
        return torch.stack(terms).mean()

    def _map(self, index: int, depth: int) -> Tensor:
        """A feature map of the picture whose look has that index."""
        found = self.maps[index // 2][depth].float()
        return found.flip(2) if index % 2 else found


def look(taps: list[Tensor], pictures: Tensor) -> Tensor:
    """What makes people alike in a picture, as rows whose products say how much: [N, L]."""
    deep = F.normalize(F.adaptive_avg_pool2d(taps[DEEP].float(), LOOK_SIDE).flatten(1), dim=1)
    colour = F.normalize(shrink(pictures.float(), 2 * LOOK_SIDE).flatten(1), dim=1)
    return torch.cat([deep, COLOUR * colour], 1)


def _nearest(searched: Tensor, among: Tensor) -> Tensor:
    """Mean of ``1 - cosine`` of the vectors of [1, C, H, H] and the nearest of [K, C, H, H]."""
    side = max(searched.shape[-1] // BLOCKS, 1)
    margin = max(side // 2, 1)
    mine = _blocks(searched, side, side, 0)
    theirs = _blocks(among, side + 2 * margin, side, margin)
    with torch.no_grad():
        index = (mine @ theirs.mT).argmax(2)
    found = theirs.gather(1, index[..., None].expand_as(mine))
    return 1 - (mine * found).sum(2).mean()


def _blocks(maps: Tensor, side: int, step: int, margin: int) -> Tensor:
    """[K, C, H, H] -> the vectors of all K maps by block: [blocks, K side^2, C]."""
    count, channels = maps.shape[:2]
    cut = F.unfold(maps, side, padding=margin, stride=step)
    cut = cut.view(count, channels, side * side, -1)
    return cut.permute(3, 0, 2, 1).reshape(cut.shape[-1], -1, channels)
