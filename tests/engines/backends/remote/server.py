"""A KServe v2 server in this process, on tritonclient's own stubs, which runs a network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engines.backends.onnx_graph import INPUT
from engines.backends.remote.interface import as_sent
from engines.networks.toon import ToonNetwork

grpc = pytest.importorskip("grpc", reason="needs the extra remote: pip install -e '.[remote]'")
pb = pytest.importorskip(
    "tritonclient.grpc.service_pb2", reason="needs the extra remote: pip install -e '.[remote]'"
)
stubs = pytest.importorskip("tritonclient.grpc.service_pb2_grpc")

Arrays = list[NDArray[Any]]


class Service(stubs.GRPCInferenceServiceServicer):  # type: ignore[name-defined]
    """Serves one model.

    Attributes:
        batch: first dimension of the shapes it reports.
        change: what it does to its outputs before it answers.
        asked: batch sizes of the calls so far.
        half: floats are sent in half precision, not as exports of before did.
    """

    def __init__(self, network: ToonNetwork, model: str) -> None:
        self.network, self.model, self.batch = network, model, -1
        self.change: Callable[[Arrays], Arrays] = lambda arrays: arrays
        self.asked: list[int] = []
        self.half = True
        self.free = threading.Event()
        self.free.set()

    def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.ServerMetadataResponse(name="test server", version="1")

    def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._require(request.name, context)

        def tensor(name: str, dtype: torch.dtype, shape: tuple[int, ...]) -> Any:
            return pb.ModelMetadataResponse.TensorMetadata(
                name=name, datatype=self._kind(dtype), shape=[self.batch, *shape]
            )

        side = self.network.input_size
        return pb.ModelMetadataResponse(
            name=self.model,
            versions=["1"],
            platform="python",
            inputs=[tensor(INPUT, torch.uint8, (side, side, 3))],
            outputs=[tensor(o.name, o.dtype, o.shape) for o in self.network.outputs],
        )

    def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._require(request.model_name, context)
        self.free.wait(10)
        shape = list(request.inputs[0].shape)
        self.asked.append(shape[0])
        crops = np.frombuffer(request.raw_input_contents[0], np.uint8).reshape(shape).copy()
        answer = pb.ModelInferResponse(model_name=self.model, model_version="1")
        with torch.inference_mode():
            drawn = self.network(torch.from_numpy(crops))
        whole = [tensor.numpy() for tensor in drawn]
        arrays = self.change([as_sent(array) for array in whole] if self.half else whole)
        for output, array in zip(self.network.outputs, arrays, strict=False):
            kind = self._kind(output.dtype)
            answer.outputs.add(name=output.name, datatype=kind, shape=array.shape)
            answer.raw_output_contents.append(array.tobytes())
        return answer

    def _kind(self, dtype: torch.dtype) -> str:
        return "UINT8" if dtype == torch.uint8 else "FP16" if self.half else "FP32"

    def _require(self, name: str, context: Any) -> None:
        if name != self.model:
            context.abort(
                grpc.StatusCode.NOT_FOUND, f"Request for unknown model: '{name}' is not found"
            )


@contextmanager
def serving(service: Service, port: int = 0, credentials: Any = None) -> Iterator[str]:
    """Serves until the end of the `with`; gives HOST:PORT."""
    server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
    stubs.add_GRPCInferenceServiceServicer_to_server(service, server)
    place = f"127.0.0.1:{port}"
    bound = (
        server.add_secure_port(place, credentials)
        if credentials
        else server.add_insecure_port(place)
    )
    server.start()
    try:
        yield f"127.0.0.1:{bound}"
    finally:
        service.free.set()
        server.stop(None).wait()
