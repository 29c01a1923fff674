"""What all tests of learning share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.training.learn import encoder, style, trainer
from engines.training.learn.losses import FeatureDistance


@pytest.fixture(autouse=True, scope="package")
def one_feature_network() -> Iterator[None]:
    """The trainers share one, which never changes: to load it takes as long as a step."""
    shared = FeatureDistance()
    with pytest.MonkeyPatch.context() as patch:
        for module in (encoder, style, trainer):
            patch.setattr(module, "FeatureDistance", lambda: shared)
        yield
