"""Stand-ins for the modules of NVIDIA's repositories.

What is pickled through them names `torch_utils.persistence`, `dnnlib.util` and so on, none of which
can be imported when the file is read.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch


class Call:
    """Pickles as a call of `function` with `args`; unpickling it for real would make that call."""

    def __init__(self, function: Callable[..., Any], *args: Any, state: Any = None) -> None:
        self.reduced = (function, args) if state is None else (function, args, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


class EasyDict(dict[str, Any]):
    """Stand-in for `dnnlib.util.EasyDict`."""


def _reconstruct_persistent_obj(meta: dict[str, Any]) -> None:
    raise AssertionError("a reader ran a function that a file names")


class PersistentModule(torch.nn.Module):
    """Reduces as classes decorated by NVIDIA's `persistence.persistent_class` do."""

    _init_args: tuple[Any, ...]
    _init_kwargs: EasyDict

    def __reduce__(self) -> Any:
        fields = list(super().__reduce__())
        meta = {
            "type": "class",
            "version": 6,
            "module_src": "raise AssertionError('a reader ran the source in a file')",
            "class_name": "Generator",
            "state": fields[2],
        }
        return _reconstruct_persistent_obj, (meta,), None


class Network:
    """Stand-in for `dnnlib.tflib.network.Network`."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __getstate__(self) -> dict[str, Any]:
        return self.state


@contextlib.contextmanager
def _pretend_modules() -> Iterator[None]:
    """Gives the stand-ins the module names of the originals while something is pickled."""
    places: dict[str, tuple[Any, ...]] = {
        "torch_utils.persistence": (_reconstruct_persistent_obj,),
        "dnnlib.util": (EasyDict,),
        "dnnlib.tflib.network": (Network,),
    }
    originals = {item: item.__module__ for items in places.values() for item in items}
    names = [*places, "torch_utils", "dnnlib", "dnnlib.tflib"]
    for name in names:
        sys.modules[name] = types.ModuleType(name)
        for item in places.get(name, ()):
            setattr(sys.modules[name], item.__name__, item)
            item.__module__ = name
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
        for item, module in originals.items():
            item.__module__ = module


def dump(value: Any, protocol: int = 4, *, old_numpy: bool = True) -> bytes:
    """Pickles with the stand-ins in place, numpy's private modules named as numpy 1 does."""
    with _pretend_modules():
        data = pickle.dumps(value, protocol=protocol)
    if old_numpy:
        data = data.replace(b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray")
        data = data.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
    return data
