from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engines.backends import torch_eager
from engines.backends.protocol import BackendError
from engines.backends.torch_eager import TorchEngine
from engines.finish import Finish
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import AGREEMENT, difference, make_request


def test_is_the_network_itself(
    reference: TorchEngine, tiny: ToonNetwork, tiny_crops: NDArray[np.uint8]
) -> None:
    with torch.no_grad():
        toons, masks, details, *_bands = tiny(torch.from_numpy(tiny_crops))
    output = reference.run(tiny_crops)
    assert output.images.dtype == np.uint8
    small = [cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA) for image in output.images]
    rows = slice(0, 20)  # above the bands, the toon is only enlarged
    assert difference(np.stack(small)[:, rows], toons.numpy()[:, rows]) < 5
    assert difference(output.masks, masks.numpy()) < 0.01
    assert output.details is not None
    assert np.abs(output.details - details.numpy()).max() < 1e-4
    assert np.ptp(output.images) > 50
    assert output.masks is not None
    assert np.ptp(output.masks) > 50


def test_knows_what_it_is(reference: TorchEngine, tiny: ToonNetwork) -> None:
    assert (reference.name, reference.precision, reference.max_batch) == ("torch", "fp32", 2)
    assert reference.device.startswith("CPU")
    assert (reference.input_size, reference.output_size) == (64, 128)
    assert reference.build_seconds > 0


def test_each_crop_has_its_own_toon(reference: TorchEngine, tiny_crops: NDArray[np.uint8]) -> None:
    both = reference.run(tiny_crops).images.copy()
    assert difference(both[:1], both[1:]) > 1
    assert difference(reference.run(tiny_crops[1:]).images, both[1:]) < 0.01


def test_fp16_agrees(
    reference: TorchEngine, tiny: ToonNetwork, tiny_crops: NDArray[np.uint8]
) -> None:
    half = TorchEngine(tiny, "cpu", "fp16", 2).run(tiny_crops)
    exact = reference.run(tiny_crops)
    assert 0 < difference(half.images, exact.images) < AGREEMENT
    assert difference(half.masks, exact.masks) < AGREEMENT


def test_update_takes_every_weight_in_place(
    tiny: ToonNetwork,
    other_tiny: ToonNetwork,
    tiny_crops: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = TorchEngine(tiny, "cpu", "fp32", 2)
    old = engine.run(tiny_crops).images.copy()
    memory = {name: t.data_ptr() for name, t in engine._running().state_dict().items()}
    assert engine.run(tiny_crops).finish == Finish()
    monkeypatch.setattr(other_tiny, "finish", Finish(inked=True))
    engine.update(other_tiny)
    assert engine.run(tiny_crops).finish == Finish(inked=True)
    fresh = TorchEngine(other_tiny, "cpu", "fp32", 2).run(tiny_crops).images
    assert difference(old, fresh) > 1
    assert np.array_equal(engine.run(tiny_crops).images, fresh)
    assert memory == {name: t.data_ptr() for name, t in engine._running().state_dict().items()}


@pytest.mark.parametrize(("device", "told"), [("mps", BackendError), ("cpu", RuntimeError)])
def test_only_a_gpus_failure_is_a_reason_to_move_on(
    tiny: ToonNetwork,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    told: type[Exception],
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch_eager, "prepared", fail)
    with pytest.raises(told, match="boom"):
        torch_eager.create(make_request(tiny, tmp_path, variant=device))


@pytest.mark.parametrize(("precision", "rounded"), [("fp32", False), ("fp16", True)])
def test_fp32_on_cuda_is_not_rounded(plain: ToonNetwork, precision: str, rounded: bool) -> None:
    engine = TorchEngine(plain, "cpu", precision, 1)
    before = torch.backends.cudnn.allow_tf32
    engine._device = "cuda"
    with engine._exact():
        assert torch.backends.cudnn.allow_tf32 is rounded
    assert torch.backends.cudnn.allow_tf32 is before is True
