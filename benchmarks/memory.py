"""Memory that something takes, at its peak."""

from __future__ import annotations

import contextlib
import gc
import sys
from pathlib import Path

import psutil


class PeakMemory:
    """Memory added since construction, at its peak, in MiB.

    On the host, resident memory of this process (on Linux the kernel's own high-water mark, reset
    first; elsewhere the memory held now). On a GPU, what the device's free memory lost, by all
    allocators together.
    """

    STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def __init__(self, cuda: bool = False) -> None:
        gc.collect()
        self._cuda = cuda
        if not cuda and self.STATUS.exists():
            with contextlib.suppress(OSError):
                self.RESET.write_text("5")
        self._before = self._used_now()

    def held(self) -> float:
        """MiB that are still taken now."""
        return max(0.0, (self._used_now() - self._before) / 2**20)

    def read(self) -> float:
        """MiB at the peak."""
        if self._cuda:
            return self.held()
        return max(self.held(), (self._high_water() - self._before) / 2**20)

    def _used_now(self) -> float:
        if self._cuda:
            import torch

            free, total = torch.cuda.mem_get_info()
            return float(total - free)
        return float(psutil.Process().memory_info().rss)

    def _high_water(self) -> float:
        if sys.platform != "linux":
            return 0.0
        for line in self.STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) * 1024
        return 0.0
