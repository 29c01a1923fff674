"""What every back end does: uint8 crops in, uint8 toons out, everything between compiled inside.

An engine is driven by two threads: one calls `run` for every frame, another may call `update` to
change the style. Both are safe together; `run` itself is called by one thread at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError, UsageError
from engines.finish import PLAIN, Finish

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

CLOSED = "The engine was closed: create a new one to go on."


class BackendError(ToonifyError):
    """A back end that cannot run here, or was asked for something it cannot do."""


class NoDeviceError(BackendError):
    """A back end whose kind of device is not there, or not for this installation; `auto` goes on
    without a word, unless details were asked for."""


class BackendNameError(BackendError, UsageError):
    """A name that is not a back end."""


class PrecisionError(BackendError, UsageError):
    """A precision that the back end cannot compute in."""


class EngineOutput(NamedTuple):
    """The toons of one batch, valid until the next `run` of the same engine.

    Engines with pinned or shared host buffers hand out views of them, so that a frame allocates
    nothing; copy what must live longer.

    Attributes:
        images: uint8 [N, R, R, 3] RGB.
        masks: uint8 [N, M, M], 255 = head; None for a network without a mask.
        details: float32 [N, 3, M, M]: from where each place of the toon takes the photo's finest
            detail, as an offset (x, y) in shares of the side, and how much of it, 0..1; None for a
            network that does not say.
        finish: what the style wants done to live pictures.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8] | None
    details: NDArray[np.float32] | None = None
    finish: Finish = PLAIN


class Engine(Protocol):
    """A toon network made ready to run on one device.

    Attributes:
        name: the back end: torch, openvino, cuda, tensorrt-rtx or tensorrt.
        device: the device as its driver calls it.
        precision: fp32, fp16, bf16 or int8: what really runs, not what was asked for.
        input_size: S, the side of a crop in pixels.
        output_size: R, the side of a toon in pixels.
        build_seconds: time from the network to a warm engine; short when the engine came from the
            cache.
    """

    name: str
    device: str
    precision: str
    max_batch: int
    input_size: int
    output_size: int
    build_seconds: float

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        """Toons of `crops`, uint8 [N, S, S, 3] RGB with 0 < N <= max_batch."""
        ...

    def update(self, network: ToonNetwork) -> None:
        """Take the weights of `network`, which has the same architecture, between two frames."""
        ...

    def close(self) -> None:
        """Free device memory and threads; the engine cannot run afterwards."""
        ...


def one_line(error: Exception | str, longest: int = 160) -> str:
    """Another library's message as one line of at most `longest` characters."""
    text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def check_crops(crops: NDArray[np.uint8], size: int, max_batch: int) -> int:
    """The batch size of `crops`, uint8 [1..max_batch, size, size, 3].

    Raises:
        BackendError: when they are anything else.
    """
    shape = crops.shape
    if crops.dtype != np.uint8 or len(shape) != 4 or shape[1:] != (size, size, 3):
        raise BackendError(
            f"The engine takes uint8 crops [N, {size}, {size}, 3] in RGB, but was given "
            f"{crops.dtype} {list(shape)}: crop and resize the faces first."
        )
    if not 0 < shape[0] <= max_batch:
        raise BackendError(
            f"The engine takes 1 to {max_batch} crops at once, but was given {shape[0]}: "
            "split the batch, or create the engine with a larger max_batch."
        )
    return shape[0]


def check_same_shape(running: ToonNetwork, network: ToonNetwork) -> None:
    """Refuse an update by a network whose tensors differ in name or shape from the running ones.

    Raises:
        BackendError: naming the first tensor that differs.
    """
    want = {name: tuple(tensor.shape) for name, tensor in running.state_dict().items()}
    have = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if want != have:
        name = min(name for name in want | have if want.get(name) != have.get(name))
        raise BackendError(
            f"An engine takes new weights of its own architecture, but {name} is "
            f"{_shape(have.get(name))} where the running network has {_shape(want.get(name))}: "
            "create a new engine for this model."
        )


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else str(list(shape))
