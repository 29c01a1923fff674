"""Inert records of tensors and arrays turned into real ones, with every number checked first."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import torch

from engines.checkpoints.containers import Storage, load_torch
from engines.checkpoints.neutral import CheckpointError
from engines.checkpoints.records import Allowance, Record, describe

_ARRAY_TYPES = {
    "f2": np.float16,
    "f4": np.float32,
    "f8": np.float64,
    "i4": np.int32,
    "i8": np.int64,
}
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


class TensorReader:
    """Makes tensors of records, within one file's allowance.

    Nested `torch.save` containers (`torch.storage._load_from_bytes`) are parsed by
    `engines.checkpoints.containers`, each once.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._nested: dict[Record, Storage] = {}
        self._flat: dict[Storage, torch.Tensor] = {}

    def tensor(self, value: object) -> torch.Tensor:
        """A torch tensor, parameter or numpy array as a contiguous tensor of its own.

        Raises:
            CheckpointError: not a tensor, or one whose type, size, stride or offset is not sound.
        """
        if not isinstance(value, Record):
            raise CheckpointError(f"expected a tensor, found {describe(value)}")
        if value.calls(*(f"{m}._reconstruct" for m in _MULTIARRAY)):
            return self._array(value.state)
        if value.calls(*(f"{m}._frombuffer" for m in _NUMERIC)):
            return self._array(_from_buffer_state(value.args))
        if value.calls("torch._utils._rebuild_parameter") and value.args:
            value = value.args[0]
        if not isinstance(value, Record) or not value.calls(
            "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"
        ):
            raise CheckpointError(f"expected a tensor, found {describe(value)}")
        if len(value.args) < 4:
            raise CheckpointError("a tensor's description is incomplete")
        source, offset, size, stride = value.args[:4]
        return self._view(self._storage(source), offset, size, stride)

    def _storage(self, value: object) -> Storage:
        if isinstance(value, Storage):
            return value
        if not isinstance(value, Record) or not value.calls("torch.storage._load_from_bytes"):
            raise CheckpointError(f"expected a tensor's storage, found {describe(value)}")
        if value not in self._nested:
            data = as_bytes(value.args[0] if value.args else None)
            self._allowance.take(len(data))
            found = load_torch(io.BytesIO(data), len(data), self._allowance)
            if not isinstance(found, Storage):
                raise CheckpointError(f"expected a nested storage, found {describe(found)}")
            self._nested[value] = found
        return self._nested[value]

    def _view(self, storage: Storage, offset: Any, size: Any, stride: Any) -> torch.Tensor:
        numbers = [size, stride]
        if not all(isinstance(s, tuple) and len(s) <= 8 for s in numbers) or len(size) != len(
            stride
        ):
            raise CheckpointError("a tensor's size or stride is not a list of up to 8 numbers")
        if not all(type(n) is int and 0 <= n < 2**40 for n in (offset, *size, *stride)):
            raise CheckpointError("a tensor's size, stride or offset is not a sound number")
        count = math.prod(size)
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if count > storage.count or (count and last >= storage.count):
            raise CheckpointError("a tensor reaches outside its storage")
        if storage.dtype is torch.bool:
            raise CheckpointError("a tensor holds truth values where weights were expected")
        if storage not in self._flat:
            self._allowance.take(storage.size)
            self._flat[storage] = _numbers(storage.read(), storage.dtype, storage.count)
        self._allowance.take(count * storage.dtype.itemsize)
        flat = self._flat[storage]
        return flat.as_strided(size, stride, offset).clone(memory_format=torch.contiguous_format)

    def _array(self, state: object) -> torch.Tensor:
        """From numpy's pickled state: version, shape, dtype, Fortran order, data."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise CheckpointError("an array's description is incomplete")
        _, shape, dtype, fortran, data = state
        kind = _array_type(dtype)
        raw = as_bytes(data)
        if not isinstance(shape, tuple) or len(shape) > 8:
            raise CheckpointError("an array's shape is not a list of up to 8 numbers")
        if not all(type(n) is int and 0 <= n < 2**40 for n in shape):
            raise CheckpointError("an array's shape is not valid")
        if math.prod(shape) * kind.itemsize != len(raw):
            raise CheckpointError(
                "an array's data does not have the length that its shape declares"
            )
        self._allowance.take(2 * len(raw))
        array = np.frombuffer(raw, kind).reshape(shape, order="F" if fortran is True else "C")
        return torch.from_numpy(array.copy(order="C"))


def as_bytes(value: object) -> bytes:
    """Bytes, also in protocol 2's form `_codecs.encode(text, "latin1")` and as Python 2 wrote them.

    Raises:
        CheckpointError: anything else.
    """
    if isinstance(value, Record) and value.calls("_codecs.encode") and value.args:
        value = value.args[0]
    if isinstance(value, str):
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError as error:
            raise CheckpointError("its data holds characters that are not bytes") from error
    if not isinstance(value, bytes | bytearray):
        raise CheckpointError(f"expected raw data, found {describe(value)}")
    return bytes(value)


def as_scalar(value: object) -> object:
    """A numpy scalar as a Python number; other values as they are."""
    if isinstance(value, Record) and value.calls(*(f"{m}.scalar" for m in _MULTIARRAY)):
        if len(value.args) != 2:
            raise CheckpointError("a number's description is incomplete")
        kind, raw = _array_type(value.args[0]), as_bytes(value.args[1])
        if len(raw) != kind.itemsize:
            raise CheckpointError("a number's data does not have the length of its type")
        return np.frombuffer(raw, kind)[0].item()
    return value


def _array_type(value: object) -> np.dtype[Any]:
    if isinstance(value, Record) and value.calls("numpy.dtype") and value.args:
        state, code = value.state, value.args[0]
        little = state is None or (isinstance(state, tuple) and len(state) > 1 and state[1] == "<")
        if isinstance(code, str) and code in _ARRAY_TYPES and little:
            return np.dtype(_ARRAY_TYPES[code])
    raise CheckpointError("an array is of a type that is not little-endian float or integer")


def _from_buffer_state(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Protocol 5's `_frombuffer(data, dtype, shape, order)` as the older state."""
    if len(args) != 4:
        raise CheckpointError("an array's description is incomplete")
    data, dtype, shape, order = args
    return 1, shape, dtype, order == "F", data


def _numbers(data: bytes, dtype: torch.dtype, count: int) -> torch.Tensor:
    if len(data) != count * dtype.itemsize:
        raise CheckpointError("a storage's length is not the one that its tensor declares")
    if not count:
        return torch.empty(0, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype)
