"""A model repository that a server reads: the network, how it is batched, and how to start it.

The layout is Triton's (`MODEL/config.pbtxt`, `MODEL/1/model.onnx`), which OpenVINO Model Server
reads as well with its `config.json` beside the models.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from engines.backends.onnx_graph import export_onnx, with_half_outputs
from engines.backends.protocol import BackendError, PrecisionError
from engines.backends.remote.interface import Interface, TensorSpec, interface_of, model_name
from engines.errors import UsageError, install
from engines.files import atomic_path, write_atomically

if TYPE_CHECKING:
    import onnx

    from engines.networks.toon import ToonNetwork

FILES = {"triton": "model.onnx", "openvino": "model.xml"}
"""What a repository is for -> the network's file in it."""
PRECISIONS = ("fp16", "fp32")

QUEUE_DELAY = 2000  # microseconds that a crop may wait for others
QUEUE_LIMIT = 250_000  # microseconds after which its frame is late anyway (LIVE_DEADLINE)
TRITON_IMAGE = "nvcr.io/nvidia/tritonserver:25.08-py3"
OPENVINO_IMAGE = "openvino/model_server:latest"
PORT = 8001


class Exported(NamedTuple):
    """What was written.

    Attributes:
        model: the name to ask for.
        path: the folder of this version.
        sent, returned: bytes of one face to the server and back.
    """

    model: str
    path: Path
    sent: int
    returned: int


def export_repository(
    network: ToonNetwork,
    repository: Path,
    form: str,
    *,
    precision: str | None = None,
    max_batch: int = 16,
) -> Exported:
    """Put `network` into a repository, new or not, as a model of its own or as its next version.

    Args:
        network: with a label, on the CPU in float32.
        repository: a folder; models that are in it stay.
        form: triton (ONNX) or openvino (OpenVINO IR).
        precision: fp16, unless given, or fp32. OpenVINO stores in it and computes as its device
            likes.
        max_batch: the most crops of one batch, 2 or more.

    Raises:
        UsageError: a form, a precision or a batch that there is not, or a network without a name.
        BackendError: without the packages onnx and onnxscript.
        WriteError: the folder cannot be written.
    """
    precision = precision or PRECISIONS[0]
    if form not in FILES:
        raise UsageError(f"A repository is for {' or '.join(FILES)}, not {form!r}.")
    if precision not in PRECISIONS:
        raise PrecisionError(f"A model is exported in {' or '.join(PRECISIONS)}, not {precision}.")
    if max_batch < 2:
        raise UsageError(f"The largest batch must be 2 or more, not {max_batch}.")
    if not network.label:
        raise UsageError("Only a model's network can be exported: this one has no name.")
    if missing := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise BackendError(f"Exporting needs the package {missing[0]}: {install('remote')}.")
    interface, name = interface_of(network), model_name(network)
    folder = repository / name
    version = folder / str(1 + max(_versions(folder), default=0))
    # OpenVINO decides itself what it computes in; its graph must leave it the choice.
    graph = export_onnx(network, precision if form == "triton" else "fp32", max_batch)
    with_half_outputs(graph)
    with atomic_path(version) as part:
        part.mkdir(parents=True)
        if form == "triton":
            (part / FILES[form]).write_bytes(graph.SerializeToString())
        else:
            _save_ir(graph, part / FILES[form], precision)
    config = triton_config(name, interface, form, max_batch)
    write_atomically(folder / "config.pbtxt", config.encode())
    write_atomically(repository / "config.json", openvino_config(repository).encode())
    write_atomically(repository / "README.md", readme(repository).encode())
    return Exported(name, version, *interface.wire)


