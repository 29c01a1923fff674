"""Files made to run something, or to lie about their sizes."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.engines.checkpoints import stand_ins, writers
from tests.engines.checkpoints.stand_ins import Call, dump
from tests.engines.checkpoints.writers import torch_file

STATE = writers.random_state()
MKDIR = f"{os.name}.mkdir"
"""What the payload calls, by the name that a pickle has for it."""
REBUILD = torch._utils._rebuild_tensor_v2
NESTED = torch.storage._load_from_bytes


class Bomb:
    """Unpickling it for real leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


def nvidia_with(w_avg: Any) -> bytes:
    """A sound NVIDIA file but for its mean latent."""
    network = writers.nvidia_network(STATE)
    network.mapping._buffers["w_avg"] = w_avg  # type: ignore[union-attr]
    return dump({"G_ema": network})


def legacy_storage(count: int = 16, data: bytes = bytes(64), **change: Any) -> bytes:
    """A nested container written by hand, with room for lies."""
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": change.get("little", True)}]
    stream = b"".join(pickle.dumps(part, 2) for part in parts)
    reference = b"(X\x07\x00\x00\x00storagectorch\n" + change.get("type", b"FloatStorage") + b"\n"
    reference += b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ" + struct.pack("<i", count) + b"NtQ."
    stream += b"\x80\x02" + reference + pickle.dumps(change.get("keys", ["0"]), 2)
    return stream + struct.pack("<q", change.get("declared", count)) + data


def tensor(storage: Any, offset: Any = 0, size: Any = (16,), stride: Any = (1,)) -> Call:
    return Call(REBUILD, storage, offset, size, stride, False, {})


def nested(**change: Any) -> bytes:
    return nvidia_with(tensor(Call(NESTED, legacy_storage(**change))))


def view(*args: Any) -> bytes:
    return nvidia_with(tensor(Call(NESTED, legacy_storage()), *args))


def rezipped(change: Callable[[dict[str, bytes]], object], compression: int = 0) -> bytes:
    """A rosinality file with its members changed."""
    with zipfile.ZipFile(io.BytesIO(writers.rosinality_file(STATE))) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as new:
        for name, data in members.items():
            new.writestr(name, data)
    return buffer.getvalue()


def cyclic_modules() -> bytes:
    """A network that is a part of itself."""
    modules: dict[str, Any] = {}
    meta = {"state": {"_modules": modules}}
    modules["again"] = Call(stand_ins._reconstruct_persistent_obj, meta)
    return dump({"G_ema": Call(stand_ins._reconstruct_persistent_obj, meta)})


def network_of(modules: dict[str, Any]) -> Call:
    return Call(stand_ins._reconstruct_persistent_obj, {"state": {"_modules": modules}})


