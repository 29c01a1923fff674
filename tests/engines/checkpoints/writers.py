"""Writes one generator in every public format, with the structures the original tools write.

Networks of NVIDIA's files are pickled through the stand-ins of `stand_ins`.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from tests.engines.checkpoints.stand_ins import EasyDict, Network, PersistentModule, dump

State = dict[str, torch.Tensor]
TINY = GeneratorConfig(
    64, w_dim=16, z_dim=12, channel_base=512, channel_max=16, mapping_layers=2, conv_clamp=256.0
)
FIR = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 64


def random_state(seed: int = 0, config: GeneratorConfig = TINY) -> State:
    """Every tensor random; style biases are multiples of 1/1024, so that 1 can be taken off."""
    rng = torch.Generator().manual_seed(seed)
    state = {
        name: torch.randn(p.shape, generator=rng)
        for name, p in Generator(config).state_dict().items()
    }
    for name, p in state.items():
        if name.endswith("affine.bias"):
            state[name] = (p * 1024).round() / 1024
    return state


# ---------------------------------------------------------------- NVIDIA, PyTorch


def nvidia_network(state: State, conv_clamp: float | None = 256.0) -> PersistentModule:
    """The module tree that stylegan2-ada-pytorch builds, holding `state`."""
    root = PersistentModule()
    for name, tensor in state.items():
        *path, leaf = name.split(".")
        module: torch.nn.Module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, PersistentModule())
            module = module.get_submodule(part)
        if leaf in ("w_avg", "noise_const"):
            module.register_buffer(leaf, tensor)
        else:
            module.register_parameter(leaf, torch.nn.Parameter(tensor))
    each: Any
    for whole, each in root.named_modules():
        layer = whole.rpartition(".")[2]
        if layer.startswith("fc"):
            each.activation, each.bias_gain = "lrelu", 0.01
            each.weight_gain = 0.01 / np.sqrt(512)
        elif layer in ("conv0", "conv1", "torgb"):
            each.conv_clamp, each.activation = conv_clamp, "lrelu"
            each.register_buffer("resample_filter", FIR.clone())
        elif layer.startswith("b") and layer[1:].isdigit():
            each.architecture = "skip"
            each.register_buffer("resample_filter", FIR.clone())
    root._init_args, root._init_kwargs = (), EasyDict(z_dim=1, channel_base=7)  # never to be used
    return root


def nvidia_pickle(
    state: State, protocol: int = 4, conv_clamp: float | None = 256.0, **more: Any
) -> bytes:
    """A snapshot of stylegan2-ada-pytorch with the average generator and small other networks."""
    other = nvidia_network({"b4.weight": torch.zeros(2)})
    snapshot = {
        "G": other,
        "D": other,
        "G_ema": nvidia_network(state, conv_clamp),
        "training_set_kwargs": EasyDict(path="/data", resolution=64, seen={1, 2}),
        "augment_pipe": None,
        **more,
    }
    return dump(snapshot, protocol)


# ---------------------------------------------------------------- NVIDIA, TensorFlow


def tensorflow_variables(state: State) -> dict[str, np.ndarray]:
    """`state` under TensorFlow's names and in its layouts."""
    arrays = {}
    for name, tensor in state.items():
        p, parts = tensor.numpy(), name.split(".")
        if parts[0] == "mapping":
            dense = "mapping/" + parts[1].replace("fc", "Dense")
            new = {"w_avg": "dlatent_avg"}.get(parts[1], f"{dense}/{parts[-1]}")
            arrays[new] = p.T
            continue
        r, layer = int(parts[1][1:]), parts[2]
        folder = f"synthesis/{r}x{r}/"
        folder += {"const": "Const", "conv0": "Conv0_up", "torgb": "ToRGB"}.get(
            layer, "Conv" if r == 4 else "Conv1"
        )
        index = 0 if r == 4 else 2 * int(np.log2(r)) - {"conv0": 5, "conv1": 4}.get(layer, 0)
        what = ".".join(parts[3:])
        if layer == "const":
            arrays[f"{folder}/const"] = p[None]
        elif what == "weight":
            p = p.transpose(2, 3, 1, 0)
            arrays[f"{folder}/weight"] = p[::-1, ::-1] if layer == "conv0" else p
        elif what == "noise_const":
            arrays[f"synthesis/noise{index}"] = p[None, None]
        else:
            new, array = {
                "affine.weight": ("mod_weight", p.T),
                "affine.bias": ("mod_bias", p - 1),
            }.get(what, (what, p))
            arrays[f"{folder}/{new}"] = array
    return arrays


