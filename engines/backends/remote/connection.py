"""One gRPC connection to a KServe v2 server; every failure becomes one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engines.backends.protocol import CLOSED, BackendError, one_line
from engines.backends.remote.address import NAME, Address
from engines.backends.remote.interface import TensorSpec
from engines.errors import install

T = TypeVar("T")

CHANNEL = {
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.min_reconnect_backoff_ms": 2000,  # gRPC's name for the limit of one attempt
    "grpc.max_reconnect_backoff_ms": 2000,
    "grpc.keepalive_time_ms": 10_000,  # notices a peer that went without a word
    "grpc.keepalive_timeout_ms": 2000,
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": 1 << 28,
}
"""gRPC's own channel options: tried again every other second at the latest, instead of minutes."""


class Connection:
    """Connects when first used, and again by itself whenever the connection was lost.

    Raises:
        BackendError: without the package tritonclient.
    """

    def __init__(self, address: Address) -> None:
        try:
            import tritonclient.grpc as kserve
            from tritonclient.utils import InferenceServerException
        except ImportError as error:
            raise BackendError(
                f"{NAME} needs the package {error.name}: {install('remote')}."
            ) from error
        self.address = address
        self._kserve, self._error = kserve, InferenceServerException
        self._client = kserve.InferenceServerClient(
            address.server, ssl=address.tls, channel_args=list(CHANNEL.items())
        )

    def server(self, seconds: float) -> str:
        """Name and version of the server's program, such as `triton 2.51.0`.

        Raises:
            BackendError: it does not answer within `seconds`.
        """
        found = self._ask("", lambda: self._client.get_server_metadata(client_timeout=seconds))
        return one_line(f"{found.name} {found.version}".strip() or "server", 60)

    def metadata(self, model: str, seconds: float) -> Any:
        """The protocol's ModelMetadataResponse.

        Raises:
            BackendError: there is no such model, or no answer within `seconds`.
        """
        return self._ask(
            model, lambda: self._client.get_model_metadata(model, client_timeout=seconds)
        )

    def infer(
        self,
        model: str,
        crops: NDArray[np.uint8],
        wanted: TensorSpec,
        outputs: Sequence[TensorSpec],
        seconds: float,
    ) -> list[NDArray[Any]]:
        """What the server makes of `crops`, in the order of `outputs`; the arrays are read-only.

        Raises:
            BackendError: no answer within `seconds`, or one of another form.
        """
        tensor = self._kserve.InferInput(wanted.name, list(crops.shape), wanted.datatype)
        tensor.set_data_from_numpy(crops)
        names = [self._kserve.InferRequestedOutput(spec.name) for spec in outputs]
        answer = self._ask(
            model,
            lambda: self._client.infer(model, [tensor], outputs=names, client_timeout=seconds),
        )
        return [self._read(answer, spec, len(crops)) for spec in outputs]

    def close(self) -> None:
        """Ends the connection; calls that run are broken off."""
        self._client.close()

    def _read(self, answer: Any, spec: TensorSpec, count: int) -> NDArray[Any]:
        head, array = answer.get_output(spec.name), None
        found = "none" if head is None else f"{head.datatype} {list(head.shape)}"
        expected = f"{spec.datatype} {[count, *spec.shape]}"
        if found == expected:
            with suppress(ValueError):  # fewer bytes than its shape says
                array = answer.as_numpy(spec.name)
        if array is None:
            raise BackendError(
                f"{self.address.server} answered with {spec.name} as {found}, not {expected} and "
                "all its bytes: serve the model that `toonify engines export` writes."
            )
        return np.asarray(array)

    def _ask(self, model: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except self._error as error:
            raise BackendError(self._sentence(error, model)) from error
        except ValueError as error:  # a call on a closed channel
            raise BackendError(CLOSED) from error

    def _sentence(self, error: Any, model: str) -> str:
        """The same words for the same trouble, so that it is told once and not for every frame."""
        server, status = self.address.server, str(error.status()).rpartition(".")[2]
        said = one_line(error.message() or status)
        if status == "DEADLINE_EXCEEDED":
            return (
                f"{server} gave no answer in time: its network or its processor is too slow or too "
                "busy; it is asked again with the next picture."
            )
        if status == "NOT_FOUND":
            return (
                f"{server} serves no model {model!r}: put it there with `toonify engines export`, "
                f"or name another one, {NAME}:{server}/MODEL."
            )
        if status == "UNAVAILABLE" and re.search("queue|timeout expired", said, re.I):
            return f"{server} has more to do than it can: add servers or a GPU ({said})."
        if status == "UNAVAILABLE":
            tls = "encrypted" if self.address.tls else "unencrypted"
            return (
                f"{server} cannot be reached over an {tls} connection, or is starting: start the "
                "server, or check the address; it is asked again with the next picture."
            )
        return f"{server} refused the crops for {model!r}: look into its log ({said})."
