"""Face crops that INT8 is calibrated on: of the user's portraits, or of those in the package.

Few portraits are enough, because each is used several times: flipped, moved, turned, enlarged, and
in other light. The variants are drawn from a fixed seed, so that the same portraits always give the
same crops, and a built engine is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError, reason
from engines.faces.alignment import crop_transform, extract_crop
from engines.faces.landmarker import Landmarker, largest_face
from engines.pictures import PictureError, is_picture, read_picture

CROPS = 32
"""Crops to calibrate on, unless there are more portraits."""
MOST_PORTRAITS = 128
MOST_VARIANTS = 12
"""Of one portrait."""
SHIFT, TURN, ZOOM = 0.03, 6.0, 0.06
"""Largest changes of place (share of the side), angle (degrees) and size (share)."""
LIGHT, CONTRAST = 30.0, 0.25
"""Largest changes of brightness (of 255) and contrast (share)."""


class CalibrationError(ToonifyError):
    """Pictures that INT8 cannot be calibrated on."""


def crops_for(
    precision: str | None, size: int, folder: Path | str | None = None
) -> NDArray[np.uint8] | None:
    """`calibration_crops` where they are needed, which is for "int8"; None for all else."""
    return calibration_crops(size, folder) if precision == "int8" else None


def calibration_crops(size: int, folder: Path | str | None = None) -> NDArray[np.uint8]:
    """Aligned crops of every portrait, and variants of them.

    Args:
        size: side of the crops, pixels.
        folder: pictures with one face each, or more: the largest is taken; None for the eight
            portraits in the package.

    Returns:
        uint8 [K, size, size, 3] RGB, the same ones at every call.

    Raises:
        CalibrationError: there is no such folder, or no picture with a face in it.
    """
    faces = []
    with Landmarker(max_faces=4, blendshapes=False, pose=False) as landmarker:
        paths = _pictures(Path(folder)) if folder is not None else _own_portraits()
        for path in paths:
            image = _read(path)
            face = largest_face(landmarker.detect(image)) if image is not None else None
            if image is not None and face is not None:
                faces.append((image, crop_transform(face.points, size)))
    if not faces:
        raise CalibrationError(
            f"INT8 is calibrated on faces, but none was found in the {len(paths)} pictures of "
            f"{folder}; give --calibration a folder of portraits, or leave it out."
        )
    count = min(max(-(-CROPS // len(faces)), 1), MOST_VARIANTS)
    rng = np.random.default_rng(0)
    crops = [
        _variant(image, transform, size, rng) if number else extract_crop(image, transform, size)
        for number in range(count)
        for image, transform in faces
    ]
    return np.stack(crops)


def _variant(
    image: NDArray[np.uint8],
    transform: NDArray[np.float32],
    size: int,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """A crop moved, turned, enlarged, in other light, and flipped in every second case."""
    angle = np.radians(rng.uniform(-TURN, TURN))
    zoom = 1 + rng.uniform(-ZOOM, ZOOM)
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    linear = transform[:, :2].astype(np.float64) @ np.array([[cos, -sin], [sin, cos]])
    centre = transform[:, :2] @ (np.full(2, size / 2) + rng.uniform(-SHIFT, SHIFT, 2) * size)
    origin = transform[:, 2] + centre - linear @ np.full(2, size / 2)
    crop = extract_crop(image, np.column_stack([linear, origin]), size)
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    contrast, light = 1 + rng.uniform(-CONTRAST, CONTRAST), rng.uniform(-LIGHT, LIGHT)
    lit = (crop.astype(np.float32) - 128) * contrast + 128 + light
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def _own_portraits() -> Sequence[Path]:
    from engines.faces.people import people

    return people()


def _pictures(folder: Path) -> Sequence[Path]:
    """The pictures of a folder by name, evenly chosen if there are many."""
    try:
        paths = sorted(path for path in folder.iterdir() if is_picture(path))
    except OSError as error:
        raise CalibrationError(
            f"The folder {folder} for --calibration cannot be read: {reason(error)}; give a "
            "folder of portraits."
        ) from error
    if not paths:
        raise CalibrationError(
            f"There are no pictures in {folder}; give --calibration a folder of portraits."
        )
    chosen = np.linspace(0, len(paths) - 1, min(len(paths), MOST_PORTRAITS)).round().astype(int)
    return [paths[i] for i in chosen]


def _read(path: Path) -> NDArray[np.uint8] | None:
    """A picture as uint8 [H, W, 3] RGB, upright; None if the file is damaged."""
    try:
        return read_picture(path).rgb
    except PictureError:
        return None
