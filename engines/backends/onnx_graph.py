"""Toon networks as ONNX graphs that a strongly typed compiler takes as they are.

Every type in the graph is decided here: in fp16 the convolutions are half, styles, demodulation
and the skip picture single. All constant arithmetic (run-time gains, noise) is folded.
"""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engines.backends.prepare import CastFirst, example_crops, prepared
from engines.backends.protocol import BackendError
from engines.errors import install

if TYPE_CHECKING:
    import onnx

    from engines.networks.toon import ToonNetwork

OPSET = 20
INPUT = "crops"
NO_LIMIT = 1 << 31


def export_onnx(network: ToonNetwork, precision: str, max_batch: int) -> onnx.ModelProto:
    """The graph of `network`, with a free batch dimension when `max_batch` is above 1.

    Input `crops` uint8 [N, S, S, 3]; outputs as `network.outputs` says, with the batch first.

    Args:
        precision: fp16 or fp32.

    Raises:
        BackendError: without the packages onnx and onnxscript.
    """
    try:
        import onnxscript.optimizer
    except ImportError as error:
        raise BackendError(
            f"Exporting a model needs the package {error.name}: {install('rtx')}."
        ) from error
    graph = CastFirst(prepared(network, precision), precision)
    example = example_crops(network, min(2, max_batch))
    batch = {0: torch.export.Dim("batch", min=1, max=max_batch)} if max_batch > 1 else None
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)  # it warns that torchvision, which is not needed, is missing
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                graph,
                (example,),
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=(batch,),
                input_names=[INPUT],
                output_names=[output.name for output in network.outputs],
                external_data=False,
                optimize=False,
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    assert program is not None
    # The general optimiser takes demodulation's epsilon for zero and drops it; folding does not.
    onnxscript.optimizer.fold_constants(
        program.model, input_size_limit=NO_LIMIT, output_size_limit=NO_LIMIT
    )
    onnxscript.optimizer.remove_unused_nodes(program.model)
    model: onnx.ModelProto = program.model_proto
    return model


def with_half_outputs(model: onnx.ModelProto) -> None:
    """Let a graph hand out float16 under the names of its float32 outputs."""
    import onnx
    from onnx import helper

    full, half = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    for value in model.graph.output:
        if value.type.tensor_type.elem_type != full:
            continue
        inner = f"{value.name}.float"
        for node in model.graph.node:
            for names in node.input, node.output:
                names[:] = [inner if name == value.name else name for name in names]
        model.graph.node.append(helper.make_node("Cast", [inner], [value.name], to=half))
        value.type.tensor_type.elem_type = half


def without_float_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose float32 matrix products are written as multiply and sum.

    TensorRT for RTX has no float32 matrix product on Turing (SM75). Those of this network are a
    few hundred numbers wide (styles and demodulation), and must not be rounded to half.
    """
    import onnx
    from onnx import helper, numpy_helper

    twin = onnx.ModelProto()
    twin.CopyFrom(model)
    graph = twin.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    rows, last = "products.rows", "products.last"
    graph.initializer.extend(
        numpy_helper.from_array(np.array([axis], dtype=np.int64), name)
        for name, axis in ((rows, 1), (last, -1))
    )
    nodes: list[Any] = []
    for node in graph.node:
        weight = constants.get(node.input[1]) if node.op_type in ("Gemm", "MatMul") else None
        if weight is None or weight.data_type != onnx.TensorProto.FLOAT:
            nodes.append(node)
            continue
        matrix = numpy_helper.to_array(weight)
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        name, out = f"{node.name}.weight", node.output[0]
        matrix = np.ascontiguousarray(matrix if transposed else matrix.T)
        graph.initializer.append(numpy_helper.from_array(matrix, name))
        bias = list(node.input[2:])
        summed = f"{out}.sum" if bias else out
        nodes += [
            helper.make_node("Unsqueeze", [node.input[0], rows], [f"{out}.column"]),
            helper.make_node("Mul", [f"{out}.column", name], [f"{out}.product"]),
            helper.make_node("ReduceSum", [f"{out}.product", last], [summed], keepdims=0),
        ]
        if bias:
            nodes.append(helper.make_node("Add", [summed, *bias], [out]))
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return twin
