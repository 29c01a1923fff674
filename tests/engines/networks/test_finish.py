"""The last step to a picture."""

from __future__ import annotations

import torch

from engines.networks.finish import Enlarge
from engines.networks.layers import bordered
from engines.networks.photo import enlarged


def test_it_adds_to_the_enlarged_picture() -> None:
    step, x, image = Enlarge(4), torch.rand(1, 4, 16, 16), torch.rand(1, 3, 16, 16)
    torch.nn.init.zeros_(step.weight)
    drawn = step(bordered(x), bordered(image))
    assert torch.allclose(drawn, enlarged(image, 2), atol=1e-6)
    more = step(bordered(x), bordered(image), torch.ones(1, 12, 16, 16))
    assert torch.allclose(more, drawn + 1, atol=1e-6)


def test_only_what_is_drawn_learns() -> None:
    assert [name for name, _ in Enlarge(4).named_parameters()] == ["weight", "bias"]
    assert "fixed" not in Enlarge(4).state_dict()