def triton_config(name: str, interface: Interface, form: str, max_batch: int) -> str:
    """Triton's `config.pbtxt`: batches form while crops wait, and what waits too long is refused.

    The fields are those of Triton's ModelConfig (model_config.proto).
    """
    backend = {"triton": "onnxruntime", "openvino": "openvino"}[form]
    warm = "\n".join(_warmup(interface.input, size) for size in (1, max_batch))
    outputs = ",\n".join(f"  {_tensor(spec)}" for spec in interface.outputs)
    return f"""name: "{name}"
backend: "{backend}"
max_batch_size: {max_batch}
input [
  {_tensor(interface.input)}
]
output [
{outputs}
]
dynamic_batching {{
  max_queue_delay_microseconds: {QUEUE_DELAY}
  default_queue_policy {{
    timeout_action: REJECT
    default_timeout_microseconds: {QUEUE_LIMIT}
    max_queue_size: {4 * max_batch}
  }}
}}
instance_group [
  {{ count: 1, kind: KIND_AUTO }}
]
{warm}
"""


def openvino_config(repository: Path) -> str:
    """OpenVINO Model Server's `config.json` for every model that is in the repository."""
    entries = [
        {"config": {"name": name, "base_path": f"/models/{name}", "target_device": "AUTO"}}
        for name in _models(repository)
    ]
    return json.dumps({"model_config_list": entries}, indent=2) + "\n"


def readme(repository: Path) -> str:
    """How to start a server on the repository, for whoever gets the folder."""
    names = _models(repository)
    rows = "\n".join(f"- `{name}`" for name in names)
    here = f'-p {PORT}:{PORT} -v "$PWD:/models:ro"'
    triton = f"{TRITON_IMAGE} tritonserver --model-repository=/models"
    openvino = f"{OPENVINO_IMAGE} --config_path /models/config.json --port {PORT}"
    return f"""# Toons for many callers

A model repository for servers of the KServe v2 protocol. It holds:

{rows}

Start a server in this folder. On a box with an NVIDIA GPU (8002 is for metrics):

```sh
docker run --rm --gpus all {here} -p 8002:8002 {triton}
```

On a box without one (models exported with `--for openvino`):

```sh
docker run --rm {here} {openvino}
```

Then, on the machine with the camera, `toonify run --engine remote:HOST:{PORT}` asks for the model
of its style. `toonify run --engine remote:HOST:{PORT}/{names[0]}` names one.

The port is not encrypted, and whoever reaches it can use it. Put a proxy with TLS before it
(`remote:tls://HOST:PORT`), or keep it inside your own network.

`config.pbtxt` of each model says how Triton batches: at most {QUEUE_DELAY / 1000:g} ms are waited
for more crops, and a crop that waited {QUEUE_LIMIT // 1000} ms is refused, because its frame is
late. A second instance (`instance_group`, `count: 2`) helps where one leaves the GPU idle between
batches.
"""


def _tensor(spec: TensorSpec) -> str:
    dims = ", ".join(str(side) for side in spec.shape)
    return f'{{ name: "{spec.name}", data_type: TYPE_{spec.datatype}, dims: [ {dims} ] }}'


def _warmup(spec: TensorSpec, batch: int) -> str:
    dims = ", ".join(str(side) for side in spec.shape)
    return f"""model_warmup {{
  name: "batch {batch}"
  batch_size: {batch}
  inputs {{
    key: "{spec.name}"
    value: {{ data_type: TYPE_{spec.datatype}, dims: [ {dims} ], zero_data: true }}
  }}
}}"""


def _save_ir(graph: onnx.ModelProto, path: Path, precision: str) -> None:
    from engines.backends.devices.intel import shared_core

    model = shared_core().read_model(graph.SerializeToString())
    import openvino as ov

    ov.save_model(model, path, compress_to_fp16=precision == "fp16")


def _versions(folder: Path) -> list[int]:
    found = folder.iterdir() if folder.is_dir() else ()
    return [int(path.name) for path in found if path.name.isdigit() and path.is_dir()]


def _models(repository: Path) -> list[str]:
    return sorted(path.parent.name for path in repository.glob("*/config.pbtxt"))
