"""INT8 for OpenVINO: a network calibrated on faces, and checked against FP32 before it is used."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
import time
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engines.backends.protocol import BackendError
from engines.errors import install
from engines.say import Say

if TYPE_CHECKING:
    import openvino as ov

INT8_LIMIT = 3.0
"""Largest mean absolute error of INT8 against FP32 on the calibration crops, of 255."""

QUANTISED = ("Convolution", "ConvolutionBackpropData")
"""What runs in INT8. All else is a small part of the time, and NNCF's own choice, which takes sums
and products, too, makes the error 2.5 times as large (`film`: 3.0 of 255 against 1.2)."""
EXACT = ("torgb", "tomask", "tophoto", "todetail", "inject", "module.enlarge/")
"""Layers that stay as they are: they make colours, masks and moves, and are small."""


def calibrated(
    model: ov.Model,
    crops: NDArray[np.uint8],
    core: ov.Core,
    options: dict[str, str],
    say: Say,
) -> ov.Model:
    """`quantise`, with messages for the user, because it takes long.

    Raises:
        BackendError: without NNCF, or when the toons change too much.
    """
    if importlib.util.find_spec("nncf") is None:
        raise BackendError(f"INT8 needs NNCF: {install('int8')}.")
    say(f"Calibrating int8 on {len(crops)} crops of faces; the engine is kept for the next time.")
    start = time.perf_counter()
    model, change = quantise(model, crops, core, options)
    say(
        f"Calibrated in {time.perf_counter() - start:.0f} s: int8 changes the toons by "
        f"{change:.1f} of 255 on average."
    )
    return model


def quantise(
    model: ov.Model, crops: NDArray[np.uint8], core: ov.Core, options: dict[str, str]
) -> tuple[ov.Model, float]:
    """`model` in INT8, calibrated on `crops`, and its error on them.

    Args:
        crops: uint8 [K, S, S, 3] RGB aligned faces; a few dozen are good.
        options: how the CPU will run it.

    Returns:
        The model, and the mean absolute difference of its toons to FP32's, of 255.

    Raises:
        BackendError: when the difference is above `INT8_LIMIT`.
    """
    import nncf

    with _quiet_nncf():
        quantised = nncf.quantize(
            model,
            nncf.Dataset([crop[None] for crop in crops]),
            subset_size=len(crops),
            # A corrected bias would blow up in dead channels, where demodulation divides by next to
            # nothing.
            ignored_scope=nncf.IgnoredScope(
                types=sorted({op.get_type_name() for op in model.get_ops()} - {*QUANTISED}),
                patterns=[f".*{name}.*" for name in EXACT],
                validate=False,
            ),
            advanced_parameters=nncf.AdvancedQuantizationParameters(disable_bias_correction=True),
        )
    exact = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    coarse = core.compile_model(quantised, "CPU", options)
    change = float(
        np.mean([np.abs(coarse(c[None])[0] - exact(c[None])[0].astype(np.int16)) for c in crops])
    )
    if change > INT8_LIMIT:
        raise BackendError(
            f"INT8 changes this model's pictures by {change:.1f} of 255 on average, more than "
            f"{INT8_LIMIT:g}: choose bf16 or fp32."
        )
    return quantised, change


def nncf_version() -> str:
    """NNCF's version, as a part of the key of an engine."""
    try:
        return metadata.version("nncf")
    except metadata.PackageNotFoundError:
        return "absent"  # nothing was built without it; the build says how to get it


def hash_of(crops: NDArray[np.uint8]) -> str:
    """A short name for a set of calibration crops."""
    return hashlib.sha256(np.ascontiguousarray(crops).data).hexdigest()[:16]


@contextlib.contextmanager
def _quiet_nncf() -> Iterator[None]:
    """Keep NNCF from writing a line on every layer that it skips, and bars on standard output."""
    import nncf
    import rich

    nncf.set_log_level(logging.ERROR)
    console = rich.get_console()
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before
