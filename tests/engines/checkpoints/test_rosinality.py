"""Files of rosinality's and of pSp give the same network, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.checkpoints import reader
from engines.networks.generator import Generator
from tests.engines.checkpoints import writers
from tests.engines.checkpoints.checks import STATE, check_same, read
from tests.engines.checkpoints.writers import TINY


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


def test_wide_mapping_networks_get_fewer_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_LATENT_COST", 2_000 * sum(
        p.numel() for name, p in STATE.items() if name.startswith("mapping.fc")
    ))  # fmt: skip
    monkeypatch.setattr(reader, "_LATENTS_AT_ONCE", 1)
    path, shares = tmp_path / "a.pt", list[float]()
    path.write_bytes(writers.rosinality_file(STATE, training=True))
    few = reader.read_checkpoint(path, shares.append)
    assert len(shares) == 2_000
    monkeypatch.undo()
    many = reader.read_checkpoint(path)
    off = few.state["mapping.w_avg"] - many.state["mapping.w_avg"]
    assert 0 < off.norm() < 0.1 * many.state["mapping.w_avg"].norm()


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_psp_decoder(tmp_path: Path, legacy: bool) -> None:
    checkpoint = read(tmp_path, writers.psp_file(STATE, legacy=legacy))
    check_same(checkpoint, STATE)
    assert checkpoint.source == "psp"


def test_half_precision_and_views_are_read_as_float32(tmp_path: Path) -> None:
    half = {name: p.half() for name, p in STATE.items()}
    ours = writers.rosinality_names(half)
    ours["style.1.weight"] = ours["style.1.weight"].t().contiguous().t()
    whole = torch.zeros(2, 16, dtype=torch.float16)
    whole[1] = half["mapping.w_avg"]
    data = writers.torch_file({"g_ema": ours, "latent_avg": whole[1]})
    check_same(read(tmp_path, data), {name: p.float() for name, p in half.items()})


def test_old_rosinality_files_get_fixed_noise_and_say_so(tmp_path: Path) -> None:
    ours = {n: p for n, p in writers.rosinality_names(STATE).items() if "noises." not in n}
    data = writers.torch_file({"g_ema": ours, "latent_avg": STATE["mapping.w_avg"]})
    first, second = read(tmp_path, data), read(tmp_path, data)
    assert "keeps no noise" in first.notes[0]
    name = "synthesis.b64.conv1.noise_const"
    assert first.state[name].std() == pytest.approx(1, abs=0.1)
    assert torch.equal(first.state[name], second.state[name])


def test_mean_latents_that_differ_by_layer_are_averaged(tmp_path: Path) -> None:
    average = torch.arange(2.0)[:, None].repeat(1, 16)
    data = writers.rosinality_file(STATE, latent_avg=average)
    checkpoint = read(tmp_path, data)
    assert torch.equal(checkpoint.state["mapping.w_avg"], torch.full((16,), 0.5))
    assert "differs from layer to layer" in checkpoint.notes[0]
