"""What a pickle is read into: names and calls as plain records, within a bounded allowance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, BinaryIO

from engines.checkpoints.neutral import CheckpointError

MAX_OPCODES = 500_000
"""Several times what the largest published training files use."""
MAX_NAME = 1024


@dataclass(frozen=True)
class Global:
    """A name `module.name` that a file mentions; never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, repr=False)
class Record:
    """An object that a file asks to make: what would be called, with what, and filled with what."""

    callee: object
    args: tuple[Any, ...]
    state: Any = None
    items: list[Any] = field(default_factory=list)
    entries: dict[Any, Any] = field(default_factory=dict)

    def calls(self, *names: str) -> bool:
        """Whether the callee is the global of one of these full names."""
        return isinstance(self.callee, Global) and str(self.callee) in names


@dataclass
class Allowance:
    """What reading one file may cost, and which names it mentioned.

    Attributes:
        data: bytes of tensors that may still be read or copied; a file has no honest use for more
            than its own size of each.
        opcodes: pickle opcodes that may still run, nested pickles included.
        globals: every global that the file named.
    """

    data: int
    opcodes: int = MAX_OPCODES
    globals: set[Global] = field(default_factory=set)

    def step(self, count: int = 1) -> None:
        """Count `count` opcodes.

        Raises:
            CheckpointError: when there are too many.
        """
        self.opcodes -= count
        if self.opcodes < 0:
            raise CheckpointError("it has more pickle opcodes than any weights need")

    def take(self, size: int) -> None:
        """Count `size` bytes of data.

        Raises:
            CheckpointError: when there are too many.
        """
        self.data -= size
        if self.data < 0:
            raise CheckpointError("its tensors claim more data than the file holds")


class Stream:
    """The part of a file from its current position, refusing to read past `size` bytes."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._position = file.tell()

    def tell(self) -> int:
        """Position from the start of the file."""
        return self._position

    def read(self, n: int) -> bytes:
        """Exactly `n` bytes; checks before allocating."""
        if not 0 <= n <= self._size - self._position:
            raise CheckpointError(
                f"it ends too early: {n} bytes are announced at byte {self._position} "
                f"and {self._size - self._position} are left"
            )
        data = self._file.read(n)
        self._position += len(data)
        return data

    def readline(self) -> bytes:
        """One short line without escapes, as the names in protocol 2 are."""
        line = self._file.readline(min(MAX_NAME, self._size - self._position))
        self._position += len(line)
        if b"\\" in line:
            raise ValueError
        return line


def describe(value: object) -> str:
    """A short name for a value of `load`, safe to print: nothing nested, no control characters."""
    if isinstance(value, Global):
        return f"the name {str(value)!r:.80}"
    if isinstance(value, Record):
        return (
            f"a call of {str(value.callee)!r:.80}" if isinstance(value.callee, Global) else "a call"
        )
    if isinstance(value, dict):
        keys = ", ".join(f"{key!r:.40}" for key in list(value)[:8] if isinstance(key, str))
        return f"a dict of {keys or 'no names'}"
    return "nothing" if value is None else f"a {type(value).__name__}"
