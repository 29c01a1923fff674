"""NVIDIA's PyTorch files give the same network, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engines.checkpoints import stand_ins, writers
from tests.engines.checkpoints.checks import PROTOCOLS, STATE, check_same, read


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nvidia_pytorch(tmp_path: Path, protocol: int) -> None:
    checkpoint = read(tmp_path, writers.nvidia_pickle(STATE, protocol))
    check_same(checkpoint, STATE)
    assert checkpoint.source == "nvidia-pytorch"
    assert (checkpoint.conv_clamp, checkpoint.w_avg_estimated, checkpoint.notes) == (
        256.0,
        False,
        (),
    )
    assert (checkpoint.resolution, checkpoint.w_dim) == (64, 16)


def test_nested_storages_in_a_zip(tmp_path: Path) -> None:
    """`_load_from_bytes` may hold the newer container as well."""
    state = {name: zip_tensor(p) for name, p in STATE.items()}
    network = writers.nvidia_network(STATE)
    for path, module in network.named_modules():
        for group in (module._parameters, module._buffers):
            for name in group:
                full = f"{path}.{name}"
                if full in state:
                    group[name] = state[full]
    check_same(read(tmp_path, stand_ins.dump({"G_ema": network})), STATE)


def zip_tensor(tensor: torch.Tensor) -> Any:
    typed = torch.storage.TypedStorage(
        wrap_storage=tensor.contiguous().untyped_storage(), dtype=tensor.dtype, _internal=True
    )
    data = writers.torch_file(typed)
    assert data.startswith(b"PK")
    storage = stand_ins.Call(torch.storage._load_from_bytes, data)
    args: tuple[Any, ...] = (
        storage,
        0,
        tuple(tensor.shape),
        tensor.contiguous().stride(),
        False,
        {},
    )
    return stand_ins.Call(torch._utils._rebuild_tensor_v2, *args)
