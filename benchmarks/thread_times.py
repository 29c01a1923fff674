"""Processor time of a running loop, by the work that its threads do."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from pathlib import Path

import psutil

ENGINE, DETECTORS = "engine", "face networks"
STAGES = ("capture", "track", "watch", "finish", "paste", "send", "meter")
"""Threads of `realtime.pipeline`, and of the sink, that are named alone. `track` also searches."""
MEDIAPIPE = ("drishti", "mediapipe")  # what MediaPipe calls its workers
OWN = "measure"  # the thread that measures, which does not count


def processor_times() -> dict[str, float]:
    """Seconds of processor that this process has used so far, by work; empty outside Linux.

    Returns:
        One entry for each stage thread; `DETECTORS` for MediaPipe's workers, which compute for the
        stages track and watch; `ENGINE` for the thread that draws and all workers without a name,
        which are those of its libraries.
    """
    if not sys.platform.startswith("linux"):
        return {}
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    used: dict[str, float] = defaultdict(float)
    for thread in psutil.Process().threads():
        name = names.get(thread.id) or _native_name(thread.id)
        used[_work(name)] += thread.user_time + thread.system_time
    used.pop(OWN, None)
    return dict(used)


def beside_engine(times: dict[str, float]) -> float:
    """The sum of all times but the engine's."""
    return sum(seconds for work, seconds in times.items() if work != ENGINE)


def _work(name: str) -> str:
    if name in (*STAGES, OWN):
        return name
    if name.startswith(MEDIAPIPE) or name.startswith("ThreadPoolExecutor"):
        return DETECTORS
    return "rest" if name == "MainThread" else ENGINE


def _native_name(thread: int) -> str:
    """What the system calls a thread that Python did not start; empty if it has just ended."""
    try:
        return Path(f"/proc/self/task/{thread}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
