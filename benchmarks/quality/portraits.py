"""The people a model is judged on, and the artist's toons of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageSequence, UnidentifiedImageError

from engines import faces, training
from engines.errors import ToonifyError
from engines.faces.alignment import crop_transform, extract_crop, invert, transform_points
from engines.faces.landmarker import Landmarker, largest_face
from engines.faces.person import PersonSegmenter
from engines.pictures import Image, is_picture, read_picture
from engines.training.looks import SOLID, find_artist
from engines.training.pairs.aligned import read_faces
from engines.training.pairs.arrays import read_table, write_table
from engines.training.pairs.pair_set import WARP_GRID

FULL = 512
"""Side in pixels at which portraits are kept and the artist draws."""


@dataclass(frozen=True)
class Portrait:
    """One aligned face. `full`: uint8 [FULL, FULL, 3] RGB; `landmarks`: float32 [478, 3] on it."""

    name: str
    full: Image
    landmarks: NDArray[np.float32]

    def crop(self, size: int) -> Image:
        """The photo as an engine takes it, uint8 [size, size, 3]."""
        return resize(self.full, size)

    def points(self, size: int) -> NDArray[np.float32]:
        """The landmarks on a picture of another size."""
        return self.landmarks * np.float32(size / FULL)


def resize(image: Image, size: int) -> Image:
    """Square picture or mask to another size, area-averaged when shrinking."""
    if image.shape[0] == size:
        return image
    way = cv2.INTER_AREA if size < image.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(image, (size, size), interpolation=way).astype(np.uint8, copy=False)


def load_portraits(folder: Path, limit: int | None = None) -> list[Portrait]:
    """Every picture with a face in `folder`, aligned, in order of their names.

    A set that was aligned before (`faces.npz` beside 512 px crops) is taken as it is.

    Raises:
        ToonifyError: when there is no folder, no picture, or no face.
    """
    if (folder / "faces.npz").is_file():
        return _load_aligned(folder, limit)
    if not folder.is_dir():
        raise ToonifyError(f"Expected a folder of portraits, but there is no folder {folder}.")
    paths = sorted(path for path in folder.iterdir() if is_picture(path))
    if not paths:
        raise ToonifyError(f"Expected pictures in {folder}, found none with a known file ending.")
    found: list[Portrait] = []
    with Landmarker() as landmarker:
        for path in paths:
            if limit is not None and len(found) == limit:
                break
            if portrait := _align(path, landmarker):
                found.append(portrait)
    if not found:
        raise ToonifyError(f"No face was found in any of the {len(paths)} pictures of {folder}.")
    return found


def _load_aligned(folder: Path, limit: int | None) -> list[Portrait]:
    """Crops with `names` and `landmarks` (pixels of the crop) in `faces.npz`."""
    table = read_faces(folder / "faces.npz")
    names, landmarks = table["names"], table["landmarks"].astype(np.float32)
    found = []
    for name, points in list(zip(map(str, names), landmarks, strict=True))[:limit]:
        path = folder / (name if Path(name).suffix else f"{name}.webp")
        picture = read_picture(path).rgb
        zoom = np.float32(FULL / picture.shape[0])
        found.append(Portrait(path.stem, resize(picture, FULL), points * zoom))
    return found


def _align(path: Path, landmarker: Landmarker) -> Portrait | None:
    """The largest face of a picture, or None without one."""
    picture = read_picture(path).rgb
    face = largest_face(landmarker.detect(picture))
    if face is None:
        return None
    transform = crop_transform(face.points, FULL)
    crop = extract_crop(picture, transform, FULL)
    return Portrait(path.stem, crop, transform_points(face.points, invert(transform)))


def read_clip(path: Path) -> Iterator[Image]:
    """Frames of an animated picture, uint8 [H, W, 3] RGB."""
    try:
        with Pictures.open(path) as clip:
            for frame in ImageSequence.Iterator(clip):
                yield np.asarray(frame.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise ToonifyError(f"{path} cannot be read as an animated picture ({error}).") from error


@dataclass(frozen=True)
class Drawn:
    """What the artist made.

    Attributes:
        toon: uint8 [S, S, 3] RGB.
        head: uint8 [S, S], 255 on the head.
        warp: float16 [64, 64, 2], the toon's shape as in `PairSet`.
    """

    toon: Image
    head: NDArray[np.uint8]
    warp: NDArray[np.float16]

    def at(self, size: int) -> Drawn:
        """The same at another size."""
        return Drawn(resize(self.toon, size), resize(self.head, size), self.warp)


def code_of(room: Path) -> bytes:
    """Hash of a package's code and weights: other code draws other pictures."""
    found = hashlib.sha256()
    for source in sorted(room.rglob("*")):
        if source.suffix in (".py", ".npz", ".safetensors"):
            found.update(source.read_bytes())
    return found.digest()


class Artist:
    """The artist's toons, kept in a folder, because each takes about a second to draw.

    A saved toon is used again only for the same photo, look and version of the artist's code, which
    also measures and paints with that of `engines.faces`.
    """

    def __init__(self, cache: Path, look: str = "film") -> None:
        self.look, self._artist = look, find_artist(look)
        self._cache = cache
        self._segmenter = PersonSegmenter()
        self._version = hashlib.sha256()
        rooms = [Path(training.__file__).parent / "artist", Path(faces.__file__).parent]
        if look in SOLID:
            rooms.append(rooms[0].with_name("artist3d"))
        for room in rooms:
            self._version.update(code_of(room))

    def draw(self, portrait: Portrait) -> Drawn:
        """The toon at FULL pixels."""
        key = self._version.copy()
        key.update(self.look.encode())
        key.update(portrait.full.data)
        key.update(np.ascontiguousarray(portrait.landmarks).data)
        path = self._cache / f"{portrait.name}-{self.look}-{key.hexdigest()[:16]}.npz"
        if path.is_file():
            sides = {"toon": (FULL, FULL, 3), "head": (FULL, FULL), "warp": (None, None, 2)}
            kept = read_table(path, sides, "delete it, and it is drawn again")
            return Drawn(kept["toon"], kept["head"], kept["warp"])
        person = self.person(portrait)
        result = self._artist(portrait.full, portrait.landmarks, person=person)
        warp = result.warp.moves(WARP_GRID).astype(np.float16)
        drawn = Drawn(result.image, result.head, warp)
        write_table(path, vars(drawn), compressed=True)
        return drawn

    def person(self, portrait: Portrait) -> NDArray[np.float32]:
        """Soft person mask of the photo, float32 [FULL, FULL] in 0..1."""
        return self._segmenter.segment(portrait.full)

    def close(self) -> None:
        """Frees the segmenter."""
        self._segmenter.close()
