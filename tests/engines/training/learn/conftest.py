"""What all tests of learning share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.training.learn import encoder, style, trainer
from engines.training.learn.losses import FeatureDistance
from engines.training.learn.models import patch_discriminator


@pytest.fixture(autouse=True, scope="package")
def quick_networks() -> Iterator[None]:
    """The trainers share a feature network, which never changes, and have a small discriminator.

    Loading the one, or a step of the full-size other, takes longer than everything else.
    """
    shared = FeatureDistance()
    with pytest.MonkeyPatch.context() as patch:
        for module in (encoder, style, trainer):
            patch.setattr(module, "FeatureDistance", lambda: shared)
        patch.setattr(trainer, "patch_discriminator", lambda side: patch_discriminator(side, 128))
        yield
