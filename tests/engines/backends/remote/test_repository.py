from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import openvino as ov
import pytest
from numpy.typing import NDArray

from engines.backends.devices.intel import shared_core
from engines.backends.protocol import PrecisionError
from engines.backends.remote.interface import interface_of
from engines.backends.remote.repository import Exported, export_repository, triton_config
from engines.backends.torch_eager import TorchEngine
from engines.errors import UsageError
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import AGREEMENT, difference, put_together, run_onnx

OUTPUTS = ["toons", "masks", "details", "eyes", "mouth"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("repository")


@pytest.fixture(scope="module")
def triton(tiny: ToonNetwork, repository: Path) -> Exported:
    return export_repository(tiny, repository, "triton", max_batch=4)


@pytest.fixture(scope="module")
def intermediate(tiny: ToonNetwork, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export_repository(tiny, tmp_path_factory.mktemp("ir"), "openvino", max_batch=4)


def test_onnx_draws_what_the_network_draws(
    tiny: ToonNetwork, triton: Exported, reference: TorchEngine, tiny_crops: NDArray[np.uint8]
) -> None:
    assert triton.path.parent.name == triton.model == "random-64-film"
    results = run_onnx(onnx.load(triton.path / "model.onnx"), tiny_crops)
    drawn, here = put_together(tiny, results), reference.run(tiny_crops)
    assert difference(drawn.images, here.images) < AGREEMENT
    assert difference(drawn.masks, here.masks) < AGREEMENT
    assert (results[2].dtype, results[0].dtype) == (np.float16, np.uint8)
    assert drawn.details is not None
    assert here.details is not None
    assert np.abs(drawn.details - here.details).mean() < 0.01


def test_ir_draws_what_the_network_draws_for_any_number_of_crops(
    tiny: ToonNetwork,
    intermediate: Exported,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
) -> None:
    model = shared_core().read_model(intermediate.path / "model.xml")
    assert model.input("crops").partial_shape == ov.PartialShape([-1, 64, 64, 3])
    program = shared_core().compile_model(model, "CPU")
    here = reference.run(tiny_crops)
    found = program(tiny_crops)
    drawn = put_together(tiny, [found[output.name] for output in tiny.outputs])
    assert difference(drawn.images, here.images) < AGREEMENT
    assert difference(drawn.masks, here.masks) < AGREEMENT
    assert found["details"].dtype == np.float16
    assert drawn.details is not None
    assert here.details is not None
    assert np.abs(drawn.details - here.details).mean() < 0.01
    assert program(tiny_crops[:1])["toons"].shape == (1, 64, 64, 3)


def test_the_bytes_on_the_wire_are_those_of_the_tensors(triton: Exported) -> None:
    assert (triton.sent, triton.returned) == (64 * 64 * 3, 64 * 64 * 10 + 3 * 32 * 128)
    text = (triton.path.parent / "config.pbtxt").read_text(encoding="utf-8")
    assert '{ name: "details", data_type: TYPE_FP16, dims: [ 3, 64, 64 ] }' in text


def test_the_configuration_names_every_tensor_and_batches(triton: Exported) -> None:
    text = (triton.path.parent / "config.pbtxt").read_text(encoding="utf-8")
    assert 'backend: "onnxruntime"' in text
    assert "max_batch_size: 4" in text
    assert '{ name: "crops", data_type: TYPE_UINT8, dims: [ 64, 64, 3 ] }' in text
    assert '{ name: "masks", data_type: TYPE_UINT8, dims: [ 64, 64 ] }' in text
    assert "dynamic_batching" in text
    assert "count: 1, kind: KIND_AUTO" in text


def test_tritons_own_parser_takes_the_configuration(tiny: ToonNetwork, plain: ToonNetwork) -> None:
    pb = pytest.importorskip(
        "tritonclient.grpc.model_config_pb2",
        reason="needs the extra remote: pip install '.[remote]'",
    )
    text_format = pytest.importorskip("google.protobuf.text_format")
    for network, outputs in ((tiny, OUTPUTS), (plain, OUTPUTS[:1])):
        for form, backend in (("triton", "onnxruntime"), ("openvino", "openvino")):
            text = triton_config("m", interface_of(network), form, 8)
            found = text_format.Parse(text, pb.ModelConfig())
            assert (found.name, found.backend, found.max_batch_size) == ("m", backend, 8)
            assert [one.name for one in found.output] == outputs
            assert [one.batch_size for one in found.model_warmup] == [1, 8]
            policy = found.dynamic_batching.default_queue_policy
            assert policy.default_timeout_microseconds == 250_000


def test_another_export_is_the_next_version_and_other_models_stay(
    tiny: ToonNetwork, triton: Exported, repository: Path
) -> None:
    again = export_repository(tiny, repository, "triton", precision="fp32", max_batch=2)
    assert (triton.path.name, again.path.name) == ("1", "2")
    assert (triton.path / "model.onnx").exists()
    (repository / "other").mkdir()
    (repository / "other" / "config.pbtxt").touch()
    export_repository(tiny, repository, "openvino", max_batch=2)
    models = json.loads((repository / "config.json").read_text(encoding="utf-8"))
    names = [entry["config"]["name"] for entry in models["model_config_list"]]
    assert names == ["other", "random-64-film"]
    page = (repository / "README.md").read_text(encoding="utf-8")
    assert page.count("docker run --rm") == 2
    assert "remote:HOST:8001" in page


def test_what_cannot_be_exported_is_said_before_anything_is_written(
    tiny: ToonNetwork, plain: ToonNetwork, tmp_path: Path
) -> None:
    target = tmp_path / "new"
    with pytest.raises(UsageError, match="for triton or openvino, not 'torchserve'"):
        export_repository(tiny, target, "torchserve")
    with pytest.raises(PrecisionError, match="in fp16 or fp32, not int8"):
        export_repository(tiny, target, "triton", precision="int8")
    with pytest.raises(UsageError, match="2 or more, not 1"):
        export_repository(tiny, target, "triton", max_batch=1)
    with pytest.raises(UsageError, match="this one has no name"):
        export_repository(plain, target, "triton")
    assert not target.exists()
