"""The photo in the toon's shape, as the two finest blocks of a network with a finish take it in.

Squares of pixels are kept as the channels of one place (`pixel_unshuffle`, twice by two): on a CPU,
work on many channels of few places is several times as fast as the same work on single pixels.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from engines.networks.additions import moved
from engines.networks.layers import bilinear_phases, bordered


class Photo(NamedTuple):
    """A photo of side S in the toon's shape.

    Attributes:
        halves: [N, 12, S/2, S/2], as it is.
        detail: [N, 12, S/2, S/2], what it has beyond its surroundings, the mean of 4x4 pixels.
        soft: [N, 48, S/4, S/4], with as much of its detail as the drawing asks for.
    """

    halves: Tensor
    detail: Tensor
    soft: Tensor

    @classmethod
    def take(cls, photo: Tensor, plan: Tensor) -> Photo:
        """Move and soften a photo.

        Args:
            photo: [N, 3, S, S].
            plan: float32 [N, 4, S/4, S/4], see `engines.networks.additions.ToDetail`.
        """
        halves = F.pixel_unshuffle(moved(photo, enlarged(plan[:, :2], 4)), 2)
        quarters = F.pixel_unshuffle(halves, 2)
        detail = quarters - _surroundings(quarters)
        soft = quarters + (plan[:, 2:3].float() - 1) * detail
        return cls(halves, F.pixel_shuffle(detail, 2), soft)

    def at(self, resolution: int) -> Tensor:
        """What the block at `resolution`, S/4 or S/2, takes in."""
        return self.soft if self.soft.shape[-1] == resolution else F.pixel_shuffle(self.soft, 2)


def enlarged(x: Tensor, factor: int) -> Tensor:
    """`x` [N, C, H, W] enlarged bilinearly by an even `factor`.

    Written as a depth-wise convolution to all phases and a pixel shuffle: compiled for a CPU, that
    takes a fifth of the time of an interpolation.
    """
    kernel = bilinear_phases(factor, x)[:, None].repeat(x.shape[1], 1, 1, 1)
    return F.pixel_shuffle(F.conv2d(bordered(x), kernel, groups=x.shape[1]), factor)


def _surroundings(quarters: Tensor) -> Tensor:
    """The means of 4x4 pixels, interpolated: [N, 48, H, W] in the order of `Photo.soft`."""
    means = quarters.unflatten(1, (3, 16)).mean(2)
    phases = bilinear_phases(4, quarters).reshape(2, 2, 2, 2, 3, 3)
    # The first unshuffling by two gives the finer offset, the second one the coarser.
    order = phases.permute(1, 3, 0, 2, 4, 5).reshape(16, 1, 3, 3)
    return F.conv2d(bordered(means), order.repeat(3, 1, 1, 1), groups=3)
