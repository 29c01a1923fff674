"""Files made to harm: refused in one sentence or read as what they hold; nothing runs."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engines.checkpoints import CheckpointError, read_checkpoint
from tests.engines.checkpoints import writers
from tests.engines.checkpoints.writers import Call, dump, torch_file

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
    network.mapping._buffers["w_avg"] = w_avg  # type: ignore[union-attr, index]
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
    modules["again"] = Call(writers._reconstruct_persistent_obj, meta)
    return dump({"G_ema": Call(writers._reconstruct_persistent_obj, meta)})


def network_of(modules: dict[str, Any]) -> Call:
    return Call(writers._reconstruct_persistent_obj, {"state": {"_modules": modules}})


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


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_and_run_nothing(tmp_path: Path, case: str) -> None:
    make, sentence = HOSTILE[case]
    path, trace = tmp_path / "hostile", tmp_path / "ran"
    path.write_bytes(make(trace))
    with pytest.raises(CheckpointError, match=sentence) as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).isprintable()
    assert not trace.exists()


def test_the_payload_would_have_run(tmp_path: Path) -> None:
    """The bomb in these files is a real one: the standard unpickler sets it off."""
    trace = tmp_path / "ran"
    pickle.loads(pickle.dumps(Bomb(trace)))
    assert trace.exists()


@pytest.mark.parametrize("kind", ["nvidia", "zip", "legacy"])
def test_calls_beside_the_weights_are_ignored_and_reported(tmp_path: Path, kind: str) -> None:
    path, trace = tmp_path / "hostile", tmp_path / "ran"
    bomb = Bomb(trace)
    path.write_bytes(
        writers.nvidia_pickle(STATE, training_set_kwargs=bomb)
        if kind == "nvidia"
        else writers.rosinality_file(STATE, legacy=kind == "legacy", args=bomb)
    )
    checkpoint = read_checkpoint(path)
    assert all(torch.equal(checkpoint.state[name], p) for name, p in STATE.items())
    assert f"The file names '{MKDIR}'" in checkpoint.notes[0]
    assert "nothing of it was run" in checkpoint.notes[0]
    assert not trace.exists()


def test_cut_off_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for data in (
        writers.nvidia_pickle(STATE),
        writers.tensorflow_pickle(STATE, 2),
        writers.rosinality_file(STATE),
        writers.rosinality_file(STATE, legacy=True),
    ):
        for part in (0.01, 0.3, 0.6, 0.9, 0.99):
            path.write_bytes(data[: int(len(data) * part)])
            with pytest.raises(CheckpointError):
                read_checkpoint(path)
        path.write_bytes(data[:-1])
        with pytest.raises(CheckpointError):
            read_checkpoint(path)


def exponential_tuples() -> bytes:
    """A tuple of two references to the one before, 200 deep: 2^200 leaves if anybody walks it."""
    return b"\x80\x02)" + b"2\x86" * 200


def doubling() -> bytes:
    value: Any = ()
    for _ in range(200):
        value = (value, value)
    return dump({"G_ema": writers.nvidia_network(STATE), "kwargs": value, "more": [value] * 99})


def self_containing() -> bytes:
    loop: list[Any] = []
    loop.append(loop)
    record: dict[str, Any] = {}
    record["self"] = record
    return dump({"G_ema": writers.nvidia_network(STATE), "loop": loop, "record": record})


@pytest.mark.parametrize("make", [doubling, self_containing])
def test_containers_without_end_beside_the_weights_do_no_harm(
    tmp_path: Path, make: Callable[[], bytes]
) -> None:
    path = tmp_path / "endless"
    path.write_bytes(make())
    assert read_checkpoint(path).resolution == 64


def colliding_keys() -> bytes:
    """Integers that share one hash modulo 2^61 - 1."""
    keys = b"".join(
        b"\x8a\x0a" + (i * (2**61 - 1)).to_bytes(10, "little") + b"N" for i in range(2000)
    )
    return b"\x80\x02}(" + keys + b"u."


def copied_lists() -> bytes:
    """One long list, turned into a set and a dict again and again."""
    long = b"](" + b")" * 20_000 + b"eq\x01"
    return b"\x80\x02" + long + b"c__builtin__\nset\nq\x02" + b"h\x02h\x01\x85R" * 20_000 + b"."


def copied_dicts() -> bytes:
    pair = b"](K\x01K\x02eq\x00"
    long = b"](" + pair + b"h\x00" * 20_000 + b"eq\x01"
    make = b"ccollections\nOrderedDict\nq\x02" + b"h\x02h\x01\x85R" * 20_000
    return b"\x80\x02" + long + make + b"."


def copied_text() -> bytes:
    """One text, encoded again and again."""
    text = b"X" + struct.pack("<I", 10**6) + b"a" * 10**6 + b"q\x00X\x06\x00\x00\x00latin1q\x01"
    return b"\x80\x02" + text + b"c_codecs\nencode\nq\x02" + b"h\x02h\x00h\x01\x86R" * 20_000 + b"."


def shared_keys() -> bytes:
    """Two long equal texts that take turns as a key."""
    text = b"X" + struct.pack("<I", 10**6) + b"a" * 10**6
    turns = b"h\x00Nh\x01N" * 20_000
    return b"\x80\x02" + text + b"q\x000" + text + b"q\x010}(" + turns + b"u."


def deep() -> bytes:
    return b"\x80\x02)" + b"\x85" * 100_000 + b"."


def deep_calls() -> bytes:
    return b"\x80\x02cevil\ncall\nq\x00)R" + b"q\x010h\x00h\x01\x85R" * 20_000 + b"."


def opcode_flood() -> bytes:
    return b"\x80\x02" + b"N0" * 300_000 + b"N."


def long_memo() -> bytes:
    """Memo indices that a table would have to be grown for."""
    puts = b"".join(b"r" + struct.pack("<I", 2**32 - 1 - i) for i in range(1000))
    return b"\x80\x02N" + puts + b"."


def wide_modules() -> bytes:
    """Each module's parameters are one shared dict of many names."""
    shared = {f"p{i}": None for i in range(20_000)}
    modules = {
        f"m{i}": Call(
            writers._reconstruct_persistent_obj,
            {"state": {"_parameters": shared, "_buffers": shared, "_modules": {}}},
        )
        for i in range(250)
    }
    return dump(
        {"G_ema": Call(writers._reconstruct_persistent_obj, {"state": {"_modules": modules}})}
    )


