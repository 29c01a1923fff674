"""OpenVINO's core, and the devices that it finds: the CPU, Intel's GPUs and NPUs."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from engines.backends.devices.cpu import is_cpu
from engines.backends.protocol import BackendError, one_line

if TYPE_CHECKING:
    import openvino as ov

# Importing OpenVINO would report its use to its makers over the network. Neither OpenVINO nor NNCF
# does so when the telemetry package that comes with it cannot be imported.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def shared_core() -> ov.Core:
    """OpenVINO's core, one for the life of the process.

    Its CPU plug-in gives the thread that loads it a stack for signal handlers, and frees that
    memory when the last core goes, in whichever thread. The next Ctrl-C would then crash the
    process (OpenVINO 2026.4).

    Raises:
        BackendError: OpenVINO is not installed.
    """
    try:
        import openvino as ov

        return ov.Core()
    except (ImportError, OSError) as error:
        raise BackendError(
            f"OpenVINO is not installed ({type(error).__name__}): pip install openvino."
        ) from error


def accelerators(core: ov.Core) -> list[str]:
    """OpenVINO's names of the GPUs and NPUs that are here, such as `GPU` or `GPU.1`."""
    return [name for name in core.available_devices if name.partition(".")[0] in ("GPU", "NPU")]


def full_name(core: ov.Core, device: str) -> str:
    """A device as its maker calls it."""
    return str(core.get_property(device, "FULL_DEVICE_NAME"))


def driver(core: ov.Core, device: str) -> str:
    """The version of the driver that compiled programs are for; empty where there is none."""
    if is_cpu(device):
        return ""
    kind = device.partition(".")[0]
    try:
        return f"driver {core.get_property(device, f'{kind}_DRIVER_VERSION')}"
    except RuntimeError:  # this device's plugin has no such property
        return ""


def failed(device: str, error: Exception) -> str:
    """The sentence for an error that a device's driver or plug-in raised."""
    other = "torch" if is_cpu(device) else "openvino:cpu"
    return (
        f"OpenVINO failed on {device}: update the device's driver, or choose {other} "
        f"({one_line(error)})."
    )
