"""Toons without the room: neither the camera's nor the one that the engine drew about the head.

At a soft edge a pixel is a mixture. The camera's share is known and is taken out exactly. What the
engine drew is head and wall in one picture, of which only the head's share is known; the head's
own colour is estimated from pixels that are surely head or surely wall.
"""

from __future__ import annotations

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
NEAR = ((0.8, 1.0), (3, 1e-2), (12, 1e-4))  # reach in coarse pixels, and what it weighs


def with_alpha(output: Output) -> Image:
    """uint8 [H, W, 4] BGRA: the toons in their own colours; where there is none, black and clear.

    At a soft edge the colours are as exact as their weight is large: over any ground, the picture
    is right to a level.
    """
    if output.heads is None:
        colours, alpha = _without_camera(output), output.alpha
    else:
        colours, alpha = toons_alone(output)
        colours = as_uint8(cv2.bitwise_and(colours, colours, mask=alpha))
    return as_uint8(cv2.merge([*cv2.split(colours), alpha]))


def on_green(output: Output) -> Image:
    """uint8 [H, W, 3] BGR: the toons on the green that streaming software keys out."""
    if output.heads is None:
        alpha = output.alpha
        drawn = _share(output, as_uint8(cv2.merge([alpha] * 3)))
    else:
        colours, alpha = toons_alone(output)
        drawn = as_uint8(cv2.multiply(colours, cv2.merge([alpha] * 3), scale=1 / 255))
    green = np.zeros_like(output.image)
    green[:, :, 1] = 255 - alpha
    return as_uint8(cv2.add(drawn, green))


def toons_alone(output: Output) -> tuple[Image, Mask]:
    """The toons' colours uint8 [H, W, 3] BGR, continued where there is none, and their alpha."""
    colours = _without_camera(output)
    if output.heads is None:
        return continued(colours, as_uint8(cv2.inRange(output.alpha, *_between(EXACT, 255)))), (
            output.alpha
        )
    share = as_uint8(cv2.divide(output.heads, output.alpha, scale=255))
    return foreground(colours, share, output.alpha), output.heads


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
    soft = cv2.inRange(share, *_between(1, SURE - 1)) > 0
    a = share[soft][:, None].astype(np.float32) * np.float32(1 / 255)
    own, other = front[soft].astype(np.float32), back[soft].astype(np.float32)
    mixed = colours[soft].astype(np.float32)
    front[soft] = np.clip(own + a * (mixed - a * own - (1 - a) * other), 0, 255)
    return front


def continued(colours: Image, firm: Mask) -> Image:
    """Colours uint8 [H, W, 3] that go on smoothly where `firm` uint8 [H, W] is 0 and not 255.

    By normalised convolution (Knutsson and Westin 1993) on a coarse grid, near pixels first.
    """
    rows, columns = firm.shape
    small = (max(columns // COARSE, 1), max(rows // COARSE, 1))
    layer = cv2.merge([*cv2.split(cv2.bitwise_and(colours, cv2.merge([firm] * 3))), firm])
    known = cv2.resize(layer, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    total = np.full(known.shape, known.mean((0, 1)) * 1e-6, np.float32)
    for reach, weight in NEAR:
        total += np.float32(weight) * cv2.GaussianBlur(known, (0, 0), reach)
    filled = total[..., :3] / np.maximum(total[..., 3:], 1e-9) * 255
    coarse = np.clip(filled, 0, 255).astype(np.uint8)
    around = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return as_uint8(cv2.copyTo(colours, firm, around))


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
