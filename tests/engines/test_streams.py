"""Log lines of native libraries do not reach the terminal; everything else does."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, sys
from engines.streams import without_native_logs
with without_native_logs():
    for line in (
        b"ALSA lib conf.c:4580:(snd_config_update_r) Cannot access file alsa.conf\\n",
        b"W0000 00:00:1795876261.602250   25368 inference_runner_litert.cc:1418] not aligned\\n",
        b"I0000 00:00:1795876261.602250   25368 gl_context.cc:1] made\\n",
        b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n",
        b"terminate called after throwing\\n",
    ):
        os.write(2, line)
    print("Error: ours", file=sys.stderr)
print("after", file=sys.stderr)
"""


def test_native_logs_are_left_out() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0
    assert sorted(done.stderr.splitlines()) == [
        "Error: ours",
        "after",
        "terminate called after throwing",
    ]
