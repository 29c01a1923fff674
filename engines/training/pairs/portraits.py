"""Folders of pictures as aligned crops."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.faces.alignment import (
    AlignmentError,
    crop_transform,
    extract_crop,
    invert,
    transform_points,
)
from engines.faces.landmarker import Landmarker, largest_face
from engines.pictures import PICTURE_SUFFIXES, Image, PictureError, is_picture, read_picture
from engines.training.pairs.arrays import read_table, write_table
from engines.training.pairs.pair_set import WARP_GRID, PairSet
from engines.training.progress import Track

LONGEST_SIDE = 1280
BY_HAND = (
    "crop them by hand to squares with the eyes at 38 % and 62 % of the width and 47 % of the "
    "height and the mouth at 50 % and 73 %, and pass that folder with --aligned"
)


@dataclass(frozen=True)
class Crops:
    """Aligned square pictures.

    Attributes:
        images: uint8 [N, S, S, 3] RGB.
        landmarks: float32 [N, 478, 2] in pixels of the crops; NaN where they are not known.
        left_out: names of the files that gave no crop.
        source: the files they were made from and how; other files or another size give another
            text.
    """

    images: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    left_out: tuple[str, ...] = ()
    source: str = ""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Side of the pictures in pixels."""
        return int(self.images.shape[1])

    def pairs(self) -> PairSet:
        """People as training pairs in which the toon is the photo itself."""
        head = np.full((len(self), 8, 8), 255, np.uint8)
        weight = np.full(len(self), 1 / max(len(self), 1))
        still = np.zeros((len(self), WARP_GRID, WARP_GRID, 2), np.float16)
        return PairSet(self.images, self.images, head, self.landmarks, still, weight)

    def save(self, path: Path) -> None:
        """Write the crops to one file."""
        write_table(path, {**vars(self), "left_out": list(self.left_out)})

    @classmethod
    def load(cls, path: Path) -> Crops:
        """Read what `save` wrote.

        Raises:
            ToonifyError: when the file is damaged or incomplete.
        """
        arrays = read_table(
            path,
            {
                "images": (None, None, None, 3),
                "landmarks": (None, 478, None),
                "left_out": (None,),
                "source": (),
            },
            "delete it, and it is made again",
        )
        left_out = tuple(str(name) for name in arrays["left_out"])
        return cls(arrays["images"], arrays["landmarks"], left_out, str(arrays["source"]))


def read_image(path: Path) -> Image | None:
    """A picture, upright as its EXIF says, at most 2560 px long: uint8 [H, W, 3] RGB.

    None when the file is not a picture.
    """
    try:
        image = read_picture(path).rgb
    except PictureError:
        return None
    if (longest := max(image.shape[:2])) > 2 * LONGEST_SIDE:
        scale = 2 * LONGEST_SIDE / longest
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)
    return image


