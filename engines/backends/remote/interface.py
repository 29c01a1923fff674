"""What goes in and out of a network by name, and what it draws of a portrait.

All of it is the network's own description: one with more outputs is served without a change. What
is no picture travels in half precision, which is half the bytes; earlier exports serve FP32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.onnx_graph import INPUT
from engines.faces.people import people
from engines.pictures import read_picture

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork


@dataclass(frozen=True)
class TensorSpec:
    """One tensor on the wire.

    Attributes:
        datatype: as the KServe protocol writes it, such as UINT8.
        shape: of one crop or toon, without the batch.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of one."""
        return int(np.prod(self.shape)) * int("".join(filter(str.isdigit, self.datatype))) // 8

    @property
    def forms(self) -> tuple[TensorSpec, ...]:
        """This, and how earlier exports serve the same."""
        return (self, replace(self, datatype="FP32")) if self.datatype == "FP16" else (self,)


@dataclass(frozen=True, eq=False)
class Interface:
    """What a server must serve in place of a network.

    Attributes:
        input, outputs: the tensors, in the order of the network's own.
        probe: uint8 [1, S, S, 3] RGB, a portrait that comes with the package.
        answers: what the network makes of the probe in fp32, one array [1, ...] for each output.
    """

    input: TensorSpec
    outputs: tuple[TensorSpec, ...]
    probe: NDArray[np.uint8]
    answers: tuple[NDArray[np.generic], ...]

    @property
    def wire(self) -> tuple[int, int]:
        """Bytes of one face to the server and back, without a few hundred for names."""
        return self.input.size, sum(spec.size for spec in self.outputs)


def interface_of(network: ToonNetwork) -> Interface:
    """The network's own description of itself, and what it draws of the probe on the CPU."""
    size = network.input_size
    portrait = read_picture(people()[0]).rgb
    probe = cv2.resize(portrait, (size, size), interpolation=cv2.INTER_AREA)[None].astype(np.uint8)
    with torch.inference_mode():
        answers = tuple(tensor.numpy() for tensor in network(torch.from_numpy(probe)))
    outputs = tuple(
        _spec(output.name, as_sent(answer))
        for output, answer in zip(network.outputs, answers, strict=True)
    )
    return Interface(_spec(INPUT, probe), outputs, probe, answers)


def model_name(network: ToonNetwork) -> str:
    """The network's label with what may not stand in a folder's name or an address replaced."""
    return re.sub(r"[^\w.-]", "-", network.label)


def as_sent(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """One result in the type in which a server sends it: uint8 as it is, floats as float16."""
    return array.astype(np.float16) if array.dtype.kind == "f" else array


def _spec(name: str, array: NDArray[np.generic]) -> TensorSpec:
    kinds = {"u": "UINT", "i": "INT", "f": "FP"}
    return TensorSpec(name, f"{kinds[array.dtype.kind]}{8 * array.dtype.itemsize}", array.shape[1:])
