"""A pickle machine that runs nothing: every global, call and object becomes an inert record.

`pickletools` reads the arguments of opcodes; this module moves values between stack, memo and
records. There is no `find_class`, no import and no call of anything a file names. What could still
do harm is limited: opcodes by an `Allowance`, lengths by the size of the file, integers to 1024
bits, dictionary keys to values whose hash is cheap. Containers are built by reference, so nested
repeats cost nothing until someone walks them; walkers bound their own steps.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from typing import IO, Any, cast

from engines.checkpoints.neutral import CheckpointError
from engines.checkpoints.records import MAX_NAME, Allowance, Global, Record, Stream

_PROTO = b"\x80"
_MAX_INT_BITS = 1024
_MAX_KEY = 2**61 - 2
"""Below the modulus of Python's integer hash, so that no two keys collide by design."""


def load(
    stream: Stream, allowance: Allowance, persistent: Callable[[object], object] | None = None
) -> Any:
    """Reads one pickle and leaves the stream behind it.

    Args:
        persistent: turns a persistent id (a plain value) into ours; without it they are refused.

    Returns:
        None, bool, int, float, str, bytes, tuple, list (sets too), dict, `Global`, `Record` and
        what `persistent` returned. Containers may contain themselves.

    Raises:
        CheckpointError: not a pickle of protocol 2 to 5, damaged, or past a bound.
    """
    machine = _Machine(allowance, persistent)
    start = stream.tell()
    if stream.read(2)[:1] != _PROTO:
        raise CheckpointError(
            f"expected a pickle of protocol 2 to 5 at byte {start}, found something else"
        )
    try:
        while not machine.stopped:
            allowance.step()
            code = stream.read(1)
            opcode = _OPCODES.get(code)
            if opcode is None and code not in _NAMES:
                raise ValueError
            if opcode is None:
                raise CheckpointError(
                    f"it uses the pickle opcode {_NAMES[code]}, which files of "
                    "weights (pickle protocols 2 to 5) do not have"
                )
            read = opcode.arg.reader if opcode.arg is not None else None
            argument = None if read is None else read(cast(IO[bytes], stream))
            if opcode.name in _VALUES:
                machine.push(argument)
            else:
                _ACTIONS[opcode.name](machine, argument)
    except (ValueError, IndexError, KeyError, TypeError, struct.error, OverflowError) as error:
        raise CheckpointError(
            f"its pickle at byte {start} is damaged near byte {stream.tell()}"
        ) from error
    return machine.result()


class _Machine:
    """Stack and memo of one pickle."""

    def __init__(self, allowance: Allowance, persistent: Callable[[object], object] | None) -> None:
        self.allowance, self.persistent = allowance, persistent
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.stopped = False

    def push(self, value: Any) -> None:
        if isinstance(value, int) and value.bit_length() > _MAX_INT_BITS:
            raise CheckpointError("it holds an integer of absurd size")
        self.stack.append(value)

    def stop(self, _: object) -> None:
        self.stopped = True

    def result(self) -> Any:
        if len(self.stack) != 1 or self.outer:
            raise CheckpointError("its pickle is damaged: values are left over at its end")
        return self.stack[0]

    def mark(self, _: object) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list[Any]:
        values, self.stack = self.stack, self.outer.pop()
        return values

    def pop(self, _: object) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def top(self, count: int) -> tuple[Any, ...]:
        """Pops `count` values, the lowest first."""
        if count > len(self.stack):
            raise IndexError
        values = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return values

    def put(self, index: int | None) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def named(self, module: object, name: object) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise TypeError
        if len(module) + len(name) > MAX_NAME:
            raise ValueError
        found = Global(module, name)
        self.allowance.globals.add(found)
        self.stack.append(found)

    def make(self, callee: object, args: object) -> None:
        """REDUCE, NEWOBJ and similar: a record, or our own form of a plain container."""
        if not isinstance(args, tuple) or not isinstance(callee, Global | Record):
            raise TypeError
        if str(callee) in _SETS and len(args) == 1 and isinstance(args[0], list):
            self.stack.append(args[0])
        elif str(callee) == "collections.OrderedDict" and len(args) < 2:
            self.stack.append(self.ordered_dict(*args))
        else:
            self.stack.append(Record(callee, args))

    def ordered_dict(self, pairs: object = ()) -> dict[Any, Any]:
        """Also protocol 2's `OrderedDict([[key, value], ...])`."""
        if not isinstance(pairs, list | tuple):
            raise TypeError
        self.allowance.step(len(pairs))  # the list may be shared, its copies are not
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
            raise TypeError
        return {_key(key): value for key, value in pairs}

    def build(self) -> None:
        (state,) = self.top(1)
        target = self.stack[-1]
        if isinstance(target, dict):
            return  # attributes of an OrderedDict, such as a state dict's _metadata
        if not isinstance(target, Record) or target.state is not None:
            raise TypeError
        target.state = state

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Record):
            target = target.items
        if not isinstance(target, list):
            raise TypeError
        target.extend(values)

    def update(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Record):
            target = target.entries
        if not isinstance(target, dict):
            raise TypeError
        target.update(_pairs(values))

    def persistent_id(self, _: object) -> None:
        if self.persistent is None:
            raise CheckpointError("it refers to data outside its pickle (a persistent id)")
        self.stack.append(self.persistent(self.stack.pop()))


