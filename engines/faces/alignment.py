"""The FFHQ crop of a face: landmarks -> similarity transform -> square picture.

All points are *continuous* pixel coordinates: the picture spans [0, W] x [0, H] and the centre of
the top-left pixel is (0.5, 0.5), as MediaPipe's normalised landmarks times the picture's size.
OpenCV's functions put that centre at (0, 0); `pixel_matrix` converts a transform for them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError

Array = NDArray[np.floating]

# MediaPipe indices of the six points that dlib's 68-point model, on which FFHQ was aligned, has per
# eye: two corners and two points on each lid. "Left" and "right" are the picture's.
LEFT_EYE = (33, 160, 158, 133, 153, 144)
RIGHT_EYE = (362, 385, 387, 263, 373, 380)
MOUTH_CORNERS = (61, 291)


class AlignmentError(ToonifyError):
    """Landmarks or a transform from which no crop can be made."""


def ffhq_quad(landmarks: Array) -> NDArray[np.float64]:
    """Square around a face, as the FFHQ data set was cropped.

    The formula is `recreate_aligned_images` of NVlabs/ffhq-dataset (Karras et al. 2019) with the
    eye centres and mouth corners taken from MediaPipe's mesh.

    Args:
        landmarks: [478, >=2] (or the 468 of the mesh without irises), pixels.

    Returns:
        float64 [4, 2]: top-left, bottom-left, bottom-right, top-right corner, pixels.

    Raises:
        AlignmentError: wrong shape, or eyes and mouth collapse into one point.
    """
    points = np.asarray(landmarks, np.float64)
    if points.ndim != 2 or points.shape[0] < 468 or points.shape[1] < 2:
        raise AlignmentError(
            f"Expected landmarks [478, 2 or 3], found {list(points.shape)}; pass one face."
        )
    points = points[:, :2]
    left, right = points[LEFT_EYE, :].mean(0), points[RIGHT_EYE, :].mean(0)
    eyes, mouth = (left + right) / 2, points[MOUTH_CORNERS, :].mean(0)
    across, down = right - left, mouth - eyes
    x = across + np.array([down[1], -down[0]])
    length = np.hypot(*x)
    if not np.isfinite(length) or length < 1e-6:
        raise AlignmentError(
            "Expected distinct eyes and mouth, found them in one point; drop this detection."
        )
    x *= max(np.hypot(*across) * 2.0, np.hypot(*down) * 1.8) / length
    y = np.array([-x[1], x[0]])
    centre = eyes + 0.1 * down
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def crop_transform(landmarks: Array, size: int, scale: float = 1.0) -> NDArray[np.float32]:
    """Similarity that maps the pixels of a `size` x `size` crop to those of the frame.

    Args:
        landmarks: [478, >=2], frame pixels.
        size: side of the crop, pixels.
        scale: side of the square as a share of FFHQ's; 1 is the crop the networks are trained on.

    Returns:
        float32 [2, 3], crop -> frame.
    """
    return quad_transform(ffhq_quad(landmarks), size, scale)


def quad_transform(quad: Array, size: int, scale: float = 1.0) -> NDArray[np.float32]:
    """`crop_transform` for a square that is known already (float [4, 2], see `ffhq_quad`)."""
    x = (quad[3] - quad[0]) * (scale / size)
    y = (quad[1] - quad[0]) * (scale / size)
    origin = np.mean(quad, axis=0) - (x + y) * (size / 2)
    return np.stack([x, y, origin], axis=1).astype(np.float32)


def invert(transform: Array) -> NDArray[np.float32]:
    """The opposite direction of an affine transform [2, 3]."""
    return cv2.invertAffineTransform(np.asarray(transform, np.float64)).astype(np.float32)


def transform_points(points: Array, transform: Array) -> NDArray[np.float32]:
    """Apply an affine transform [2, 3] to points [N, 2 or 3]; z is scaled with the picture."""
    points, transform = np.asarray(points, np.float64), np.asarray(transform, np.float64)
    moved = points[:, :2] @ transform[:, :2].T + transform[:, 2]
    depth = points[:, 2:] * transform_scale(transform)
    return np.concatenate([moved, depth], axis=1).astype(np.float32)


def transform_scale(transform: Array) -> float:
    """Target pixels per source pixel of a similarity [2, 3]."""
    return float(np.sqrt(abs(np.linalg.det(np.asarray(transform, np.float64)[:, :2]))))


def pixel_matrix(transform: Array) -> NDArray[np.float64]:
    """The same transform for OpenCV, where the first pixel's centre is (0, 0): float64 [2, 3]."""
    matrix = np.array(transform, np.float64)
    matrix[:, 2] += matrix[:, :2].sum(1) * 0.5 - 0.5
    return matrix


