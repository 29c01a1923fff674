"""What `torch.save` writes, read without torch's unpickler: zip archives and the older stream.

The older ("legacy") container is five pickles, magic number, protocol, system info, object, storage
keys, then per key an int64 count and the raw values. The newer one is an uncompressed zip with
`data.pkl` and one member per storage. Both refer to storages by the persistent id
`("storage", type, key, location, count)`. Nothing but small pickles is read before it is asked for.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import torch

from engines.checkpoints.inert import load
from engines.checkpoints.neutral import CheckpointError
from engines.checkpoints.records import Allowance, Global, Stream

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
ZIP_MAGIC = b"PK\x03\x04"
_LEGACY_PROTOCOL = 1001
_BIG_ENDIAN = "it was written on a big-endian machine; save it again on a usual one"
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, struct.error, ValueError, RuntimeError),  # NotImplementedError too
    *(OverflowError, EOFError, OSError),
)
_MAX_DIRECTORY = 4 * 2**20
_MAX_PICKLE = 64 * 2**20

DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
}


@dataclass(eq=False)
class Storage:
    """A flat run of numbers somewhere in a file.

    Attributes:
        dtype: type of one value.
        count: number of values.
        read: gives the bytes; checks that there are `count` values of them.
    """

    dtype: torch.dtype
    count: int
    read: Callable[[], bytes] = field(repr=False)

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.count * self.dtype.itemsize


def load_torch(file: BinaryIO, size: int, allowance: Allowance) -> Any:
    """The object in a `torch.save` file whose first byte is at the file's position 0.

    Storages are read on demand from `file`, which must stay open.

    Returns:
        what `inert.load` returns, with a `Storage` in place of each reference to one; for a plain
        pickle that is no container, the pickle's own value.

    Raises:
        CheckpointError: damaged, or with sizes that contradict each other.
    """
    file.seek(0)
    if file.read(len(ZIP_MAGIC)) == ZIP_MAGIC:
        return _load_zip(file, size, allowance)
    file.seek(0)
    stream = Stream(file, size)
    first = load(stream, allowance)
    if first != LEGACY_MAGIC or isinstance(first, bool):
        return first
    return _load_legacy(file, stream, size, allowance)


def _load_legacy(file: BinaryIO, stream: Stream, size: int, allowance: Allowance) -> Any:
    if load(stream, allowance) != _LEGACY_PROTOCOL:
        raise CheckpointError("it is a torch file of an unknown protocol; expected 1001")
    info = load(stream, allowance)
    if not isinstance(info, dict) or info.get("little_endian") is not True:
        raise CheckpointError(_BIG_ENDIAN)

    storages: dict[str, Storage] = {}
    places: dict[str, int] = {}

    def persistent(value: object) -> Storage:
        key, dtype, count = _reference(value)

        def read() -> bytes:
            if key not in places:
                raise CheckpointError("one of its tensors refers to data that is not in the file")
            file.seek(places[key])
            return Stream(file, size).read(count * dtype.itemsize)

        known = storages.setdefault(key, Storage(dtype, count, read))
        if (known.dtype, known.count) != (dtype, count):
            raise CheckpointError("two of its tensors contradict each other about their data")
        return known

    root = load(stream, allowance, persistent)
    keys = load(stream, allowance)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise CheckpointError("its list of storages is damaged")
    position = stream.tell()
    for key in keys:
        if key not in storages or key in places:
            raise CheckpointError("its list of storages does not match its tensors")
        file.seek(position)
        count = int.from_bytes(Stream(file, size).read(8), "little")
        if count != storages[key].count:
            raise CheckpointError("a storage's length is not the one that its tensor declares")
        places[key] = position + 8
        position += 8 + storages[key].size
    return root


def _load_zip(file: BinaryIO, size: int, allowance: Allowance) -> Any:
    file.seek(0)
    guard = _DirectoryGuard(file)
    try:
        archive = zipfile.ZipFile(guard)
    except _ZIP_ERRORS as error:
        raise CheckpointError("its zip directory is damaged or cut off") from error
    guard.largest = size
    members = {info.filename: info for info in archive.infolist()}
    roots = [name for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(roots) != 1:
        raise CheckpointError("it is a zip file, but not one that torch.save writes (no data.pkl)")
    folder = roots[0].removesuffix("data.pkl")

    def member(name: str) -> bytes:
        info = members.get(folder + name)
        if info is None:
            raise CheckpointError("one of its tensors refers to data that is not in the file")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise CheckpointError("its zip members are compressed; torch.save never does that")
        if info.file_size > size:
            raise CheckpointError("a zip member declares more data than the file holds")
        try:
            return archive.read(info)
        except _ZIP_ERRORS as error:
            raise CheckpointError("a zip member is damaged") from error

    if folder + "byteorder" in members and member("byteorder") != b"little":
        raise CheckpointError(_BIG_ENDIAN)

    def persistent(value: object) -> Storage:
        key, dtype, count = _reference(value)

        def read() -> bytes:
            data = member(f"data/{key}")
            if len(data) != count * dtype.itemsize:
                raise CheckpointError("a storage's length is not the one that its tensor declares")
            return data

        return storages.setdefault((key, dtype, count), Storage(dtype, count, read))

    storages: dict[tuple[str, torch.dtype, int], Storage] = {}
    if members[roots[0]].file_size > _MAX_PICKLE:
        raise CheckpointError("its data.pkl is larger than 64 MiB, which no weights need")
    pickled = member("data.pkl")
    return load(Stream(io.BytesIO(pickled), len(pickled)), allowance, persistent)


def _reference(value: object) -> tuple[str, torch.dtype, int]:
    """Key, type and count out of a storage's persistent id."""
    if not isinstance(value, tuple) or len(value) not in (5, 6) or value[0] != "storage":
        raise CheckpointError("it refers to data outside its pickle (a persistent id)")
    kind, key, _, count = value[1:5]
    dtype = DTYPES.get(kind.name) if isinstance(kind, Global) else None
    if dtype is None or kind.module not in ("torch", "torch.cuda", "torch.storage"):
        raise CheckpointError("one of its storages is of a kind that is neither float nor integer")
    if not isinstance(key, str) or type(count) is not int or not 0 <= count < 2**40:
        raise CheckpointError("one of its storages declares an impossible size")
    if len(value) == 6 and value[5] is not None:
        raise CheckpointError("its storages are views of others, as torch before 0.4 wrote them")
    return key, dtype, count


class _DirectoryGuard(io.RawIOBase):
    """A file that refuses large reads while `zipfile` loads the directory, sized by the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.largest = file, _MAX_DIRECTORY

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        if size > self.largest:
            raise zipfile.BadZipFile
        return self._file.read(self.largest + 1 if size < 0 else size)

    def close(self) -> None:
        """Leaves the file to its owner."""
