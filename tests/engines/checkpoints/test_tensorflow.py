"""NVIDIA's TensorFlow files give the same network, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.checkpoints import writers
from tests.engines.checkpoints.checks import PROTOCOLS, STATE, check_same, read


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nvidia_tensorflow(tmp_path: Path, protocol: int) -> None:
    checkpoint = read(tmp_path, writers.tensorflow_pickle(STATE, protocol))
    check_same(checkpoint, STATE)
    assert (checkpoint.source, checkpoint.conv_clamp, checkpoint.notes) == ("nvidia-tf", None, ())


def test_arrays_as_numpy_2_names_them_and_in_fortran_order(tmp_path: Path) -> None:
    data = writers.tensorflow_pickle(STATE, 2)
    newer = data.replace(b"cnumpy.core.multiarray", b"cnumpy._core.multiarray")
    assert newer != data
    check_same(read(tmp_path, newer), STATE)
    check_same(read(tmp_path, writers.tensorflow_pickle(STATE, order="F")), STATE)
