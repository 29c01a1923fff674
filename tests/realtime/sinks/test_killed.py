"""Recordings of a program that is killed: a power cut, the system's memory killer, SIGKILL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import pytest

RATE, SENT = 12, 60  # a slow machine's; the encoder's own look ahead is longer there
LOST = 32
"""Pictures that a kill may cost: half a second for the file, the rest are in the encoder."""

RECORDER = """
import sys, time
from pathlib import Path
from realtime.sinks.files import AlphaMovie, Recording
from tests.realtime.sinks.outputs import SIZE, output

kind = {"Recording": Recording, "AlphaMovie": AlphaMovie}[sys.argv[1]]
sink = kind(Path(sys.argv[2]), SIZE, RATE, paced=False)
sink.open()
for number in range(SENT):
    sink.send(output(number, RATE))
print("sent", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("Recording", f"a{suffix}") for suffix in (".mp4", ".MP4", ".mov", ".m4v", ".mkv")),
        *(("AlphaMovie", f"a{suffix}") for suffix in (".mov", ".webm")),
    ],
)
def test_what_was_recorded_before_a_kill_plays(tmp_path: Path, kind: str, name: str) -> None:
    program = RECORDER.replace("RATE", str(RATE)).replace("SENT", str(SENT))
    recorder = subprocess.Popen(
        [sys.executable, "-c", program, kind, str(tmp_path / name)], stdout=subprocess.PIPE
    )
    try:
        assert recorder.stdout
        assert recorder.stdout.readline().strip() == b"sent"
    finally:
        recorder.kill()
        recorder.communicate()
    with av.open(str(tmp_path / name)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= SENT - LOST
