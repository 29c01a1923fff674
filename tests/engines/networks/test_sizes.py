"""Sizes that no network has are refused."""

from __future__ import annotations

import pytest

from engines.errors import ToonifyError
from engines.networks.sizes import check_size


@pytest.mark.parametrize("value", [1, 4096])
def test_sizes_within_the_limits_pass(value: int) -> None:
    check_size("An encoder", "w_dim", value, 1, 4096)


@pytest.mark.parametrize("value", [0, 4097, 8.0, True, "8", None, 10**100])
def test_other_sizes_are_refused(value: object) -> None:
    with pytest.raises(ToonifyError, match="An encoder's w_dim must be a whole number from 1 to"):
        check_size("An encoder", "w_dim", value, 1, 4096)
