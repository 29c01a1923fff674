"""Files made to harm: refused in one sentence or read as what they hold; nothing runs."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engines.checkpoints import CheckpointError, read_checkpoint
from tests.engines.checkpoints import writers
from tests.engines.checkpoints.greedy import doubling, self_containing
from tests.engines.checkpoints.hostile import HOSTILE, MKDIR, STATE, Bomb
from tests.engines.checkpoints.writers import torch_file


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_and_run_nothing(tmp_path: Path, case: str) -> None:
    make, sentence = HOSTILE[case]
    path, trace = tmp_path / "hostile", tmp_path / "ran"
    path.write_bytes(make(trace))
    with pytest.raises(CheckpointError, match=sentence) as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).isprintable()
    assert not trace.exists()


def test_the_payload_would_have_run(tmp_path: Path) -> None:
    """The bomb in these files is a real one: the standard unpickler sets it off."""
    trace = tmp_path / "ran"
    pickle.loads(pickle.dumps(Bomb(trace)))
    assert trace.exists()


@pytest.mark.parametrize("kind", ["nvidia", "zip", "legacy"])
def test_calls_beside_the_weights_are_ignored_and_reported(tmp_path: Path, kind: str) -> None:
    path, trace = tmp_path / "hostile", tmp_path / "ran"
    bomb = Bomb(trace)
    path.write_bytes(
        writers.nvidia_pickle(STATE, training_set_kwargs=bomb)
        if kind == "nvidia"
        else writers.rosinality_file(STATE, legacy=kind == "legacy", args=bomb)
    )
    checkpoint = read_checkpoint(path)
    assert all(torch.equal(checkpoint.state[name], p) for name, p in STATE.items())
    assert f"The file names '{MKDIR}'" in checkpoint.notes[0]
    assert "nothing of it was run" in checkpoint.notes[0]
    assert not trace.exists()


def test_cut_off_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for data in (
        writers.nvidia_pickle(STATE),
        writers.tensorflow_pickle(STATE, 2),
        writers.rosinality_file(STATE),
        writers.rosinality_file(STATE, legacy=True),
    ):
        for part in (0.01, 0.3, 0.6, 0.9, 0.99):
            path.write_bytes(data[: int(len(data) * part)])
            with pytest.raises(CheckpointError):
                read_checkpoint(path)
        path.write_bytes(data[:-1])
        with pytest.raises(CheckpointError):
            read_checkpoint(path)


@pytest.mark.parametrize("make", [doubling, self_containing])
def test_containers_without_end_beside_the_weights_do_no_harm(
    tmp_path: Path, make: Callable[[], bytes]
) -> None:
    path = tmp_path / "endless"
    path.write_bytes(make())
    assert read_checkpoint(path).resolution == 64


def test_one_tensor_under_many_names_cannot_multiply(tmp_path: Path) -> None:
    """Every name of the generator points to one large storage."""
    storage = torch.zeros(1, 1, 1, 1, 500_000)
    names = [name for name in writers.rosinality_names(STATE) if "kernel" not in name]
    path = tmp_path / "many"
    path.write_bytes(torch_file({"g_ema": dict.fromkeys(names, storage)}))
    with pytest.raises(CheckpointError, match="more data than the file holds"):
        read_checkpoint(path)
