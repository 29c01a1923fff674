"""The same weights through every format give the same network, bit for bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engines.checkpoints import CheckpointError, NeutralCheckpoint, read_checkpoint
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from tests.engines.checkpoints import writers
from tests.engines.checkpoints.writers import TINY, State

STATE = writers.random_state()
PROTOCOLS = (2, 3, 4, 5)


def read(tmp_path: Path, data: bytes) -> NeutralCheckpoint:
    path = tmp_path / "some-model.bin"  # formats are told by content
    path.write_bytes(data)
    return read_checkpoint(path)


def image(state: State, config: GeneratorConfig) -> torch.Tensor:
    generator = Generator(config)
    generator.load_state_dict(state)
    z = torch.randn(2, config.z_dim, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return generator(z, truncation_psi=0.7)


def check_same(checkpoint: NeutralCheckpoint, state: State, *, same_average: bool = True) -> None:
    assert checkpoint.state.keys() == state.keys()
    for name, tensor in state.items():
        assert checkpoint.state[name].dtype == torch.float32
        if same_average or name != "mapping.w_avg":
            assert checkpoint.state[name].shape == tensor.shape, name
            assert torch.equal(checkpoint.state[name], tensor), name
    config = GeneratorConfig.from_state(checkpoint.state, conv_clamp=checkpoint.conv_clamp)
    if same_average:
        ours = dataclasses.replace(TINY, conv_clamp=checkpoint.conv_clamp)
        assert torch.equal(image(checkpoint.state, config), image(state, ours))


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


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_rosinality_converted(tmp_path: Path, legacy: bool, protocol: int) -> None:
    data = writers.rosinality_file(STATE, legacy=legacy, protocol=protocol)
    checkpoint = read(tmp_path, data)
    check_same(checkpoint, STATE)
    assert (checkpoint.source, checkpoint.conv_clamp, checkpoint.notes) == ("rosinality", None, ())


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_rosinality_training_file(tmp_path: Path, legacy: bool) -> None:
    """Namespace, Path and numpy values pass by; the mean latent is estimated, always the same."""
    data = writers.rosinality_file(STATE, legacy=legacy, training=True)
    checkpoint = read(tmp_path, data)
    check_same(checkpoint, STATE, same_average=False)
    assert checkpoint.w_avg_estimated
    assert [note for note in checkpoint.notes if "mean latent" in note] == list(checkpoint.notes)
    again = read(tmp_path, data)
    assert torch.equal(again.state["mapping.w_avg"], checkpoint.state["mapping.w_avg"])
    generator = Generator(TINY)
    generator.load_state_dict(STATE)
    with torch.no_grad():
        w = generator.mapping(torch.randn(20000, TINY.z_dim))
    error = (w.mean(dim=0) - checkpoint.state["mapping.w_avg"]).abs() / w.std(dim=0)
    assert error.max() < 5 * (1 / 16384 + 1 / 20000) ** 0.5


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_psp_decoder(tmp_path: Path, legacy: bool) -> None:
    checkpoint = read(tmp_path, writers.psp_file(STATE, legacy=legacy))
    check_same(checkpoint, STATE)
    assert checkpoint.source == "psp"


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "face.safetensors"
    save_file(STATE, path)
    checkpoint = read_checkpoint(path)
    check_same(checkpoint, STATE)
    assert (checkpoint.source, checkpoint.conv_clamp) == ("safetensors", 256.0)
    save_file(STATE, path, metadata={"conv_clamp": "none"})
    assert read_checkpoint(path).conv_clamp is None
    save_file(STATE, path, metadata={"conv_clamp": "loose"})
    with pytest.raises(CheckpointError, match="conv_clamp is neither"):
        read_checkpoint(path)
    save_file({**STATE, "encoder.stem": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"'encoder\.stem' does not belong"):
        read_checkpoint(path)


def test_our_own_gates_and_masks_are_kept(tmp_path: Path) -> None:
    config = dataclasses.replace(
        TINY,
        feature_channels=((8, 5),),
        mask_resolution=32,
        detail_resolution=4,
        photo_resolution=16,
    )
    state = writers.random_state(3, config)
    path = tmp_path / "face.safetensors"
    save_file(state, path)
    read_back = read_checkpoint(path).state
    assert read_back.keys() == state.keys()
    assert all(torch.equal(read_back[name], p) for name, p in state.items())


@pytest.mark.parametrize(
    ("name", "tensor", "sentence"),
    [
        ("b8.inject.weight", torch.zeros(16), r"should be \[16, 1, 1, 1\].*found \[16\]"),
        ("b8.inject.weight", torch.zeros(9, 5, 1, 1), r"should be \[16, 5, 1, 1\]"),
        ("b8.inject.weight", torch.zeros(16, 5, 3, 3), r"should be \[16, 5, 1, 1\]"),
        ("b8.inject.weight", torch.zeros(16, 0, 1, 1), r"should be \[16, 1, 1, 1\]"),
        ("b8.inject.gate", torch.zeros(1), r"b8\.inject\.gate should be \[16\]"),
        ("b8.inject.gate", None, r"b8\.inject\.gate is missing"),
        ("b4.todetail.weight", torch.zeros(4, 16, 1, 1), r"should be \[16, 16, 1, 1\]"),
        ("b32.tomask.bias", torch.zeros(()), r"b32\.tomask\.bias should be \[1\]"),
        ("b64.tomask.weight", torch.zeros(1, 8, 1, 1), r"in one block, found it in \[32, 64\]"),
        ("b64.tophoto.weight", torch.zeros(1, 8, 1, 1), r"b64\.tophoto\.bias is missing"),
        ("b128.inject.weight", torch.zeros(8, 5, 1, 1), r"b128\.conv0\.weight is missing"),
    ],
)
def test_gates_and_masks_must_fit(
    tmp_path: Path, name: str, tensor: torch.Tensor | None, sentence: str
) -> None:
    config = dataclasses.replace(
        TINY, feature_channels=((8, 5),), mask_resolution=32, detail_resolution=4
    )
    state = {**writers.random_state(3, config), f"synthesis.{name}": tensor}
    path = tmp_path / "face.safetensors"
    save_file({name: p for name, p in state.items() if p is not None}, path)
    with pytest.raises(CheckpointError, match=sentence):
        read_checkpoint(path)


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
    check_same(read(tmp_path, writers.dump({"G_ema": network})), STATE)


def zip_tensor(tensor: torch.Tensor) -> Any:
    typed = torch.storage.TypedStorage(
        wrap_storage=tensor.contiguous().untyped_storage(), dtype=tensor.dtype, _internal=True
    )
    data = writers.torch_file(typed)
    assert data.startswith(b"PK")
    storage = writers.Call(torch.storage._load_from_bytes, data)
    args = (storage, 0, tuple(tensor.shape), tensor.contiguous().stride(), False, {})
    return writers.Call(torch._utils._rebuild_tensor_v2, *args)


def test_half_precision_and_views_are_read_as_float32(tmp_path: Path) -> None:
    half = {name: p.half() for name, p in STATE.items()}
    ours = writers.rosinality_names(half)
    ours["style.1.weight"] = ours["style.1.weight"].t().contiguous().t()
    whole = torch.zeros(2, 16, dtype=torch.float16)
    whole[1] = half["mapping.w_avg"]
    data = writers.torch_file({"g_ema": ours, "latent_avg": whole[1]})
    check_same(read(tmp_path, data), {name: p.float() for name, p in half.items()})


def test_models_without_noise(tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, noise=False)
    state = writers.random_state(2, config)
    checkpoint = read(tmp_path, writers.nvidia_pickle(state))
    assert checkpoint.state.keys() == state.keys()
    assert GeneratorConfig.from_state(checkpoint.state).noise is False


def test_old_rosinality_files_get_fixed_noise_and_say_so(tmp_path: Path) -> None:
    ours = {n: p for n, p in writers.rosinality_names(STATE).items() if "noises." not in n}
    data = writers.torch_file({"g_ema": ours, "latent_avg": STATE["mapping.w_avg"]})
    first, second = read(tmp_path, data), read(tmp_path, data)
    assert "keeps no noise" in first.notes[0]
    name = "synthesis.b64.conv1.noise_const"
    assert first.state[name].std() == pytest.approx(1, abs=0.1)
    assert torch.equal(first.state[name], second.state[name])


def test_generators_without_average_are_read_and_say_so(tmp_path: Path) -> None:
    data = writers.dump({"G": writers.nvidia_network(STATE), "G_ema": None})
    assert "no averaged generator" in read(tmp_path, data).notes[0]
    ours = writers.rosinality_names(STATE)
    data = writers.torch_file({"g": ours, "latent_avg": STATE["mapping.w_avg"]})
    assert "no averaged generator" in read(tmp_path, data).notes[0]


def test_mean_latents_that_differ_by_layer_are_averaged(tmp_path: Path) -> None:
    average = torch.arange(2.0)[:, None].repeat(1, 16)
    data = writers.rosinality_file(STATE, latent_avg=average)
    checkpoint = read(tmp_path, data)
    assert torch.equal(checkpoint.state["mapping.w_avg"], torch.full((16,), 0.5))
    assert "differs from layer to layer" in checkpoint.notes[0]


def changed(**tensors: torch.Tensor | None) -> State:
    state = {**STATE, **tensors}
    return {name: p for name, p in state.items() if p is not None}  # type: ignore[misc]


def network(change: Callable[[Any], object]) -> bytes:
    built = writers.nvidia_network(STATE)
    change(built)
    return writers.dump({"G_ema": built})


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
