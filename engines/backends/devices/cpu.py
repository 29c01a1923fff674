"""What OpenVINO's programs for this processor need of it."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino as ov

LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Variables that limit the instructions a CPU program may use; the first one set counts."""


def is_cpu(device: str) -> bool:
    """Whether OpenVINO means a CPU by this name, such as `CPU` or `CPU.0`."""
    return device.partition(".")[0] == "CPU"


@lru_cache(maxsize=8)
def instruction_set(core: ov.Core, kind: str) -> str | None:
    """What programs for this CPU need, found by compiling one convolution.

    A user can limit the instructions. OpenVINO's properties still name what the processor has, so
    that bfloat16 is listed where it does not compile.

    Args:
        core: OpenVINO's.
        kind: OpenVINO's name of the floats it computes with, such as `f32`.

    Returns:
        OpenVINO's words, which name the instruction set; in versions without them, the limit that
        the user set. None where nothing compiles with such floats.
    """
    import openvino as ov
    from openvino import opset8 as operators

    picture = operators.parameter([1, 8, 8, 8], np.float32)
    weights = operators.constant(np.ones((8, 8, 3, 3), np.float32))
    ones = [1, 1]
    result = operators.convolution(picture, weights, ones, ones, ones, ones)
    try:
        options = {"INFERENCE_PRECISION_HINT": kind}
        program = core.compile_model(ov.Model([result], [picture]), "CPU", options)
    except RuntimeError:
        return None
    if "RUNTIME_REQUIREMENTS" in program.get_property("SUPPORTED_PROPERTIES"):
        return str(program.get_property("RUNTIME_REQUIREMENTS"))
    return next((value for name in LIMITS if (value := os.environ.get(name))), "")
