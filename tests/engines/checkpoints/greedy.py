"""Files that ask for hours or gigabytes."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

from tests.engines.checkpoints import stand_ins, writers
from tests.engines.checkpoints.hostile import STATE, network_of
from tests.engines.checkpoints.stand_ins import Call, dump


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
            stand_ins._reconstruct_persistent_obj,
            {"state": {"_parameters": shared, "_buffers": shared, "_modules": {}}},
        )
        for i in range(250)
    }
    return dump(
        {"G_ema": Call(stand_ins._reconstruct_persistent_obj, {"state": {"_modules": modules}})}
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
