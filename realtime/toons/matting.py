"""Toons without the room: neither the camera's nor the one that the engine drew about the head.

At a soft edge a pixel is a mixture. The camera's share is known and is taken out exactly. What the
engine drew is head and wall in one picture, of which only the head's share is known; the head's
own colour is estimated from pixels that are surely head or surely wall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.pictures import Image, Mask
from realtime.frame import as_uint8, fit
from realtime.guard import Output

COARSE = 8  # pixels of the picture to one of the smooth colours
SURE = 252  # share of 255 from which on a pixel counts as all head
WALL = 20  # up to which it counts as all wall
EXACT = 48  # alpha from which on a colour is exact once the camera's share is out
NEAR = ((0.8, 1.0), (3, 1e-2))  # reach in coarse pixels, and what it weighs
FAR = (12, 1e-4)  # the same once more


def with_alpha(output: Output) -> Image:
    """uint8 [H, W, 4] BGRA: the toons in their own colours; where there is none, black and clear.

    At a soft edge the colours are as exact as their weight is large: over any ground, the picture
    is right to a level.
    """

    def cut(toons: Output) -> Image:
        if toons.heads is None:
            colours, alpha = _without_camera(toons), toons.alpha
        else:
            colours, alpha = toons_alone(toons)
            colours = as_uint8(cv2.bitwise_and(colours, colours, mask=alpha))
        return as_uint8(cv2.merge([*cv2.split(colours), alpha]))

    return _where_toons_are(output, cut, np.zeros((*output.alpha.shape, 4), np.uint8))


def on_green(output: Output) -> Image:
    """uint8 [H, W, 3] BGR: the toons on the green that streaming software keys out."""

    def keyed(toons: Output) -> Image:
        if toons.heads is None:
            alpha = toons.alpha
            drawn = _share(toons, as_uint8(cv2.merge([alpha] * 3)))
        else:
            colours, alpha = toons_alone(toons)
            drawn = as_uint8(cv2.multiply(colours, cv2.merge([alpha] * 3), scale=1 / 255))
        none = np.zeros_like(alpha)
        return as_uint8(cv2.add(drawn, cv2.merge([none, cv2.bitwise_not(alpha), none])))

    none = np.zeros_like(output.alpha)
    green = as_uint8(cv2.merge([none, cv2.bitwise_not(none), none]))
    return _where_toons_are(output, keyed, green)


def part(output: Output, spot: tuple[slice, slice]) -> Output:
    """A part of a picture, rows and columns, with all that belongs to it."""
    under, heads = output.under, None
    if output.heads is not None:
        heads = partial(np.ascontiguousarray, output.heads()[spot])
    if under is not None:
        under = np.ascontiguousarray(fit(under, output.image.shape[1::-1])[spot])
    return replace(
        output,
        image=np.ascontiguousarray(output.image[spot]),
        alpha=np.ascontiguousarray(output.alpha[spot]),
        under=under,
        heads=heads,
    )


def toons_alone(output: Output) -> tuple[Image, Mask]:
    """The toons' colours uint8 [H, W, 3] BGR, continued where there is none, and their alpha."""
    colours = _without_camera(output)
    if output.heads is None:
        return continued(colours, as_uint8(cv2.inRange(output.alpha, *_between(EXACT, 255)))), (
            output.alpha
        )
    heads = output.heads()
    share = as_uint8(cv2.divide(heads, output.alpha, scale=255))
    return foreground(colours, share, output.alpha), heads


def foreground(colours: Image, share: Mask, known: Mask) -> Image:
    """The colours of what is in front, where it is mixed with what is behind it.

    The colours of both are continued from where only one of them is seen; the front's then gets
    the detail that this does not explain. After Forte and Pitie 2021, "Approximate Fast Foreground
    Colour Estimation".

    Args:
        colours: uint8 [H, W, 3], the mixture.
        share: uint8 [H, W], 255 where all is front.
        known: uint8 [H, W], 0 where `colours` says nothing.

    Returns:
        uint8 [H, W, 3], continued where nothing is front.
    """
    front = continued(colours, as_uint8(cv2.inRange(share, *_between(SURE, 255))))
    behind = cv2.inRange(share, *_between(0, WALL))
    seen = cv2.inRange(known, *_between(EXACT, 255))
    back = continued(colours, as_uint8(cv2.bitwise_and(behind, seen)))
    # Only the soft edge is worked on, a tenth of the pixels; all other colours stand.
    soft = np.flatnonzero(cv2.inRange(share, *_between(1, SURE - 1)) > 0)
    if not soft.size:
        return front
    own, detail, other = (
        picture.reshape(-1, 3).take(soft, axis=0).astype(np.float32)
        for picture in (front, colours, back)
    )
    a = np.repeat(share.take(soft) * np.float32(1 / 255), 3).reshape(-1, 3)
    detail -= other
    other -= own
    detail += a * other  # the mixture less a * own + (1 - a) * other
    mended = as_uint8(cv2.add(own, a * detail, dtype=cv2.CV_8U))
    pixel = np.dtype("V3")  # moved whole: four times as fast as three bytes
    np.put(front.view(pixel), soft, mended.view(pixel))
    return front