def align(
    image: Image, landmarker: Landmarker, size: int
) -> tuple[Image, NDArray[np.float32]] | None:
    """Crop the largest face of a picture the way FFHQ is cropped.

    Args:
        image: uint8 [H, W, 3] RGB.
        landmarker: in image mode.
        size: side of the crop, pixels.

    Returns:
        crop uint8 [size, size, 3] and landmarks float32 [478, 2] in its pixels. None when no face
        is found, even in a padded copy (the detector misses faces that fill the picture).
    """
    for border in (0, max(image.shape[:2]) // 3):
        padded = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
        scale = min(1.0, LONGEST_SIDE / max(padded.shape[:2]))
        small = cv2.resize(padded, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        face = largest_face(landmarker.detect(np.asarray(small, np.uint8)))
        if face is not None:
            points = face.points[:, :2] / scale - border
            try:
                transform = crop_transform(points, size)
            except AlignmentError:
                return None
            crop = extract_crop(image, transform, size, cv2.BORDER_REFLECT_101)
            return crop, transform_points(points, invert(transform))
    return None


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted by name, without those in sub-folders.

    Raises:
        ToonifyError: when the folder is missing or holds no pictures.
    """
    if not folder.is_dir():
        raise ToonifyError(f"{folder} was expected to be a folder of pictures; there is none.")
    files = sorted(path for path in folder.iterdir() if is_picture(path))
    if not files:
        raise ToonifyError(
            f"{folder} was expected to hold pictures ({', '.join(sorted(PICTURE_SUFFIXES))}), but "
            f"has none."
        )
    return files


def people_files(folder: Path) -> list[Path]:
    """What `read_people` reads: the photos of a prepared folder, or `picture_files`."""
    prepared = folder / "photo.npy"
    return [prepared] if prepared.is_file() else picture_files(folder)


def listing(files: Sequence[Path]) -> str:
    """sha256 (hex) of the names and sizes of files: shows whether files were added, removed or
    changed."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(os.fsencode(path.name) + f"/{path.stat().st_size}/".encode())
    return digest.hexdigest()


def read_folder(
    folder: Path,
    size: int,
    *,
    aligned: bool = False,
    cache: Path | None = None,
    track: Track[Path] = iter,
) -> Crops:
    """Crop every picture of a folder.

    Args:
        folder: pictures; sub-folders are not read.
        size: side of the crops, pixels.
        aligned: use each picture as the crop, whether a face is found in it or not.
        cache: file that keeps the crops as long as the folder holds the same pictures.
        track: wraps the list of files, for a progress bar.

    Raises:
        ToonifyError: when the folder is missing, holds no pictures, or none of them has a face.
    """
    files = picture_files(folder)
    source = f"{listing(files)} at {size} px{', aligned' if aligned else ''}"
    if cache is not None and cache.is_file() and (kept := Crops.load(cache)).source == source:
        return kept
    images, points, left_out = [], [], []
    unknown = np.full((478, 2), np.nan, np.float32)
    with Landmarker("image", max_faces=4, blendshapes=False, pose=False) as landmarker:
        for path in track(files):
            image = read_image(path)
            if image is None:
                found = None
            elif aligned:
                square = _centre_square(image, size)
                face = largest_face(landmarker.detect(square))
                found = square, unknown if face is None else face.points[:, :2]
            else:
                found = align(image, landmarker, size)
            if found is None:
                left_out.append(path.name)
            else:
                images.append(found[0])
                points.append(found[1])
    if not images:
        raise ToonifyError(f"No face was found in any picture of {folder}; {BY_HAND}.")
    crops = Crops(np.stack(images), np.stack(points), tuple(left_out), source)
    if cache is not None:
        crops.save(cache)
    return crops


def read_people(
    folder: Path, size: int, cache: Path | None = None, *, track: Track[Path] = iter
) -> PairSet:
    """People as training pairs: a prepared folder as it is, or the crops of a folder of portraits.

    Args:
        folder: where they are.
        size: side of the crops, pixels.
        cache: as in `read_folder`.
        track: wraps the list of files, for a progress bar.

    Raises:
        ToonifyError: as `read_folder`, or when a prepared folder has another size.
    """
    if (prepared := prepared_people(folder, size)) is not None:
        return prepared
    return read_folder(folder, size, cache=cache, track=track).pairs()


def prepared_people(folder: Path, size: int) -> PairSet | None:
    """The people of a prepared folder; None for a folder of portraits.

    Raises:
        ToonifyError: the folder was prepared for another size.
    """
    if not (folder / "photo.npy").is_file():
        return None
    pairs = PairSet.open(folder)
    if pairs.size != size:
        raise ToonifyError(
            f"The pictures in {folder} are {pairs.size} px, but the model takes {size} px; "
            f"run 'toonify train prepare' with --size {size}."
        )
    return pairs


def _centre_square(image: Image, size: int) -> Image:
    height, width = image.shape[:2]
    side = min(height, width)
    y, x = (height - side) // 2, (width - side) // 2
    square = image[y : y + side, x : x + side]
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=way), np.uint8)
