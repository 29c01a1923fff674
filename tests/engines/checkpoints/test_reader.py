"""What is no StyleGAN2 generator is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engines.checkpoints import CheckpointError, read_checkpoint
from tests.engines.checkpoints import stand_ins, writers
from tests.engines.checkpoints.checks import STATE, read
from tests.engines.checkpoints.writers import State


def test_generators_without_average_are_read_and_say_so(tmp_path: Path) -> None:
    data = stand_ins.dump({"G": writers.nvidia_network(STATE), "G_ema": None})
    assert "no averaged generator" in read(tmp_path, data).notes[0]
    ours = writers.rosinality_names(STATE)
    data = writers.torch_file({"g": ours, "latent_avg": STATE["mapping.w_avg"]})
    assert "no averaged generator" in read(tmp_path, data).notes[0]


def changed(**tensors: torch.Tensor | None) -> State:
    state = {**STATE, **tensors}
    return {name: p for name, p in state.items() if p is not None}


def network(change: Callable[[Any], object]) -> bytes:
    built = writers.nvidia_network(STATE)
    change(built)
    return stand_ins.dump({"G_ema": built})


def narrower_at_32() -> State:
    """12 channels at 32 px, between 16 above and 8 below."""
    state = dict(STATE)
    for name, p in STATE.items():
        outputs = name.startswith("synthesis.b32.conv") and "affine" not in name and p.dim() != 2
        inputs = name.startswith(
            ("synthesis.b32.conv1", "synthesis.b32.torgb", "synthesis.b64.conv0")
        )
        if outputs and p.dim():
            p = p[:12]
        if inputs and ".affine." in name:
            p = p[:12]
        elif inputs and p.dim() == 4:
            p = p[:, :12]
        state[name] = p.contiguous()
    return state


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "stylegan3": (
        lambda: writers.nvidia_pickle({"synthesis.input.freqs": torch.zeros(4)}),
        "no learned 4x4 constant",
    ),
    "conditional": (
        lambda: writers.nvidia_pickle(changed(**{"mapping.embed.weight": torch.zeros(16, 2)})),
        "class-conditional",
    ),
    "residual outputs": (
        lambda: network(lambda n: setattr(n.synthesis.b8, "architecture", "resnet")),
        "b8 has architecture 'resnet'; only 'skip'",
    ),
    "another filter": (
        lambda: network(lambda n: n.synthesis.b8.conv0.resample_filter.fill_(1.0)),
        r"synthesis.b8.conv0.resample_filter is not StyleGAN2's filter",
    ),
    "clamps that differ": (
        lambda: network(lambda n: setattr(n.synthesis.b8.conv1, "conv_clamp", 3)),
        "do not share one activation clamp",
    ),
    "another learning rate": (
        lambda: network(lambda n: setattr(n.mapping.fc0, "bias_gain", 1.0)),
        "mapping.fc0 has bias_gain 1.0; only 0.01",
    ),
    "missing tensor": (
        lambda: writers.nvidia_pickle(changed(**{"synthesis.b16.conv1.bias": None})),
        r"synthesis\.b16\.conv1\.bias is missing",
    ),
    "missing block": (
        lambda: writers.nvidia_pickle({n: p for n, p in STATE.items() if ".b16." not in n}),
        r"expected StyleGAN2 blocks 4, 8, 16",
    ),
    "shape": (
        lambda: writers.nvidia_pickle(changed(**{"synthesis.b8.conv1.bias": torch.zeros(7)})),
        r"synthesis\.b8\.conv1\.bias should be \[16\].*found \[7\]",
    ),
    "channels without rule": (
        lambda: writers.nvidia_pickle(narrower_at_32()),
        r"channels of block 32 \(12\) do not follow",
    ),
    "not finite": (
        lambda: writers.nvidia_pickle(
            changed(**{"mapping.fc0.bias": torch.full((16,), torch.nan)})
        ),
        r"mapping\.fc0\.bias holds values that are not finite",
    ),
    "integers": (
        lambda: writers.nvidia_pickle(changed(**{"mapping.w_avg": torch.arange(16)})),
        r"mapping\.w_avg holds integers",
    ),
    "no mean latent": (
        lambda: writers.nvidia_pickle(changed(**{"mapping.w_avg": None})),
        r"mapping\.w_avg is missing",
    ),
    "config d": (
        lambda: writers.tensorflow_pickle(STATE, extra={"synthesis/ToRGB_lod0/bias": np.zeros(3)}),
        "config a-d",
    ),
    "TensorFlow kwargs": (
        lambda: writers.tensorflow_pickle(STATE, architecture="orig"),
        "architecture 'orig'; only 'skip'",
    ),
    "TensorFlow filter": (
        lambda: writers.tensorflow_pickle(STATE, resample_kernel=[1, 2, 1]),
        "resample_kernel is not StyleGAN2's filter",
    ),
    "encoder without decoder": (
        lambda: writers.torch_file({"state_dict": {"encoder.weight": torch.zeros(2)}}),
        "no learned constant",
    ),
    "something else": (lambda: writers.torch_file({"epoch": 3}), "found a dict of 'epoch'"),
    "a plain module": (lambda: writers.torch_file(torch.zeros(40)), "found a call of 'torch"),
    "text": (lambda: b"Not found. " * 20, "expected a pickle of protocol 2 to 5 at byte 0"),
    "web page": (lambda: b"\n<!DOCTYPE html>" + b" not found" * 20, "it is a web page"),
    "too short": (lambda: b"\x80\x04.", "it has 3 bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_one_sentence_that_names_the_file(tmp_path: Path, case: str) -> None:
    make, sentence = REFUSED[case]
    with pytest.raises(CheckpointError, match=sentence) as caught:
        read(tmp_path, make())
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'some-model.bin'} cannot be read as a StyleGAN2")
    assert message.endswith(".")
    assert "\n" not in message


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.pkl"):
        with pytest.raises(CheckpointError, match="there is no such file"):
            read_checkpoint(path)
