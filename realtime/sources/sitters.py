"""Who sits before the demo's camera: two people cut out of portraits, in layers that move.

The host is a synthetic person (made with Stable Diffusion 3) out of the portraits of faker-js:
male/512/90.jpg of https://github.com/faker-js/assets-person-portrait, commit
63aef57b5a839aebe3ad913ec7c76469aabbb6c5, dedicated to the public domain (CC0 1.0).
`assets/NOTICE` says what was changed in it.

The guest is Grace Hopper in her official portrait (United States Navy, public domain), which
matplotlib ships as sample data, cut out along an outline traced by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from engines.pictures import Image, Mask, PictureError, read_picture
from realtime.frame import as_uint8
from realtime.sources import SourceError

HOST = Path(__file__).parent / "assets" / "sitter.webp"

# Pixels of the host's picture (1024 x 984): the head down to the jaw, the skin of the neck, which
# goes on behind the jaw, and the body with it.
HOST_HEAD = """
300,0 710,0 710,356 640,357 636,362 635,385 632,410 627,429 619,446 605,467 591,485 576,501 561,511
546,519 530,526 510,528 490,523 470,515 455,505 444,495 430,482 414,465 401,447 388,423 380,400
376,366 371,362 300,356
"""
HOST_THROAT = """
440,375 424,405 414,438 411,465 413,500 414,520 416,540 422,560 434,585 596,575 608,555 616,530
618,500 619,465 616,438 606,405 590,375
"""
HOST_BODY = """
440,375 424,405 414,438 410,465 404,470 300,470 0,500 0,1100 1024,1100 1024,500 700,460 623,452
620,460 617,438 606,405 590,375
"""

# The same in portrait pixels (512 x 600), after the whole guest, clockwise from the cap.
GUEST = """
218,32 212,43 196,50 181,64 176,74 175,83 156,101 149,102 145,106 147,170 152,186 152,206 158,236
165,262 166,276 176,290 187,294 198,299 205,305 204,312 196,318 183,333 162,345 132,354 120,360
97,363 81,368 60,380 52,382 46,389 38,410 27,425 27,459 19,526 14,570 13,600 12,680 560,680 545,560
528,482 518,462 509,442 502,424 498,408 493,395 490,391 466,378 420,365 363,341 337,321 332,311
341,302 352,289 359,264 367,240 374,214 376,190 369,184 371,134 369,129 369,103 365,90 351,83 347,70
335,56 315,45 299,41 294,35 277,26 249,23
"""
GUEST_HEAD = """
120,0 400,0 400,280 365,285 352,302 338,306 331,306 326,312 318,320 308,328 294,336 280,340 266,341
250,339 236,335 222,329 212,321 206,312 203,303 195,298 185,296 120,290
"""
GUEST_THROAT = """
207,314 208,325 209,345 213,358 225,376 241,394 258,400 274,396 294,378 311,356 325,338 328,325
328,314
"""
GUEST_BODY = """
206,306 203,312 190,325 -100,325 -100,700 700,700 700,320 350,320 334,312 329,306
"""
MARGIN = 60  # pixels by which the guest's portrait is continued so that no edge shows


@dataclass(frozen=True, eq=False)
class Sitter:
    """A person whose head can be moved on the neck; lengths and places in pixels of `picture`.

    Attributes:
        picture: uint8 [H, W, 3] BGR.
        person: where the person is, uint8 [H, W], soft at the edge; so are the next three.
        head: where the head is, down to the jaw.
        body: where the body is, with the part of the neck that the jaw hides.
        throat: where the skin of the neck is, with the same part.
        neck: (x, y) about which the head tilts, below the chin.
        nose: (x, y) about which it turns and nods.
        face_height: forehead to chin.
    """

    picture: Image
    person: Mask
    head: Mask
    body: Mask
    throat: Mask
    neck: tuple[float, float]
    nose: tuple[float, float]
    face_height: float

    def layers(self, scale: float) -> tuple[Image, Image]:
        """Body and head, uint8 [h, w, 4] BGRA with colours multiplied by alpha.

        Args:
            scale: how large they are at most, as a share of the picture; 1 and more leaves them as
                large as it is. Fine hair would flicker in layers much larger than what is drawn.
        """
        return _layer(self._bare_neck(), self.body, scale), _layer(self.picture, self.head, scale)

    def _bare_neck(self) -> Image:
        """The picture with skin of the neck where the jaw was."""
        skin = self.throat > 127
        rows, columns = (np.flatnonzero(skin.any(axis)) for axis in (1, 0))
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        reach = 2 * round(self.face_height / 70) + 1
        under = cv2.dilate(self.head, np.ones((reach, reach), np.uint8))[part] > 8
        unknown = under | ~skin[part] | (self.person[part] < 250)
        bare = self.picture.copy()
        painted = cv2.inpaint(bare[part], unknown.astype(np.uint8), 7, cv2.INPAINT_TELEA)
        bare[part] = np.where(under[:, :, None], painted, bare[part])
        return bare


def host() -> Sitter:
    """The main person.

    Raises:
        SourceError: their picture is missing or damaged.
    """
    try:
        found = read_picture(HOST)
    except PictureError as error:
        raise SourceError(
            f"The demo needs its picture of a person, which cannot be used: {error} Reinstall "
            "the package."
        ) from error
    if found.alpha is None:
        raise SourceError(f"The demo's person in {HOST} is not cut out; reinstall the package.")
    head = _outline(HOST_HEAD, found.alpha.shape, 2.5)
    body = _outline(HOST_BODY, found.alpha.shape, 2.0)
    return Sitter(
        found.bgr,
        found.alpha,
        head=_both(found.alpha, head),
        body=_both(found.alpha, body),
        throat=_outline(HOST_THROAT, found.alpha.shape, 1.0),
        neck=(506.0, 530.0),
        nose=(498.0, 351.0),
        face_height=348.0,
    )


def guest() -> Sitter:
    """The person who looks in, farther from the light.

    Raises:
        SourceError: matplotlib lacks her portrait.
    """
    picture = cv2.copyMakeBorder(portrait(), 0, MARGIN, MARGIN, MARGIN, cv2.BORDER_REFLECT_101)
    shape = picture.shape[:2]
    # Doubling the ramp pulls the edge inwards: nothing of the portrait's own backdrop remains.
    soft = _outline(GUEST, shape, 1.5, MARGIN)
    person = as_uint8(cv2.addWeighted(soft, 2.0, soft, 0.0, -255.0))
    return Sitter(
        as_uint8(cv2.convertScaleAbs(picture, alpha=0.9)),
        person,
        head=_both(person, _outline(GUEST_HEAD, shape, 2.5, MARGIN)),
        body=_both(person, _outline(GUEST_BODY, shape, 1.0, MARGIN)),
        throat=_outline(GUEST_THROAT, shape, 1.0, MARGIN),
        neck=(268.0 + MARGIN, 345.0),
        nose=(268.0 + MARGIN, 235.0),
        face_height=202.0,
    )


def portrait() -> Image:
    """The guest's whole portrait, uint8 [600, 512, 3] BGR.

    Raises:
        SourceError: matplotlib lacks it.
    """
    spec = find_spec("matplotlib")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    path = folder / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    image = cv2.imread(str(path)) if path.is_file() else None
    if image is None:
        raise SourceError(
            "The demo needs matplotlib's sample portrait grace_hopper.jpg, which is not there; "
            "`pip install --force-reinstall matplotlib` brings it back."
        )
    return as_uint8(image)


def _outline(points: str, shape: tuple[int, ...], feather: float, right: int = 0) -> Mask:
    """A soft mask uint8 [H, W] of an outline, moved to the right by so many pixels."""
    corners = np.array([pair.split(",") for pair in points.split()], int)
    corners[:, 0] += right
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [corners.astype(np.int32)], 255)
    return as_uint8(cv2.GaussianBlur(mask, (0, 0), feather))


def _both(one: Mask, other: Mask) -> Mask:
    return as_uint8(cv2.multiply(one, other, scale=1 / 255))


def _layer(picture: Image, mask: Mask, scale: float) -> Image:
    colour = cv2.multiply(picture, cv2.merge([mask] * 3), scale=1 / 255)
    layer = cv2.merge([*cv2.split(colour), mask])
    if scale < 1:
        layer = cv2.resize(layer, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return as_uint8(layer)
