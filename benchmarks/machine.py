"""What the numbers were measured on: hardware, driver, versions and commit."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psutil

if TYPE_CHECKING:
    from engines.backends import Engine

PACKAGES = (
    "torch", "openvino", "tensorrt-rtx-cu13", "torch-tensorrt", "nncf", "mediapipe", "numpy",
    "opencv-contrib-python", "av", "toonify-live",
)  # fmt: skip


def describe() -> dict[str, Any]:
    """The machine as a JSON-ready record, without names of its owner or its network."""
    import torch

    return {
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "cpu": _cpu_name(),
        "physical_cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": usable_cores(),
        "torch_threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": gpus(),
        "cuda": torch.version.cuda,
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
    }


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return psutil.cpu_count() or 1


def gpus() -> list[dict[str, Any]]:
    """NVIDIA GPUs as NVML names them; empty without a driver."""
    with nvml() as library:
        if library is None:
            return []
        driver = library.nvmlSystemGetDriverVersion()
        found = []
        for index in range(library.nvmlDeviceGetCount()):
            handle = library.nvmlDeviceGetHandleByIndex(index)
            major, minor = library.nvmlDeviceGetCudaComputeCapability(handle)
            memory = library.nvmlDeviceGetMemoryInfo(handle).total
            found.append(
                {
                    "name": library.nvmlDeviceGetName(handle),
                    "driver": driver,
                    "compute_capability": f"{major}.{minor}",
                    "memory_gib": round(memory / 2**30, 1),
                }
            )
        return found


def device_kind(engine: Engine) -> Literal["cuda", "cpu", "other"]:
    """Where an engine computes, by its `device`: one back end may run on several."""
    import torch

    if torch.cuda.is_available() and engine.device == torch.cuda.get_device_name():
        return "cuda"
    return "cpu" if engine.device.lower().startswith("cpu") else "other"


@contextlib.contextmanager
def nvml() -> Iterator[Any]:
    """The NVML binding, initialised, or None where there is no driver or no binding."""
    try:
        import pynvml
    except ImportError:
        yield None
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Commit of the checkout this file lies in, with `+` when tracked files differ from it."""
    here = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None
