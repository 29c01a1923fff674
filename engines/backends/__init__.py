"""Back ends that run a toon network: torch, OpenVINO, CUDA graphs, TensorRT for RTX, TensorRT."""

from __future__ import annotations
