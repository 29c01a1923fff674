"""Which pixels of an aligned portrait are hair, beard, skin, headwear, spectacles or an object.

A small network (`segment_network`, 0.35 million parameters) looks at the portrait at 256 px;
models of this face's own colours correct it (`segment_colours`), and a guided filter brings the
masks to the picture's own edges. The network was trained from random weights by `train_segment` on
portraits of SFHQ-T2I (MIT), SFHQ (MIT) and official portraits of the US Congress (public domain),
on label maps made with colour models and strokes, each accepted by eye.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW, EYE_OUTLINE
from engines.faces.head import FACE_OVAL, LIPS
from engines.training.artist3d.segment_colours import refine

if TYPE_CHECKING:
    from engines.training.artist3d.segment_network import PartsNetwork

Image: TypeAlias = NDArray[Any]  # uint8 [H, W, 3] RGB
FloatMask: TypeAlias = NDArray[Any]  # float32
Points: TypeAlias = NDArray[Any]  # any real numbers

PARTS = ("other", "skin", "hair", "beard", "headwear", "spectacles", "object")  # in this order
WEIGHTS = Path(__file__).parent / "assets" / "parts.safetensors"
SIDE = 256  # the network's own picture
CERTAINTY = 2.0  # power of the network's probabilities: its doubt is wider than hair is soft
EDGE_RADIUS, EDGE_SMOOTHNESS = 3, 1e-4  # of the guided filter at SIDE

HAT_SHARE = 0.35  # of hair and headwear above the brows, below which there is no headwear
BEARD_BALANCE = 0.3  # of a beard's smaller half to its larger one, below which it is a shadow
FRONTAL = 0.5  # least ratio of the face's halves, seen from the nose, of a face from the front
BROWS = -0.45  # their height in eye distances from the eyes

# Indices into MediaPipe's 478 face landmarks.
_FOREHEAD, _CHIN, _NOSE_TIP, _SIDES = 10, 152, 4, (234, 454)


@dataclass(frozen=True)
class FaceParts:
    """Soft masks of one portrait: float32 [S, S] in 0..1, which sum to 1 at every pixel.

    Attributes:
        skin: face with eyes, brows and lips, ears, neck.
        hair: hair of the head.
        beard: beard and moustache.
        headwear: hat, cap, scarf over the hair, hood.
        spectacles: frames, and lenses that hide the eyes.
        object: a hand or a thing in front of the head, headphones.
        other: clothes and background.
    """

    skin: FloatMask
    hair: FloatMask
    beard: FloatMask
    headwear: FloatMask
    spectacles: FloatMask
    object: FloatMask
    other: FloatMask


def _filled(side: int, points: Points) -> NDArray[np.uint8]:
    mask: NDArray[np.uint8] = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(points[:, :2]).astype(np.int32)], 255)
    return mask


def landmark_maps(landmarks: Points, side: int = SIDE) -> NDArray[np.float32]:
    """Where the face is, as the network is told it.

    Args:
        landmarks: [478, 3] MediaPipe face landmarks in pixels of a picture of ``side`` x ``side``.
        side: that picture's side.

    Returns:
        float32 [5, side, side]: place across and down the face in eye distances, halved; signed
        distance to the face oval, -1 (outside) to 1; eyes and brows; lips.
    """
    points = landmarks.astype(np.float64)
    left, right = (points[ids].mean(0) for ids in EYE_OUTLINE)
    unit = float(np.linalg.norm(right - left))
    down = points[_CHIN, :2] - points[_FOREHEAD, :2]
    down /= np.linalg.norm(down)
    origin = (left + right)[:2] / 2
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    x, y = columns - np.float32(origin[0]), rows - np.float32(origin[1])
    dx, dy = (down / (2 * unit)).astype(np.float32)
    oval = _filled(side, points[FACE_OVAL])
    inside = cv2.distanceTransform(oval, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(255 - oval, cv2.DIST_L2, 3)
    eyes = np.maximum.reduce([_filled(side, points[ids]) for ids in (*EYE_OUTLINE, *BROW)])
    maps = [
        np.clip(x * dy - y * dx, -2, 2),
        np.clip(x * dx + y * dy, -2, 2),
        np.tanh((inside - outside) / np.float32(0.3 * unit)),
        eyes.astype(np.float32) / 255,
        _filled(side, points[LIPS]).astype(np.float32) / 255,
    ]
    return np.stack(maps).astype(np.float32)


def network_input(rgb: Image, landmarks: Points, person: FloatMask | None) -> FloatMask:
    """Float32 [9, side, side] of a square picture: RGB and person in -1..1, `landmark_maps`.

    ``person``: [side, side] in 0..1; None is written as 0, "not known".
    """
    side = rgb.shape[0]
    colour = np.moveaxis(rgb.astype(np.float32) / 127.5 - 1, -1, 0)
    known = np.zeros((1, side, side), np.float32)
    if person is not None:
        known[0] = person * 2 - 1
    return np.concatenate([colour, known, landmark_maps(landmarks, side)]).astype(np.float32)


@lru_cache(maxsize=1)
def _network() -> PartsNetwork:
    from safetensors.torch import load_file

    from engines.training.artist3d.segment_network import PartsNetwork

    network = PartsNetwork()
    state = {name: value.float() for name, value in load_file(WEIGHTS).items()}
    network.load_state_dict(state, strict=False)  # the file holds no counters of batches
    return network.eval()


def probabilities(rgb: Image, landmarks: Points, person: FloatMask | None) -> FloatMask:
    """What the network itself says: float32 [7, SIDE, SIDE] in the order of PARTS.

    Args:
        rgb: uint8 [SIDE, SIDE, 3].
        landmarks: [478, 3] in pixels of that picture.
        person: float32 [SIDE, SIDE] in 0..1, or None.
    """
    import torch

    inputs = torch.from_numpy(network_input(rgb, landmarks, person))[None]
    with torch.inference_mode():
        logits = _network()(inputs.contiguous(memory_format=torch.channels_last))
        return np.asarray((CERTAINTY * logits).softmax(1)[0].numpy(), np.float32)


def _without_patches(masks: FloatMask, place: FloatMask, frontal: bool) -> FloatMask:
    """Give parts that cannot be so small to what they lie on.

    A hat covers most of a head, so a patch of headwear is hair; a beard on one half of a
    ``frontal`` face is a shadow on skin.
    """
    skin, hair, beard, headwear = (PARTS.index(n) for n in ("skin", "hair", "beard", "headwear"))
    above = place[1] < BROWS
    hats, hairs = (float(masks[part][above].sum()) for part in (headwear, hair))
    halves = [float((masks[beard] * (place[0] * side > 0)).sum()) for side in (-1, 1)]
    masks = masks.copy()
    if hats < HAT_SHARE * (hats + hairs):
        masks[hair] += masks[headwear]
        masks[headwear] = 0
    if frontal and min(halves) < BEARD_BALANCE * max(halves):
        masks[skin] += masks[beard]
        masks[beard] = 0
    return masks


def _follow_edges(small: Image, picture: Image, masks: FloatMask) -> NDArray[np.float32]:
    """Masks [C, s, s] of a small picture brought to the full one's size and edges: [C, S, S].

    Fast guided filter with a colour guide (He and Sun, "Fast Guided Filter", 2015).
    """
    window = (2 * EDGE_RADIUS + 1,) * 2

    def mean(image: FloatMask) -> FloatMask:
        return cv2.blur(image, window, borderType=cv2.BORDER_REFLECT)

    guide = small.astype(np.float32) / 255
    centre = mean(guide)
    first, second = [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]
    products = mean(np.ascontiguousarray(guide[..., first] * guide[..., second]))
    products -= centre[..., first] * centre[..., second]
    covariance = products[..., [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(*guide.shape[:2], 3, 3)
    inverse = np.linalg.inv(covariance + np.eye(3, dtype=np.float32) * EDGE_SMOOTHNESS)
    full = picture.astype(np.float32) / 255
    side = picture.shape[:2][::-1]
    out = []
    for mask in masks:
        average = mean(mask)
        cross = mean(guide * mask[..., None]) - centre * average[..., None]
        slope = np.einsum("hwij,hwj->hwi", inverse, cross)
        offset = average - (slope * centre).sum(-1)
        plane = mean(np.dstack([slope, offset]).astype(np.float32))
        plane = cv2.resize(plane, side, interpolation=cv2.INTER_LINEAR)
        out.append((plane[..., :3] * full).sum(-1) + plane[..., 3])
    return np.stack(out).astype(np.float32)


def segment(rgb: Image, landmarks: Points, person: FloatMask | None = None) -> FaceParts:
    """Segment one aligned portrait; about 0.16 s on one core.

    Args:
        rgb: uint8 [S, S, 3], the portrait as `engines.faces.alignment` cuts it, at best 512 px.
        landmarks: [478, 3] MediaPipe face landmarks in pixels of ``rgb``.
        person: float32 [S, S] in 0..1, as `engines.faces.person.PersonSegmenter` gives it; helps
            to tell hair and hats from the background, and may be left out.

    Returns:
        Masks of the portrait's own size.
    """
    size = rgb.shape[0]
    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    points = np.asarray(landmarks, np.float64) * (SIDE / size)
    if person is not None:
        person = cv2.resize(person, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    place = 2 * landmark_maps(points, SIDE)[:2]
    left, right = (abs(points[side, 0] - points[_NOSE_TIP, 0]) for side in _SIDES)
    frontal = min(left, right) > FRONTAL * max(left, right)
    coarse = _without_patches(probabilities(small, points, person), place, frontal)
    coarse = refine(small, place, coarse)
    fine = np.clip(_follow_edges(small, rgb, coarse), 0, 1)
    fine /= np.maximum(fine.sum(0), 1e-6)
    other, skin, hair, beard, headwear, spectacles, thing = fine
    return FaceParts(skin, hair, beard, headwear, spectacles, thing, other)
