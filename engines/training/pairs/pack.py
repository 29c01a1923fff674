"""Training pairs in one small file, for copying them to another machine.

An uncompressed ZIP of `pack.json`, WebP pictures `photo/00000.webp`, `toon/...` and `head/...`, and
landmarks, warps and weights as NumPy arrays. Unpacking gives a folder that
`engines.training.pairs.pair_set.PairSet` opens; it unpickles nothing and checks every size.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.files import atomic_path
from engines.training.pairs.arrays import DAMAGE, fits, in_words
from engines.training.pairs.pair_set import WARP_GRID, PairSet
from engines.training.progress import Track

FORMAT = "toonify-pairs"
FORMAT_VERSION = 2  # 1 had no warps
PACKED_GRID, PACKED_UNIT = 32, 1 / 1024  # of warps: int8 then reaches an eighth of the side
QUALITY = {"photo": 86, "toon": 86, "head": 60}
MOST_PAIRS, LARGEST_SIDE = 200_000, 1024


def write_pack(
    pairs: PairSet, path: Path, *, quality: int | None = None, track: Track[int] = iter
) -> int:
    """Write pairs into one file: its size in bytes.

    Args:
        pairs: any size.
        path: the file; replaced only once the new one is complete.
        quality: WebP quality of photos and toons, 1 to 100; None for the default.
        track: wraps the row numbers, for a progress bar.
    """
    numbers = list(range(len(pairs)))
    values = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "count": len(pairs),
        "size": pairs.size,
        "head_size": int(pairs.head.shape[1]),
    }
    with (
        atomic_path(path) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive,
    ):
        archive.writestr("pack.json", json.dumps(values))
        archive.writestr("landmarks.npy", _array(pairs.landmarks.astype(np.float16)))
        archive.writestr("warp.npy", _array(_pack_warps(pairs.warp)))
        archive.writestr("weight.npy", _array(np.asarray(pairs.weight, np.float64)))
        for i in track(numbers):
            for name, standard in QUALITY.items():
                wanted = standard if quality is None or name == "head" else quality
                picture = _encode(np.asarray(getattr(pairs, name)[i]), wanted)
                archive.writestr(f"{name}/{i:05d}.webp", picture)
    return path.stat().st_size


def read_pack(path: Path, folder: Path, *, track: Track[int] = iter) -> PairSet:
    """Unpack into an empty or new folder, and open it.

    Raises:
        ToonifyError: when the file is not a pack or is damaged, or the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ToonifyError(f"{folder} is not empty; unpack into another folder.")
    try:
        with zipfile.ZipFile(path) as archive:
            _unpack(archive, folder, track)
    except FileNotFoundError as error:
        raise ToonifyError(f"There is no data pack at {path}.") from error
    # RuntimeErrors: members that are encrypted, or compressed in an unknown way.
    except (*DAMAGE, TypeError, RuntimeError, OverflowError, zlib.error) as error:
        raise ToonifyError(
            f"{path} is not a data pack or is damaged ({error}); pack the pairs again."
        ) from error
    return PairSet.open(folder)


def _unpack(archive: zipfile.ZipFile, folder: Path, track: Track[int]) -> None:
    values = json.loads(archive.read("pack.json"))
    if (values["format"], values["version"]) != (FORMAT, FORMAT_VERSION):
        found = f"format {values['format']!r} version {values['version']!r}"
        raise ValueError(f"{found} where {FORMAT!r} version {FORMAT_VERSION} was expected")
    count, size, head = (int(values[name]) for name in ("count", "size", "head_size"))
    if not (0 < count <= MOST_PAIRS and 0 < size <= LARGEST_SIDE and 0 < head <= LARGEST_SIDE):
        raise ValueError(f"{count} pairs of {size} px")
    shapes: dict[str, tuple[int, ...]] = {
        "photo": (count, size, size, 3),
        "toon": (count, size, size, 3),
        "head": (count, head, head),
    }
    with atomic_path(folder) as part:
        part.mkdir()
        np.save(part / "landmarks.npy", _numbers(archive, "landmarks", (count, 478, 2), np.float32))
        np.save(part / "weight.npy", _numbers(archive, "weight", (count,), np.float64))
        warps = _numbers(archive, "warp", (count, PACKED_GRID, PACKED_GRID, 2), np.int8)
        np.save(part / "warp.npy", _unpack_warps(warps))
        arrays = {
            name: open_memmap(part / f"{name}.npy", "w+", np.uint8, shape)
            for name, shape in shapes.items()
        }
        for i in track(range(count)):
            for name, array in arrays.items():
                array[i] = _decode(archive.read(f"{name}/{i:05d}.webp"), array.shape[1:])
        for array in arrays.values():
            array.flush()
        if folder.is_dir():
            folder.rmdir()  # empty; Windows does not replace even an empty folder


def _numbers(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: type[np.generic]
) -> NDArray:
    array = np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
    if not fits(array, shape):
        raise ValueError(f"{name} is {in_words(array.shape)}")
    return np.asarray(array.astype(dtype))


def _pack_warps(warps: NDArray[np.float16]) -> NDArray[np.int8]:
    side = (PACKED_GRID, PACKED_GRID)
    packed = np.empty((len(warps), *side, 2), np.int8)
    for i, warp in enumerate(warps):
        small = cv2.resize(warp.astype(np.float32), side, interpolation=cv2.INTER_AREA)
        packed[i] = np.clip(np.rint(small / PACKED_UNIT), -127, 127)
    return packed


def _unpack_warps(packed: NDArray[np.int8]) -> NDArray[np.float16]:
    side, warps = (WARP_GRID, WARP_GRID), []
    for warp in packed:
        large = cv2.resize(warp.astype(np.float32), side, interpolation=cv2.INTER_LINEAR)
        warps.append((large * PACKED_UNIT).astype(np.float16))
    return np.stack(warps)


def _encode(image: NDArray[np.uint8], quality: int) -> bytes:
    turned = image[..., ::-1] if image.ndim == 3 else image
    _, encoded = cv2.imencode(
        ".webp", np.ascontiguousarray(turned), [cv2.IMWRITE_WEBP_QUALITY, quality]
    )
    return encoded.tobytes()


def _decode(encoded: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    flag = cv2.IMREAD_COLOR if len(shape) == 3 else cv2.IMREAD_GRAYSCALE
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flag) if encoded else None
    if image is None or image.shape != shape:
        raise ValueError("a picture in it cannot be read or has another size")
    return np.asarray(image[..., ::-1] if len(shape) == 3 else image, np.uint8)


def _array(values: NDArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()