def _key(key: Any) -> Any:
    """A dictionary key that is cheap to hash and to compare, whatever the file tries."""
    if isinstance(key, int) and abs(key) > _MAX_KEY:
        raise TypeError
    if isinstance(key, str | bytes) and len(key) > MAX_NAME:
        raise TypeError
    if key is not None and not isinstance(key, str | bytes | int | float | Global | Record):
        raise TypeError
    return key


def _pairs(values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        raise ValueError
    return dict(zip(map(_key, values[::2]), values[1::2], strict=True))


_SETS = ("builtins.set", "__builtin__.set")
"""Made of a list, and kept as that list."""

# fmt: off
_VALUES = frozenset((
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINSTRING", "SHORT_BINSTRING",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8",
))
# fmt: on
"""Opcodes whose argument is the value."""

_ACTIONS: dict[str, Callable[[_Machine, Any], object]] = {
    "PROTO": lambda m, version: None,
    "FRAME": lambda m, size: None,
    "STOP": _Machine.stop,
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": lambda m, _: m.pop_mark(),
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "BINGET": lambda m, index: m.push(m.memo[index]),
    "LONG_BINGET": lambda m, index: m.push(m.memo[index]),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "TUPLE1": lambda m, _: m.push(m.top(1)),
    "TUPLE2": lambda m, _: m.push(m.top(2)),
    "TUPLE3": lambda m, _: m.push(m.top(3)),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_mark())),
    "FROZENSET": lambda m, _: m.push(tuple(m.pop_mark())),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_SET": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "LIST": lambda m, _: m.push(m.pop_mark()),
    "DICT": lambda m, _: m.push(_pairs(m.pop_mark())),
    "APPEND": lambda m, _: m.extend(list(m.top(1))),
    "APPENDS": lambda m, _: m.extend(m.pop_mark()),
    "ADDITEMS": lambda m, _: m.extend(m.pop_mark()),
    "SETITEM": lambda m, _: m.update(list(m.top(2))),
    "SETITEMS": lambda m, _: m.update(m.pop_mark()),
    "GLOBAL": lambda m, pair: m.named(*pair.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.named(*m.top(2)),
    "REDUCE": lambda m, _: m.make(*m.top(2)),
    "NEWOBJ": lambda m, _: m.make(*m.top(2)),
    "NEWOBJ_EX": lambda m, _: m.make(*m.top(3)[:2]),
    "BUILD": lambda m, _: m.build(),
    "BINPERSID": _Machine.persistent_id,
}

_NAMES = {opcode.code.encode("latin-1"): opcode.name for opcode in pickletools.opcodes}
_OPCODES = {
    opcode.code.encode("latin-1"): opcode
    for opcode in pickletools.opcodes
    if opcode.name in _VALUES or opcode.name in _ACTIONS
}
"""The opcodes that are read at all; those of protocols 0 and 1 that are lines of text are not."""