def tensorflow_pickle(
    state: State,
    protocol: int = 4,
    *,
    order: Literal["C", "F"] = "C",
    extra: dict[str, np.ndarray] | None = None,
    **static: Any,
) -> bytes:
    """`(G, D, Gs)` with the generator's variables in `Gs` and its components."""
    variables = {
        name: np.array(p, order=order)
        for name, p in {**tensorflow_variables(state), **(extra or {})}.items()
    }

    def network(prefix: str, components: Any = None, **more: Any) -> Network:
        own = [(n.removeprefix(prefix), p) for n, p in variables.items() if n.startswith(prefix)]
        if not prefix:
            own = [(n, p) for n, p in own if "/" not in n]
        return Network(
            {
                "version": 4,
                "name": prefix,
                "static_kwargs": EasyDict(more),
                "components": EasyDict(components or {}),
                "build_module_src": "raise AssertionError('a reader ran the source in a file')",
                "build_func_name": "G_main",
                "variables": own,
            }
        )

    parts = {"synthesis": network("synthesis/"), "mapping": network("mapping/")}
    average = network("", parts, **{"label_size": np.int64(0), "fmap_base": 256, **static})
    empty = Network({"version": 4, "variables": [], "static_kwargs": EasyDict()})
    return dump((empty, empty, average), protocol)


# ---------------------------------------------------------------- rosinality, pSp


def rosinality_names(state: State) -> State:
    """`state` under rosinality's names and in its shapes, without the mean latent."""
    out = {}
    for name, p in state.items():
        parts = name.split(".")
        if name == "mapping.w_avg":
            continue
        if parts[0] == "mapping":
            out[f"style.{int(parts[1][2:]) + 1}.{parts[2]}"] = p
            continue
        r, layer, what = int(parts[1][1:]), parts[2], ".".join(parts[3:])
        k = int(np.log2(r))
        place = {
            "conv0": f"convs.{2 * (k - 3)}",
            "conv1": "conv1" if r == 4 else f"convs.{2 * (k - 3) + 1}",
            "torgb": "to_rgb1" if r == 4 else f"to_rgbs.{k - 3}",
            "const": "input.input",
        }[layer]
        if layer == "const":
            out[place] = p[None]
        elif what == "noise_const":
            index = 0 if r == 4 else 2 * k - (5 if layer == "conv0" else 4)
            out[f"noises.noise_{index}"] = p[None, None]
        elif layer == "torgb" and what == "bias":
            out[f"{place}.bias"] = p.reshape(1, 3, 1, 1)
        else:
            new = {
                "weight": "conv.weight", "bias": "activate.bias", "noise_strength": "noise.weight",
                "affine.weight": "conv.modulation.weight", "affine.bias": "conv.modulation.bias",
            }[what]  # fmt: skip
            out[f"{place}.{new}"] = p[None] if what in ("weight", "noise_strength") else p
        if layer == "conv0" and what == "weight":
            out[f"{place}.conv.blur.kernel"] = FIR * 4
        if layer == "torgb" and what == "weight" and r > 4:
            out[f"{place}.upsample.kernel"] = FIR * 4
    return out


def torch_file(value: Any, *, legacy: bool = False, protocol: int = 2) -> bytes:
    """`torch.save` into bytes."""
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    return buffer.getvalue()


def rosinality_file(
    state: State, *, legacy: bool = False, protocol: int = 2, training: bool = False, **more: Any
) -> bytes:
    """A converted file, or one from training: optimisers, options, no mean latent."""
    ours = rosinality_names(state)
    content: dict[str, Any] = {"g_ema": ours, "latent_avg": state["mapping.w_avg"]}
    if training:
        options = argparse.Namespace(
            path=Path("/data/faces"), lr=0.002, r1=np.float64(10.0), sizes=np.arange(3)
        )
        moments = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": []}
        content = {
            "g": {"input.input": torch.zeros(1)}, "d": {}, "g_ema": ours, "g_optim": moments,
            "d_optim": moments, "args": options, "ada_aug_p": torch.zeros(()),
        }  # fmt: skip
    return torch_file({**content, **more}, legacy=legacy, protocol=protocol)


def psp_file(state: State, *, legacy: bool = False) -> bytes:
    """A pSp file: encoder, decoder, options, one mean latent for each w index."""
    decoder = {f"decoder.{name}": p for name, p in rosinality_names(state).items()}
    return torch_file(
        {
            "state_dict": {"encoder.input_layer.0.weight": torch.zeros(3), **decoder},
            "opts": {"exp_dir": "runs", "output_size": 64},
            "latent_avg": state["mapping.w_avg"].repeat(10, 1),
        },
        legacy=legacy,
    )
