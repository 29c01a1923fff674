"""What a request asks for, where it leaves a choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.backends.protocol import BackendError
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import make_request


def test_the_first_precision_offered_is_the_default(plain: ToonNetwork, tmp_path: Path) -> None:
    request = make_request(plain, tmp_path)
    assert request.choose_precision("openvino", ("bf16", "fp32")) == "bf16"


def test_only_an_offered_precision_is_taken(plain: ToonNetwork, tmp_path: Path) -> None:
    request = make_request(plain, tmp_path, precision="fp32")
    assert request.choose_precision("openvino", ("bf16", "fp32")) == "fp32"
    with pytest.raises(BackendError, match="cuda runs fp16 or bf16 here, not fp32: choose"):
        request.choose_precision("cuda", ("fp16", "bf16"))


def test_the_shape_says_batch_and_side(plain: ToonNetwork, tmp_path: Path) -> None:
    assert make_request(plain, tmp_path, max_batch=4).shape == "1..4x32x32x3"
