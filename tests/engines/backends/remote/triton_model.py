"""Triton's Python backend around ONNX Runtime, for a Triton that comes without the latter.

It runs in Triton's own process and environment, beside `model.onnx`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton  # type: ignore[import-not-found]


class TritonPythonModel:
    """What Triton looks for in this file."""

    def initialize(self, about: dict[str, str]) -> None:
        folder = Path(about["model_repository"]) / about["model_version"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def execute(self, requests: list[Any]) -> list[Any]:
        name = self.session.get_inputs()[0].name
        parts = [triton.get_input_tensor_by_name(one, name).as_numpy() for one in requests]
        arrays = self.session.run(None, {name: np.concatenate(parts)})
        outputs = [output.name for output in self.session.get_outputs()]
        ends = np.cumsum([len(part) for part in parts])[:-1]
        pieces = zip(*(np.split(array, ends) for array in arrays), strict=True)
        return [
            triton.InferenceResponse(
                [triton.Tensor(*pair) for pair in zip(outputs, piece, strict=True)]
            )
            for piece in pieces
        ]
