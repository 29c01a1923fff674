"""An audit hook proves that reading opens the file it reads and does nothing else.

All hostile files and thousands of mutations go through one process whose address space is limited:
each ends as a checkpoint or as one sentence, soon and in little memory.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import save

from tests.engines.checkpoints import writers
from tests.engines.checkpoints.greedy import GREEDY, doubling, self_containing
from tests.engines.checkpoints.hostile import HOSTILE, rezipped

ROOT = Path(__file__).resolve().parents[3]
MUTATIONS = 3000
SMALLEST = dataclasses.replace(
    writers.TINY, resolution=8, w_dim=4, z_dim=4, channel_base=32, channel_max=4, mapping_layers=1
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")


def test_only_the_file_itself_is_opened(tmp_path: Path) -> None:
    state = writers.random_state(0, SMALLEST)
    folders = {name: tmp_path / name for name in ("sound", "warm", "hostile")}
    for folder in folders.values():
        folder.mkdir()
    sound = {
        "nvidia-2": writers.nvidia_pickle(state, 2),
        "nvidia-4": writers.nvidia_pickle(state, 4),
        "tensorflow": writers.tensorflow_pickle(state),
        "zip": writers.rosinality_file(state),
        "legacy": writers.rosinality_file(state, legacy=True),
        "training": writers.rosinality_file(state, training=True, legacy=True),
        "safetensors": save(state),
    }
    for name, data in sound.items():
        (folders["sound"] / name).write_bytes(data)
    (folders["warm"] / "cut").write_bytes(sound["zip"][:-5])
    (folders["warm"] / "foreign").write_bytes(rezipped(lambda members: None))
    trace = tmp_path / "ran"
    for i, (make, _) in enumerate(HOSTILE.values()):
        (folders["hostile"] / f"{i:02d}").write_bytes(make(trace))
    for build in (*GREEDY, doubling, self_containing):
        (folders["hostile"] / build.__name__).write_bytes(build())

    run = subprocess.run(
        [sys.executable, "-m", "tests.engines.checkpoints.isolated", tmp_path, str(MUTATIONS)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    result = json.loads(run.stdout)
    assert result["deeds"] == []
    assert not trace.exists()
    harmless = {name for name, was_read in result["hostile"].items() if was_read}
    assert harmless == {"doubling", "self_containing"}
    assert len(result["hostile"]) == len(HOSTILE) + len(GREEDY) + 2
    assert result["read"] + result["refused"] == MUTATIONS
    assert result["refused"] > MUTATIONS / 4  # the mutations bite
    assert result["read"] > MUTATIONS / 50  # and some, in weights or beside them, do no harm