def shrink(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """A picture uint8 [H, W] or [H, W, C] averaged down by a factor that divides H and W."""
    while factor > 1:
        step = 2 if factor % 2 == 0 else factor  # OpenCV halves five times faster than it quarters
        size = (image.shape[1] // step, image.shape[0] // step)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        factor //= step
    return image


def extract_crop(
    image: NDArray[np.uint8], transform: Array, size: int, border: int = cv2.BORDER_REFLECT_101
) -> NDArray[np.uint8]:
    """Cut a square out of a picture, filtered so that shrinking does not alias.

    What has to shrink is averaged down first, so that each pixel of the crop is about the mean of
    the picture's pixels below it; then one bicubic step places it. What shrinks a little is placed
    at twice the size and halved.

    Args:
        image: uint8 [H, W] or [H, W, C], any colour order.
        transform: [2, 3], crop -> picture pixels.
        size: side of the crop, pixels.
        border: OpenCV border mode for what lies outside the picture.

    Returns:
        uint8 [size, size] or [size, size, C].

    Raises:
        AlignmentError: the transform is singular or not finite.
    """
    matrix = np.array(transform, np.float64)
    scale = transform_scale(matrix) if np.isfinite(matrix).all() else 0.0
    if scale < 1e-6:
        raise AlignmentError("Expected an invertible crop transform, found a singular one.")
    # OpenCV averages whole blocks twenty times faster than fractions of pixels.
    factor = max(round(scale), 1)
    if factor > 1:
        image, matrix = _reduce(image, matrix, size, factor)
    if min(image.shape[:2]) < 2:  # OpenCV never ends reflecting a single row or column
        border = cv2.BORDER_REPLICATE
    oversampling = 2 if scale > 1.25 * factor else 1
    matrix[:, :2] /= oversampling
    kernel = cv2.INTER_CUBIC if oversampling == 1 else cv2.INTER_LINEAR
    crop = cv2.warpAffine(
        image,
        pixel_matrix(matrix),
        (size * oversampling, size * oversampling),
        flags=kernel | cv2.WARP_INVERSE_MAP,
        borderMode=border,
    )
    return shrink(crop.astype(np.uint8, copy=False), oversampling)


def _reduce(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, factor: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Shrink the part of the picture under the crop by averaging; ignore the rest."""
    limit = np.array([image.shape[1], image.shape[0]])
    corners = transform_points(np.array([[0, 0], [size, 0], [0, size], [size, size]]), matrix)
    margin = 2 * factor + 1
    room = np.maximum(limit - 4 * margin, 0)  # a crop beside the picture still sees its edge
    low = np.clip(np.floor(corners.min(0)).astype(int) - margin, 0, room)
    high = np.minimum(np.maximum(np.ceil(corners.max(0)) + margin, low + 4 * margin), limit)
    high = high.astype(int)
    shape = np.maximum((high - low) // factor, 1).astype(int)
    high = np.minimum(low + shape * factor, limit)
    region = image[low[1] : high[1], low[0] : high[0]]
    reduced = cv2.resize(region, (int(shape[0]), int(shape[1])), interpolation=cv2.INTER_AREA)
    matrix = (matrix - np.array([[0, 0, low[0]], [0, 0, low[1]]])) / ((high - low) / shape)[:, None]
    return reduced.astype(np.uint8, copy=False), matrix