def colliding_modules() -> bytes:
    """100 parts, shared from level to level, whose dotted names make few different paths."""
    part = network_of({})
    for _ in range(8):
        part = network_of({".".join("a" * (i + 1)): part for i in range(100)})
    return dump({"G_ema": part})


def zip_directory() -> bytes:
    """A zip file that is nothing but directory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(5000):
            archive.writestr(zipfile.ZipInfo(f"{i:01000d}"), b"")
    return buffer.getvalue()


# Each asks for hours or gigabytes; read under a limit of memory in `test_isolation`.
GREEDY = (
    exponential_tuples, colliding_keys, copied_lists, copied_dicts, copied_text, shared_keys, deep,
    deep_calls, opcode_flood, long_memo, wide_modules, colliding_modules, zip_directory,
)  # fmt: skip


def test_one_tensor_under_many_names_cannot_multiply(tmp_path: Path) -> None:
    """Every name of the generator points to one large storage."""
    storage = torch.zeros(1, 1, 1, 1, 500_000)
    names = [name for name in writers.rosinality_names(STATE) if "kernel" not in name]
    path = tmp_path / "many"
    path.write_bytes(torch_file({"g_ema": dict.fromkeys(names, storage)}))
    with pytest.raises(CheckpointError, match="more data than the file holds"):
        read_checkpoint(path)
