"""Aligned portraits with landmarks: what the artist draws from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.faces.landmarker import Landmarker, largest_face
from engines.pictures import Image, PictureError, read_picture, write_png
from engines.training.pairs.arrays import read_table, write_table
from engines.training.pairs.pair_set import PrepareError
from engines.training.progress import Progress, silent

DRAWING_SIZE = 512  # the artist draws at this size; pairs are shrunk from it
SOURCE_WEIGHT = {"congress": 0.5}  # studio portraits, all lit and posed alike
INDEX = "faces.npz"


@dataclass(frozen=True)
class AlignedSet:
    """Aligned 512 px portraits on disk.

    Attributes:
        paths: the pictures.
        landmarks: float32 [N, 478, 3] in pixels of the 512 px picture.
        weight: float64 [N], how often each is drawn in training.
    """

    paths: tuple[Path, ...]
    landmarks: NDArray[np.float32]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.paths)

    @classmethod
    def open(cls, folder: Path) -> AlignedSet:
        """Read a set: pictures, and a `faces.npz` with `names` and `landmarks`.

        Its `yaw`, `source` and `blendshapes` decide the weights, where they are given.

        Raises:
            ToonifyError: when `faces.npz` is missing, damaged or incomplete.
        """
        if not (folder / INDEX).is_file():
            raise PrepareError(
                f"An aligned set with {INDEX} was expected in {folder}, found none; pass a "
                "folder of portraits instead."
            )
        return cls.of(folder, read_faces(folder / INDEX))

    @classmethod
    def of(cls, folder: Path, table: dict[str, NDArray]) -> AlignedSet:
        """The set of a folder whose `faces.npz` has been read with `read_faces`."""
        names = [str(name) for name in table["names"]]
        paths = tuple(folder / (n if Path(n).suffix else f"{n}.webp") for n in names)
        return cls(paths, table["landmarks"].astype(np.float32), _weights(table))

    def read(self, index: int) -> Image:
        """One portrait, uint8 [512, 512, 3] RGB.

        Raises:
            PrepareError: when there is no picture of that size.
        """
        try:
            rgb = read_picture(self.paths[index]).rgb
        except PictureError:
            rgb = None
        if rgb is None or rgb.shape != (DRAWING_SIZE, DRAWING_SIZE, 3):
            found = "no picture" if rgb is None else f"{rgb.shape[1]} x {rgb.shape[0]} pixels"
            raise PrepareError(
                f"An aligned {DRAWING_SIZE} px portrait was expected at {self.paths[index]}, found "
                f"{found}; remove it from the set or align it again."
            )
        return rgb


def read_faces(
    path: Path, remedy: str = "pass a folder of portraits instead"
) -> dict[str, NDArray]:
    """The `faces.npz` of an aligned set: `names` [N], `landmarks` [N, 478, 2 or 3] and more.

    Args:
        path: the file.
        remedy: what to do about a file that does not fit, after a semicolon.

    Raises:
        ToonifyError: when it is damaged or lacks one of them.
    """
    table = read_table(path, {"names": (None,), "landmarks": (None, 478, None)}, remedy)
    if len(table["names"]) != len(table["landmarks"]):
        raise PrepareError(
            f"{path} has {len(table['names'])} names for {len(table['landmarks'])} faces, but the "
            f"numbers should be equal; {remedy}."
        )
    return table


def _weights(table: dict[str, np.ndarray]) -> NDArray[np.float64]:
    """Rare poses and expressions more often, similar studio portraits less often."""
    weight = np.ones(len(table["names"]))
    if "source" in table:
        weight *= [SOURCE_WEIGHT.get(str(source), 1.0) for source in table["source"]]
    if "yaw" in table:
        weight *= 1 + (np.abs(table["yaw"]) > 25)
    if "blendshapes" in table:
        column = {str(name): i for i, name in enumerate(table["blendshape_names"])}
        score = table["blendshapes"].astype(np.float64)
        closed = score[:, [column["eyeBlinkLeft"], column["eyeBlinkRight"]]].max(1) > 0.6
        weight *= 1 + 2 * (closed | (score[:, column["jawOpen"]] > 0.4))
    return weight


def align_folder(
    folder: Path, out: Path, progress: Progress = silent
) -> tuple[AlignedSet, tuple[str, ...]]:
    """Crop the largest face of every picture of a folder and write an aligned set.

    Args:
        folder: pictures of any size.
        out: folder of the set.
        progress: called with "align" for each picture.

    Returns:
        the set, and the names of the files in which no face was found.

    Raises:
        ToonifyError: when there are no pictures, or no faces in them.
    """
    # heavy: not for workers
    from engines.training.pairs.portraits import align, listing, picture_files, read_image

    files = picture_files(folder)
    out.mkdir(parents=True, exist_ok=True)
    names, landmarks, left_out = [], [], []
    with Landmarker("image", max_faces=4, blendshapes=False, pose=False) as landmarker:
        for number, path in enumerate(files):
            progress("align", number, len(files))
            image = read_image(path)
            found = None if image is None else align(image, landmarker, DRAWING_SIZE)
            face = None if found is None else largest_face(landmarker.detect(found[0]))
            if found is None or face is None:
                left_out.append(path.name)
                continue
            write_png(out / f"{path.name}.png", found[0])
            names.append(f"{path.name}.png")
            landmarks.append(face.points)
    progress("align", len(files), len(files))
    if not names:
        raise PrepareError(
            f"No face was found in any of the {len(files)} pictures of {folder}; pass portraits."
        )
    table = {
        "names": names,
        "landmarks": np.stack(landmarks),
        "files": listing(files),
        "left_out": np.array(left_out, str),
    }
    write_table(out / INDEX, table)
    return AlignedSet.open(out), tuple(left_out)


def aligned_before(folder: Path, out: Path) -> tuple[AlignedSet, tuple[str, ...]] | None:
    """What `align_folder` returned for this folder before, or None if it has not been run.

    Raises:
        ToonifyError: when `faces.npz` is damaged, or the folder's pictures have changed.
    """
    from engines.training.pairs.portraits import listing, picture_files

    index = out / INDEX
    if not index.is_file():
        return None
    table = read_faces(index, f"delete {out}, and it is made again")
    if "files" in table and str(table["files"]) != listing(picture_files(folder)):
        raise PrepareError(
            f"The pictures in {folder} are not those that {out} was made of; choose another "
            f"folder for the pairs, or delete it to start again."
        )
    left_out = tuple(str(name) for name in table.get("left_out", ()))
    return AlignedSet.of(out, table), left_out