def continued(colours: Image, firm: Mask) -> Image:
    """Colours uint8 [H, W, 3] that go on smoothly where `firm` uint8 [H, W] is 0 and not 255.

    By normalised convolution (Knutsson and Westin 1993) on a coarse grid, near pixels first.
    """
    rows, columns = firm.shape
    small = (max(columns // COARSE, 1), max(rows // COARSE, 1))
    seen = as_uint8(cv2.bitwise_and(colours, colours, mask=firm))
    known = cv2.merge([_averaged(seen, small), _averaged(firm, small)]).astype(np.float32)
    total = np.array(cv2.mean(known), np.float32) * np.float32(1e-6)
    for reach, weight in NEAR:
        total = total + np.float32(weight) * _spread(known, reach)
    # What is carried on far is smooth, so half the grid is enough for it.
    half = cv2.resize(known, _halved(small), interpolation=cv2.INTER_AREA)
    reach, weight = FAR
    total += np.float32(weight) * cv2.resize(_spread(half, reach / 2), small)
    filled = total[..., :3] / np.maximum(total[..., 3:], 1e-9) * 255
    coarse = np.clip(filled, 0, 255).astype(np.uint8)
    around = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return as_uint8(cv2.copyTo(colours, firm, around))


def _spread(known: NDArray[Any], reach: float) -> NDArray[np.float32]:
    """Blurred as if all were 0 beyond the borders, so that a part is like the whole."""
    blurred = cv2.GaussianBlur(known, (0, 0), reach, borderType=cv2.BORDER_CONSTANT)
    return blurred.astype(np.float32, copy=False)


def _averaged(layer: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture uint8 [H, W] or [H, W, C] averaged down to `size` (width, height)."""
    rows, columns = layer.shape[:2]
    for step in (_halved((columns, rows)), size):  # OpenCV halves much faster than it quarters
        layer = as_uint8(cv2.resize(layer, step, interpolation=cv2.INTER_AREA))
    return layer


def _halved(size: tuple[int, int]) -> tuple[int, int]:
    return max(size[0] // 2, 1), max(size[1] // 2, 1)


def _where_toons_are(output: Output, draw: Callable[[Output], Image], ground: Image) -> Image:
    """`ground` with what is drawn of the part of a picture that has toons in it."""
    left, top, width, height = cv2.boundingRect(output.alpha)
    if not width:
        return ground
    # By whole coarse pixels, so that the colours are those of the whole picture.
    right, bottom = left + width + -(left + width) % COARSE, top + height + -(top + height) % COARSE
    left, top = left - left % COARSE, top - top % COARSE
    spot = np.s_[top:bottom, left:right]
    ground[spot] = draw(part(output, spot))
    return ground


def _between(low: int, high: int) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    return np.array([low]), np.array([high])


def _without_camera(output: Output) -> Image:
    """The toons' colours; 0 where nothing is toon."""
    weights = as_uint8(cv2.merge([output.alpha] * 3))
    return as_uint8(cv2.divide(_share(output, weights), weights, scale=255))


def _share(output: Output, weights: Image) -> Image:
    """What the toons add to the picture, their colours times uint8 [H, W, 3] `weights`.

    The room's share is taken out again, in the arithmetic of `compositing.paste`, which needs the
    frame under the toons. Where that is not known, what shows of the room at a soft edge counts as
    toon.
    """
    if output.under is not None:
        under = fit(output.under, output.image.shape[1::-1])
        room = cv2.multiply(under, 255 - weights, scale=1 / 255)
        return as_uint8(cv2.subtract(output.image, room))
    return as_uint8(cv2.multiply(output.image, weights, scale=1 / 255))