HOSTILE: dict[str, tuple[Callable[[Path], bytes], str]] = {
    # Calls and imports, wherever they stand.
    "reduce at top": (lambda trace: dump(Bomb(trace)), f"found a call of '{MKDIR}'"),
    "reduce as network": (lambda trace: dump({"G_ema": Bomb(trace)}), "found a dict of 'G_ema'"),
    "reduce as tensor": (
        lambda trace: nvidia_with(Bomb(trace)),
        f"a tensor, found a call of '{MKDIR}",
    ),
    "reduce as storage": (
        lambda trace: nvidia_with(tensor(Bomb(trace))),
        f"a tensor's storage, found a call of '{MKDIR}",
    ),
    "reduce as offset": (lambda trace: view(Bomb(trace)), "is not a sound number"),
    "reduce in a nested legacy container": (
        lambda trace: nvidia_with(
            tensor(Call(NESTED, torch_file({"a": Bomb(trace)}, legacy=True)))
        ),
        "expected a nested storage, found a dict of 'a'",
    ),
    "reduce in a nested zip": (
        lambda trace: nvidia_with(tensor(Call(NESTED, torch_file(Bomb(trace))))),
        f"expected a nested storage, found a call of '{MKDIR}'",
    ),
    "reduce in nested bytes that are a plain pickle": (
        lambda trace: nvidia_with(tensor(Call(NESTED, pickle.dumps(Bomb(trace))))),
        f"expected a nested storage, found a call of '{MKDIR}'",
    ),
    "reduce in rosinality": (
        lambda trace: torch_file({"g_ema": Bomb(trace)}),
        f"'g_ema' should be a dict of tensors, not a call of '{MKDIR}'",
    ),
    "reduce in legacy rosinality": (
        lambda trace: torch_file({"g_ema": {"input.input": Bomb(trace)}}, legacy=True),
        "is missing|expected StyleGAN2 blocks|expected a tensor",
    ),
    "reduce in TensorFlow": (
        lambda trace: writers.tensorflow_pickle(STATE, label_size=Bomb(trace)),
        f"label_size \"a call of '{MKDIR}'\"; only 0",
    ),
    "persistent id in a plain pickle": (
        lambda trace: b"\x80\x02X\x04\x00\x00\x00evilQ." + bytes(64),
        "data outside its pickle",
    ),
    "persistent id of another kind": (
        lambda trace: rezipped(
            lambda m: m.update(
                {"archive/data.pkl": m["archive/data.pkl"].replace(b"storage", b"strange")}
            )
        ),
        "data outside its pickle",
    ),
    "text opcodes": (lambda trace: b"\x80\x02I" + b"9" * 900 + b"\n." + bytes(64), "opcode INT"),
    "extension registry": (lambda trace: b"\x80\x02\x82\x01." + bytes(64), "opcode EXT1"),
    # Sizes, strides, offsets.
    "offset": (lambda trace: view(1), "outside its storage"),
    "negative offset": (lambda trace: view(-1), "not a sound number"),
    "offset that is no number": (lambda trace: view(True), "not a sound number"),
    "stride": (lambda trace: view(0, (16,), (2,)), "outside its storage"),
    "negative stride": (lambda trace: view(0, (16,), (-1,)), "not a sound number"),
    "endless stride": (lambda trace: view(0, (2,), (2**62,)), "not a sound number"),
    "repeating stride": (lambda trace: view(0, (2**30, 2**30), (0, 0)), "outside its storage"),
    "size": (lambda trace: view(0, (17,), (1,)), "outside its storage"),
    "size that wraps": (lambda trace: view(0, (2**32, 2**32), (0, 0)), "outside its storage"),
    "many dimensions": (lambda trace: view(0, (1,) * 99, (1,) * 99), "up to 8 numbers"),
    "sizes without strides": (lambda trace: view(0, (16,), ()), "up to 8 numbers"),
    "size that is a list": (lambda trace: view(0, [16], (1,)), "up to 8 numbers"),
    # Containers that lie.
    "count above the data": (lambda trace: nested(count=2**31 - 1), "more data than the file"),
    "negative count": (lambda trace: nested(count=-1), "impossible size"),
    "count against declaration": (lambda trace: nested(declared=15), "not the one"),
    "huge declaration": (lambda trace: nested(declared=2**62), "not the one"),
    "big-endian": (lambda trace: nested(little=False), "big-endian"),
    "complex numbers": (lambda trace: nested(type=b"ComplexFloatStorage"), "neither float nor int"),
    "truth values": (lambda trace: nested(type=b"BoolStorage"), "truth values"),
    "storage not listed": (lambda trace: nested(keys=[]), "not in the file"),
    "storage listed twice": (lambda trace: nested(keys=["0", "0"]), "does not match"),
    "strange storage listed": (lambda trace: nested(keys=["1"]), "does not match"),
    "keys that are no list": (lambda trace: nested(keys={"0": 1}), "list of storages is damaged"),
    "zip member missing": (lambda trace: rezipped(lambda m: m.pop("archive/data/0")), "not in the"),
    "zip member short": (
        lambda trace: rezipped(lambda m: m.update({"archive/data/0": b"1234"})),
        "not the one that its tensor declares",
    ),
    "zip compressed": (
        lambda trace: rezipped(lambda m: None, zipfile.ZIP_DEFLATED),
        "members are compressed",
    ),
    "zip of something else": (
        lambda trace: rezipped(lambda m: m.pop("archive/data.pkl")),
        "not one that torch.save writes",
    ),
    "zip of another endianness": (
        lambda trace: rezipped(lambda m: m.update({"archive/byteorder": b"big"})),
        "big-endian",
    ),
    "huge bytes": (
        lambda trace: b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + bytes(99),
        "too early",
    ),
    "impossible bytes": (lambda trace: b"\x80\x04\x8e" + b"\xff" * 80, "damaged"),
    "huge text": (lambda trace: b"\x80\x02X\xff\xff\xff\x7f" + bytes(99), "too early"),
    "huge integer": (
        lambda trace: b"\x80\x02\x8b" + struct.pack("<i", 4000) + b"\x7f" * 4000 + b".",
        "absurd size",
    ),
    # Shapes that never end.
    "modules inside themselves": (lambda trace: cyclic_modules(), "nested without end"),
    "a module's name with a dot": (
        lambda trace: dump({"G_ema": network_of({"b4": network_of({"conv1.weight": None})})}),
        "has the name 'conv1.weight'",
    ),
    "a module without a name": (
        lambda trace: dump({"G_ema": network_of({"": network_of({})})}),
        "has the name ''",
    ),
    "memo out of reach": (lambda trace: b"\x80\x02j\xff\xff\xff\x7f." + bytes(64), "damaged"),
    "mark without end": (lambda trace: b"\x80\x02" + b"(" * 99 + b".", "damaged"),
    "stack underflow": (lambda trace: b"\x80\x02" + b"\x87" * 99 + b".", "damaged"),
    "call of a number": (lambda trace: b"\x80\x02K\x01)R." + bytes(64), "damaged"),
    "unhashable key": (lambda trace: b"\x80\x02}])s." + bytes(64), "damaged"),
}
