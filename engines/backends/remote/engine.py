"""The engine whose network runs on a server: checked first, asked for every frame, checked again.

A server is trusted with nothing. Before its first toon is shown, and again after every failure and
every pause, it must draw a portrait as the network itself draws it here. So another style, or
another model under the same name, is found out, not shown. And no toon may be as good as its crop.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.backends.outputs import HostOutputs
from engines.backends.protocol import BackendError, EngineOutput, one_line
from engines.backends.remote.address import NAME, Address, parse
from engines.backends.remote.connection import Connection
from engines.backends.remote.interface import TensorSpec, interface_of, model_name
from engines.backends.request import EngineRequest
from engines.backends.swapping import SwappingEngine

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

LIVE_DEADLINE = 0.25  # seconds for a live frame, the time after which the guard fills in anyway
FILE_DEADLINE = 10.0  # seconds for a picture that is waited for
FIRST_CHECK, LATER_CHECK = 60.0, 2.0  # seconds: a server may build its engine when first asked
PAUSE = 10.0  # seconds without a frame after which the server may be another one
BOUND = 2.0  # of 255, mean difference: fp16 and bf16 differ by up to 0.2, another style by 5.9
LIKENESS = 0.1  # of the known portrait's distance from its toon: what is nearer is the photo


def create(request: EngineRequest) -> RemoteEngine:
    """Connects, says that crops leave the machine, and checks that the server draws this network.

    Raises:
        BackendError: no server answers, or it serves something else.
        PrecisionError: a precision is asked for, which is the server's choice.
    """
    address = parse(request.variant)
    request.choose_precision(NAME, (RemoteEngine.precision,))
    request.say(address.notice)
    engine = RemoteEngine(request, address)
    sent, returned = engine.wire
    request.say(
        f"A face takes {sent / 1e3:.0f} kB to the server and {returned / 1e3:.0f} kB back; at 30 "
        f"fps that is {(sent + returned) * 8 * 30 / 1e6:.0f} Mbit/s."
    )
    return engine


class RemoteEngine(SwappingEngine):
    """Asks a server; says nothing about how it computes, which is the server's choice.

    Attributes:
        deadline: seconds after which an answer counts as missing; may be set at any time.
        wire: bytes of one face, to the server and back.
    """

    precision = "as served"

    def __init__(self, request: EngineRequest, address: Address) -> None:
        self._connection = Connection(address)
        self.deadline = FILE_DEADLINE
        self.wire = (0, 0)
        try:
            super().__init__(NAME, request.network, self._ask, request.max_batch, request.say)
        except BackendError:
            self._connection.close()
            raise

    def close(self) -> None:
        super().close()
        self._connection.close()

    def _ask(self, network: ToonNetwork) -> RemoteProgram:
        program = RemoteProgram(self, self._connection, network)
        self.wire = program.wire
        return program


class RemoteProgram:
    """One model of a server, which draws what `network` draws."""

    precision = RemoteEngine.precision

    def __init__(self, engine: RemoteEngine, connection: Connection, network: ToonNetwork) -> None:
        self._engine, self._connection = engine, connection
        self.interface = interface_of(network)
        self._outputs = self.interface.outputs  # as the server serves them
        self._results = HostOutputs(network, engine.max_batch)
        self._model = connection.address.model or model_name(network)
        if not self._model:
            raise BackendError(
                f"This network has no name to ask a server for: name the model, "
                f"{NAME}:{connection.address.server}/MODEL."
            )
        self._nearest = LIKENESS * _distance(self.interface.probe[0], self.interface.answers[0][0])
        self._at_once: int | None = None  # crops in one call, if the server limits them
        self._trusted_until = 0.0
        self._check(FIRST_CHECK)
        self.device = (
            f"{connection.server(FIRST_CHECK)} at {connection.address.server}, model {self._model}"
        )

    @property
    def wire(self) -> tuple[int, int]:
        """Bytes of one face to the server and back, in the form in which this server serves."""
        return self.interface.input.size, sum(spec.size for spec in self._outputs)

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        if time.monotonic() > self._trusted_until:
            self._check(LATER_CHECK)
        ends = time.monotonic() + self._engine.deadline
        step = self._at_once or len(crops)
        try:
            parts = [
                self._infer(crops[start : start + step], max(ends - time.monotonic(), 1e-3))
                for start in range(0, len(crops), step)
            ]
            arrays = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
            self._refuse_photos(crops, arrays[0])
        except BackendError:
            self._trusted_until = 0.0
            raise
        self._trusted_until = time.monotonic() + PAUSE
        for memory, array in zip(self._results.arrays, arrays, strict=True):
            memory[: len(crops)] = array
        return self._results.engine_output(len(crops))

    def close(self) -> None:
        """Nothing to free: the connection is the engine's."""

    def _infer(self, crops: NDArray[np.uint8], seconds: float) -> list[NDArray[Any]]:
        return self._connection.infer(
            self._model, crops, self.interface.input, self._outputs, seconds
        )

    def _refuse_photos(self, crops: NDArray[np.uint8], toons: NDArray[Any]) -> None:
        if any(_distance(*pair) < self._nearest for pair in zip(crops, toons, strict=True)):
            raise BackendError(
                f"{self._connection.address.server} handed back a photo instead of its toon: do "
                "not use this server."
            )

    def _check(self, seconds: float) -> None:
        """Ask for the model's interface, and for a portrait whose toon is known.

        Raises:
            BackendError: the server does not answer, or serves something else.
        """
        served, interface = self._connection.metadata(self._model, seconds), self.interface
        _, batch = self._compare(served.inputs, interface.input)
        self._outputs = tuple(self._compare(served.outputs, one)[0] for one in interface.outputs)
        self._at_once = None if batch < 0 else batch
        drawn = self._infer(interface.probe, seconds)
        for spec, array, known in zip(interface.outputs, drawn, interface.answers, strict=True):
            difference = float(np.abs(array.astype(np.float32) - known.astype(np.float32)).mean())
            difference *= 255 if known.dtype.kind == "f" else 1
            if not difference <= BOUND:
                raise BackendError(
                    f"{self._connection.address.server} draws something else under the name "
                    f"{self._model!r}: its {spec.name} of a known portrait differ by "
                    f"{difference:.1f} of 255 from this model's, where {BOUND:g} are allowed; "
                    "export this model, style and swap again."
                )
        self._trusted_until = time.monotonic() + PAUSE

    def _compare(self, served: Any, spec: TensorSpec) -> tuple[TensorSpec, int]:
        """In which form the server has this tensor, if it has; how many crops it takes at once, -1
        for any number."""
        found = {one.name: (one.datatype, list(one.shape) or [0]) for one in served}
        datatype, (batch, *shape) = found.get(spec.name, ("", [0]))
        served_as = TensorSpec(spec.name, datatype, tuple(shape))
        if served_as not in spec.forms or batch not in (-1, 1):
            raise BackendError(
                f"{self._connection.address.server} serves another network as {self._model!r}: "
                f"expected {spec.name} {spec.datatype} {[-1, *spec.shape]}, found "
                f"{one_line(str(found)) if found else 'nothing'}; export this model again."
            )
        return served_as, int(batch)


def _distance(crop: NDArray[np.uint8], toon: NDArray[Any]) -> float:
    """Mean absolute difference, of 255, in the toon's size."""
    if crop.shape != toon.shape:
        height, width = toon.shape[:2]
        crop = np.asarray(cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return float(cv2.norm(crop, toon, cv2.NORM_L1)) / toon.size
