from __future__ import annotations

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from engines.backends import openvino as openvino_backend
from engines.backends.onnx_graph import export_onnx, without_float_products
from engines.backends.torch_eager import TorchEngine
from engines.networks.encoder import Encoder, EncoderConfig
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import (
    AGREEMENT,
    difference,
    noisy_crops,
    put_together,
    run_onnx,
)

FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16


def types_of(model: onnx.ModelProto) -> dict[str, int]:
    """Element type of every tensor in the graph."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = (*graph.value_info, *graph.input, *graph.output)
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    return types | {tensor.name: tensor.data_type for tensor in graph.initializer}


def test_batch_is_free_and_bytes_go_in_and_out(tiny_onnx: onnx.ModelProto) -> None:
    onnx.checker.check_model(tiny_onnx, full_check=True)
    values = [*tiny_onnx.graph.input, *tiny_onnx.graph.output]
    names = ["crops", "toons", "masks", "details", "eyes", "mouth"]
    assert [value.name for value in values] == names
    for value in values:
        tensor = value.type.tensor_type
        bytes_or_float = FLOAT if value.name == "details" else onnx.TensorProto.UINT8
        assert tensor.elem_type == bytes_or_float
        assert tensor.shape.dim[0].dim_param
        assert all(dim.dim_value for dim in tensor.shape.dim[1:])


def test_fp16_agrees_with_torch_at_every_batch_size(
    tiny_onnx: onnx.ModelProto,
    tiny: ToonNetwork,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
) -> None:
    for crops in (tiny_crops, tiny_crops[:1]):
        found = put_together(tiny, run_onnx(tiny_onnx, crops))
        exact = reference.run(crops)
        assert 0 < difference(found.images, exact.images) < AGREEMENT
        assert difference(found.masks, exact.masks) < AGREEMENT
        assert found.details is not None
        assert exact.details is not None
        assert np.abs(found.details - exact.details).mean() < 0.01


def test_is_strongly_typed_with_demodulation_in_single(tiny_onnx: onnx.ModelProto) -> None:
    types = types_of(tiny_onnx)
    nodes = tiny_onnx.graph.node
    makers = {output: node for node in nodes for output in node.output}
    roots = [node for node in nodes if node.op_type == "Sqrt"]
    assert len(roots) == 7  # one demodulation for each conv0 and conv1 of 4..32
    for root in roots:
        epsilon = makers[root.input[0]]
        assert epsilon.op_type == "Add"
        product = makers[epsilon.input[0]]
        assert product.op_type == "MatMul"
        assert {types[name] for node in (root, epsilon, product) for name in node.input} == {FLOAT}
    convolutions = [node for node in nodes if node.op_type in ("Conv", "ConvTranspose")]
    halves = [node for node in convolutions if types[node.input[1]] == HALF]
    assert len(halves) > 0.6 * len(convolutions)
    for node in nodes:
        if node.op_type in ("Conv", "ConvTranspose", "Mul", "Add", "Div", "MatMul", "Gemm"):
            assert len({types[name] for name in node.input if name}) == 1, node.name


def test_nothing_random_and_nothing_left_to_fold(tiny_onnx: onnx.ModelProto) -> None:
    constants = {tensor.name for tensor in tiny_onnx.graph.initializer}
    for node in tiny_onnx.graph.node:
        assert "Random" not in node.op_type
        if node.op_type == "Constant":
            constants.update(node.output)
    foldable = [
        node.op_type
        for node in tiny_onnx.graph.node
        if node.input and all(name in constants for name in node.input if name)
    ]
    assert foldable == []


def test_turing_graph_has_the_same_numbers_without_float_products(
    tiny_onnx: onnx.ModelProto, tiny_crops: NDArray[np.uint8]
) -> None:
    twin = without_float_products(tiny_onnx)
    onnx.checker.check_model(twin, full_check=True)
    types = types_of(twin)
    products = [node for node in twin.graph.node if node.op_type in ("Gemm", "MatMul")]
    assert all(types[node.input[1]] == HALF for node in products)
    for ours, theirs in zip(
        run_onnx(twin, tiny_crops), run_onnx(tiny_onnx, tiny_crops), strict=True
    ):
        assert np.abs(ours.astype(np.float32) - theirs).mean() < 0.1


def test_config_f_at_1024_agrees_on_onnx_and_openvino() -> None:
    """The full size of public models, with noise: fp16 ONNX, and OpenVINO."""

    torch.manual_seed(0)
    encoder = EncoderConfig(
        input_size=32, num_ws=18, w_dim=512, widths=(16, 16, 16), depths=(0, 0, 0),
        feature_resolutions=(),
    )  # fmt: skip
    network = ToonNetwork(Encoder(encoder), Generator(GeneratorConfig(1024)))
    for name, tensor in network.state_dict().items():
        if name.endswith("noise_strength"):
            tensor.fill_(0.1)
    crops = noisy_crops(1, 32)
    with torch.no_grad():
        expected = network(torch.from_numpy(crops))[0].numpy()
    model = export_onnx(network, "fp16", 1)
    assert model.ByteSize() < 130e6  # 30.4 M half weights, squared norms and noise
    assert difference(run_onnx(model, crops)[0], expected) < AGREEMENT
    core, converted = openvino_backend.shared_core(), openvino_backend.convert(network)
    program = core.compile_model(converted, "CPU")
    assert difference(program(crops)[0], expected) < AGREEMENT
