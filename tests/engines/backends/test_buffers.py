from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.backends.buffers import Buffers, gpu_faults, require_cuda
from engines.backends.protocol import BackendError
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import noisy_crops

CPU = torch.device("cpu")


def test_there_and_back_without_new_memory(tiny: ToonNetwork) -> None:
    buffers = Buffers(tiny, 3, CPU)
    memory = [t.data_ptr() for t in (buffers.crops, *buffers.outputs)]
    views = []
    for n in (3, 1, 2):
        crops = noisy_crops(n, 64, seed=n)
        buffers.upload(crops)
        assert np.array_equal(buffers.crops[:n].numpy(), crops)
        results = tiny(buffers.crops[:n])
        buffers.fill(results)
        output = buffers.download(n)
        assert output.masks is not None
        assert output.details is not None
        assert np.array_equal(output.masks, results[1].numpy())
        assert np.array_equal(output.details, results[2].numpy())
        for name, (rows, columns) in tiny.band_boxes.items():
            result = results[[o.name for o in tiny.outputs].index(name)]
            assert np.array_equal(output.images[:, rows, columns], result.numpy())
        views.append(output.images.ctypes.data)
    assert memory == [t.data_ptr() for t in (buffers.crops, *buffers.outputs)]
    assert len(set(views)) == 1


def test_results_can_be_filled_in_one_by_one(tiny: ToonNetwork) -> None:
    buffers, crops = Buffers(tiny, 3, CPU), torch.from_numpy(noisy_crops(3, 64))
    for i in range(3):
        buffers.fill(tiny(crops[i : i + 1]), i)
    one_by_one = buffers.download(3).images.copy()
    buffers.fill(tiny(crops))
    assert np.abs(one_by_one.astype(int) - buffers.download(3).images).max() <= 1


def test_crops_that_are_a_view_arrive_in_order(tiny: ToonNetwork) -> None:
    buffers = Buffers(tiny, 1, CPU)
    mirrored = noisy_crops(1, 64)[:, :, ::-1]
    buffers.upload(mirrored)
    assert np.array_equal(buffers.crops.numpy(), mirrored)


def test_a_network_without_a_mask_has_no_mask_buffer(plain: ToonNetwork) -> None:
    buffers = Buffers(plain, 1, CPU)
    assert buffers.download(1).masks is None


@pytest.mark.parametrize(
    ("built", "reason"),
    [(False, "needs a CUDA build of torch"), (True, "needs an NVIDIA GPU, but torch finds none")],
)
def test_no_cuda_is_one_sentence(monkeypatch: pytest.MonkeyPatch, built: bool, reason: str) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: built)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendError, match=f"cuda {reason}.*or choose openvino") as caught:
        require_cuda("cuda")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RuntimeError("CUDA error:\nno kernel image"), r"failed on .*CUDA error: no kernel image"),
        (torch.cuda.DeferredCudaCallError("no device"), "failed on this GPU"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), "needs more memory than the GPU has"),
    ],
)
def test_a_failing_gpu_is_one_sentence(error: Exception, text: str) -> None:
    with pytest.raises(BackendError, match=f"cuda {text}") as caught, gpu_faults("cuda"):
        raise error
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [TypeError("a bug"), AttributeError("a bug"), BackendError("no")])
def test_faults_of_the_program_stay_as_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, gpu_faults("cuda"):
        raise error
    assert caught.value is error
