"""How a good file becomes a bad one: by its bytes, and by what it is made of."""

from __future__ import annotations

import io
import json
import random
import string
import warnings
import zipfile
from typing import Any

ODD_TEXTS = (
    "", " ", "\x00", "\x1b]0;owned\x07", "[/red]", "[bold]", "../../etc/passwd", "C:\\x", "é",
    "a" * 5000, "\u202e", "\ud800", "nan", "1e999", "-0", "__class__", "{}", "%s", "\n", "<script>",
)  # fmt: skip
ODD_NUMBERS = (
    0, -1, 1, 2, 3, 7, 255, 65_536, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63, 2**64, 10**400,
    -0.0, 0.5, 1e-320, 1e308, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
DEEPEST = 3000


def odd_value(rng: random.Random) -> Any:
    """Something of a kind that was hardly expected, as JSON can hold it."""
    choice = rng.randrange(9)
    if choice < 3:
        return rng.choice(ODD_NUMBERS)
    if choice < 6:
        return rng.choice(ODD_TEXTS)
    return rng.choice((None, True, False, [], {}, [[]], {"a": {}}, [None] * 3, [1, "a"]))


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    """One to eight changes: bits, bytes, numbers; pieces cut out, repeated, moved or zeroed."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        at = _place(len(changed), rng)
        end = at + rng.choice((1, 2, 4, 8, 64, rng.randrange(1, max(2, len(changed) // 4))))
        match rng.randrange(9):
            case 0 if changed:
                changed[at] ^= 1 << rng.randrange(8)
            case 1 if changed:
                changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            case 2:
                size = rng.choice((2, 4, 8))
                number = rng.choice((0, 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1, len(changed)))
                order = rng.choice(("little", "big"))
                changed[at : at + size] = (number % 2 ** (8 * size)).to_bytes(size, order)
            case 3:
                del changed[at:end]
            case 4:
                changed[at:at] = changed[at:end] * rng.choice((1, 1, 2, 16))
            case 5:
                to = _place(len(changed), rng)
                changed[to : to + end - at] = changed[at:end]
            case 6:
                changed[at:end] = bytes(len(changed[at:end]))
            case 7:
                changed[at:at] = rng.randbytes(rng.choice((1, 4, 16)))
            case _:
                del changed[at:]
    return bytes(changed)


def _place(size: int, rng: random.Random) -> int:
    """Half of the changes fall near the start or the end, where headers are."""
    if size < 2:
        return 0
    match rng.randrange(4):
        case 0:
            return min(rng.randrange(256), size - 1)
        case 1:
            return max(0, size - 1 - rng.randrange(256))
        case _:
            return rng.randrange(size)


def mutate_tree(tree: Any, rng: random.Random) -> Any:
    """A value of JSON with one to four of its parts replaced, removed, renamed, added or nested."""
    tree = json.loads(json.dumps(tree))
    for _ in range(rng.choice((1, 1, 2, 4))):
        holders = list(_holders(tree))
        if not holders:
            return odd_value(rng)
        holder = rng.choice(holders)
        if isinstance(holder, list):
            at = rng.randrange(len(holder))
            match rng.randrange(4):
                case 0:
                    del holder[at]
                case 1:
                    holder.insert(at, odd_value(rng))
                case 2:
                    holder.extend(holder * rng.choice((1, 20)))
                case _:
                    holder[at] = odd_value(rng)
            continue
        key = rng.choice(list(holder))
        match rng.randrange(6):
            case 0:
                del holder[key]
            case 1:
                holder[rng.choice(ODD_TEXTS)] = holder.pop(key)
            case 2:
                holder[rng.choice((*ODD_TEXTS, *holder))] = odd_value(rng)
            case 3 if type(holder[key]) in (int, float):
                holder[key] = holder[key] * rng.choice((-1, 0, 2, 3, 0.5, 1000)) + rng.choice(
                    (0, 1)
                )
            case _:
                holder[key] = odd_value(rng)
    return tree


def _holders(tree: Any) -> Any:
    """Every dictionary and list that is not empty."""
    if isinstance(tree, (dict, list)) and tree:
        yield tree
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from _holders(part)


def write_json(tree: Any, rng: random.Random) -> bytes:
    """JSON as it is, or now and then nested so deeply that parsers give up."""
    text = json.dumps(tree)
    if rng.random() < 0.02:
        depth = rng.randrange(DEEPEST)
        text = text.replace(rng.choice(("{", "[", "0", '"')), "[" * depth, 1)
    return text.encode("utf-8", "surrogatepass")


def mutate_toml(text: str, rng: random.Random) -> bytes:
    """Settings with values, keys and tables changed."""
    lines = text.splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        key, equals, value = lines[at].partition(" = ")
        match rng.randrange(7):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, rng.choice(lines))
            case 2 if equals:
                lines[at] = f"{rng.choice(string.ascii_letters)}{key} = {value}"
            case 3:
                lines[at] = f"[{rng.choice(('source', 'guard', 'x', '', 'a.b', '[x]'))}]"
            case _:
                literal = json.dumps(odd_value(rng)).replace("null", "1979-05-27")
                literal = literal.replace("Infinity", "inf").replace("NaN", "nan")
                literal = "0x" + "f" * 5000 if rng.random() < 0.01 else literal
                lines[at] = f"{key} = {literal if rng.random() < 0.9 else '[' * 500}"
        if not lines:
            break
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def unzipped(data: bytes) -> dict[str, bytes]:
    """Name -> content of every member."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes], rng: random.Random) -> bytes:
    """A zip of them; now and then compressed, or with a member twice."""
    buffer = io.BytesIO()
    warnings.filterwarnings("ignore", "Duplicate name", UserWarning)  # meant
    method = zipfile.ZIP_DEFLATED if rng.random() < 0.05 else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            for _ in range(2 if rng.random() < 0.01 else 1):
                archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def mutate_zip(data: bytes, rng: random.Random) -> bytes:
    """A sound zip with one member changed, removed, renamed or added."""
    members = unzipped(data)
    name = rng.choice(list(members))
    match rng.randrange(8):
        case 0:
            del members[name]
        case 1:
            members[name + rng.choice(("x", "/", "/../../x"))] = members.pop(name)
        case 2:
            members[rng.choice(list(members))] = members[name]
        case _:
            members[name] = mutate_bytes(members[name], rng)
    return zipped(members, rng)


def mutate_safetensors(data: bytes, rng: random.Random) -> bytes:
    """A file whose header is sound JSON of the right length that says something else."""
    length = int.from_bytes(data[:8], "little")
    header = write_json(mutate_tree(json.loads(data[8 : 8 + length]), rng), rng)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]
