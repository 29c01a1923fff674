"""A painted eye: ball, iris, catchlights and lids, from the places of lids and iris."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.eyes.ball import (
    HALO,
    LIGHT,
    add_catchlights,
    lay,
    lid_above,
    paint_iris,
    white_of,
)
from engines.faces.eyes.paint import EyePaint
from engines.faces.eyes.shape import CREASE_MARGIN, MARGIN, EyeShape, between, spline
from engines.faces.pixels import SUBPIXEL_BITS, Floats, mix, smoothstep, step

SUPERSAMPLING = 3
IRIS_SCALE = 1.20  # how much larger the iris is inside the enlarged eye
LOW_SHADE = 0.22  # of the ball, where the lower lid touches it
RIM = 0.6  # of the lower lid's wet edge
SOCKET = 0.17  # of the shade on the skin about the eye
RED_THROUGH_SKIN = (0.75, 1.0, 1.1)  # how much of that shade red, green and blue get
UNDER, HIGHEST = 0.26, 0.40
"""How far an iris at rest lies below its lid, and how far it is moved for that at most; radii."""
ROUND = (0.33, 0.46)  # height of an eye in its widths: a slit has neither .. both in full


def distance_to(size: tuple[int, int], curve: Floats, finer: int) -> Floats:
    """Distance to a curve [N, 2] in pixels, as it is at `finer` times the resolution: float32 of a
    picture of `size` (height, width)."""
    canvas = np.full((size[0] * finer, size[1] * finer), 255, np.uint8)
    fine = curve * finer + (finer - 1) / 2  # the same places between finer pixels
    corners = np.round(fine * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.polylines(canvas, [corners], False, 0, 1, cv2.LINE_8, SUBPIXEL_BITS)
    distance = cv2.distanceTransform(canvas, cv2.DIST_L2, 5)
    if finer == 1:
        return distance
    return cv2.resize(distance, size[::-1], interpolation=cv2.INTER_AREA) / np.float32(finer)


def along_lid(curve: Floats, rows: Floats, columns: Floats) -> Floats:
    """How far along a lid's curve [N, 2] places are: 0 at its outer corner .. 1 at its inner one,
    and a fifth beyond both."""
    axis = curve[-1] - curve[0]
    along = (columns - curve[0, 0]) * axis[0] + (rows - curve[0, 1]) * axis[1]
    return np.clip(along / (axis @ axis), -0.2, 1.2)


def paint_eye(
    image: Floats, shape: EyeShape, paint: EyePaint, factor: int = SUPERSAMPLING
) -> Floats:
    """Draw one eye over a picture whose lashes are painted out: ball, iris, catchlights, lids.

    Args:
        image: float32 [H, W, 3] RGB in 0..1.
        shape: where.
        paint: colours.
        factor: it is painted at so many times the picture's resolution.
    """
    open_, width, height = shape.open, shape.width, shape.height
    radius = shape.radius * paint.iris_scale
    front = width / shape.squash
    tall, least, most = paint.filled * np.array(
        [0.60 * height * open_, 0.255 * front, 0.335 * front]
    )
    wide = float(np.clip(max(radius, tall), least, most))
    radius += step(0.2, 0.5, open_) * (wide - radius)
    shape = _tucked(shape, radius, paint.tucked)
    box = shape.box_in(image.shape, CREASE_MARGIN if paint.crease else MARGIN)
    if box is None:
        return image
    patch = image[box]
    size = (patch.shape[0] * factor, patch.shape[1] * factor)
    origin = np.array([box[1].start, box[0].start], np.float32)
    top, bottom, centre = (
        (curve - origin) * factor
        for curve in (spline(shape.upper), spline(shape.lower), shape.centre)
    )
    soft = cv2.GaussianBlur(between(top, bottom, size), (0, 0), 0.5 * factor)
    finer = 2 if factor == 1 else 1
    to_top = distance_to(size, top, finer)
    to_bottom = distance_to(size, bottom, finer)
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    tall, r = max(height, 0.12 * width) * factor, radius * factor
    cos, sin = shape.right  # the lights stay upright with the face
    middle = (top[0] + top[-1]) / 2
    aside, down = columns - middle[0], rows - middle[1]
    corner = np.hypot(aside * cos + down * sin, 0.6 * (down * cos - aside * sin))
    corner = np.clip(corner / (0.5 * width * factor), 0, 1.2)
    ball = white_of(corner, paint)
    low = np.clip(np.floor(centre - HALO * r), 0, size[::-1]).astype(int)
    high = np.clip(np.ceil(centre + HALO * r) + 1, 0, size[::-1]).astype(int)
    near = slice(low[1], high[1]), slice(low[0], high[0])  # the only place where the iris counts
    about = ball[:, near[0], near[1]]
    aside, down = columns[near] - centre[0], rows[near] - centre[1]
    dx, dy = (aside * cos + down * sin) / (shape.squash * r), (down * cos - aside * sin) / r
    paint_iris(about, dx, dy, factor / r, paint)
    ball *= (
        1
        - 0.42 * np.exp(-((to_top / (0.32 * tall)) ** 2))
        - 0.20 * np.exp(-((to_top / (0.07 * tall)) ** 2))
    )
    ball *= 1 - LOW_SHADE * paint.shade * np.exp(-((to_bottom / (0.10 * tall)) ** 2))
    above = lid_above((top - centre) / r, shape, LIGHT[0] * shape.squash)
    add_catchlights(about, shape.squash * dx, dy, factor / r, paint.exposure, above, shape.squash)
    opened = step(*ROUND, shape.roundness)
    rim = np.exp(-((to_bottom / max(0.05 * tall, 0.8 * factor)) ** 2))
    lay(ball, np.clip(1.18 * paint.skin_shadow + (0.06, 0, 0), 0, 1), RIM * opened * rim)
    ball = mix(ball, np.ones(1, np.float32), paint.haze)
    region = cv2.resize(patch, size[::-1], interpolation=cv2.INTER_LINEAR)
    along = along_lid(top, rows, columns)
    u = paint.unit * factor
    if paint.crease:
        lid = paint.crease * _lid(to_top, (1 - soft) * (to_top < to_bottom), along, u, open_)
        region = mix(region, paint.skin_shadow, lid)
    beside = np.minimum(to_top, to_bottom) / (0.085 * width * factor)  # none where the box ends
    socket = np.maximum(np.exp(-(beside**2)) - 0.06, 0) * (1 - soft)
    socket = socket * np.float32(SOCKET * paint.socket * opened)
    region = region * (1 - socket[..., None] * np.array(RED_THROUGH_SKIN, np.float32))
    solid = step(0.0, 0.25, open_)  # one that faded all the way would be grey
    region = mix(region, cv2.merge(list(ball)), soft * np.float32(solid))
    # Lash lines, thicker towards the outer corner; the lower one is only a hint.
    outer = smoothstep(1.05, 0.25, along)
    thick = u * (0.009 + 0.013 * paint.lashes * outer) * (1 + 0.7 * (1 - open_))
    thick = thick * smoothstep(1.06, 0.90, along) * smoothstep(-0.10, 0.05, along)
    thick = thick * (1 - 0.45 * smoothstep(0.45, 0.95, along))  # thins towards the nose
    edge = 0.5 * factor
    thin = smoothstep(0.15, 0.80, thick)  # a line thinner than a pixel covers only part of it
    lash = smoothstep(1, -1, (to_top - thick) / edge) * thin * np.float32(0.90)
    lower = u * 0.005 * paint.lined * smoothstep(0.95, 0.4, along) * smoothstep(-0.05, 0.1, along)
    hint = smoothstep(1, -1, (to_bottom - lower) / (edge * 1.4)) * (lower > 0.2)
    lash = np.maximum(lash, hint * ((0.20 + 0.16 * paint.lashes) * paint.lined)).astype(np.float32)
    region = mix(region, mix(paint.lash, np.ones(3, np.float32), paint.haze), lash)
    result = image.copy()
    result[box] = cv2.resize(
        region.astype(np.float32), patch.shape[1::-1], interpolation=cv2.INTER_AREA
    )
    return result


def _tucked(shape: EyeShape, radius: float, share: float) -> EyeShape:
    """An eye whose iris is a `share` of the way nearer to lying below its upper lid a little, as in
    one that is at rest: an iris that is free all round stares."""
    lid = lid_above((spline(shape.upper) - shape.centre) / max(radius, 1e-6), shape, 0.0)
    up = share * radius * min(max(UNDER - 1 - lid, 0.0), HIGHEST)
    return shape.moved_iris(-up * np.array([-shape.right[1], shape.right[0]], np.float32))


def _lid(to_top: Floats, above: Floats, along: Floats, unit: float, open_: float) -> Floats:
    """Shadow 0..1 of the upper lid's crease and fold, in the skin's own shadow colour."""
    crease_at = unit * (0.064 + 0.036 * open_)
    crease = np.exp(-(((to_top - crease_at) / (0.018 * unit)) ** 2)) * above
    crease *= smoothstep(-0.12, 0.2, along) * smoothstep(1.12, 0.8, along) * (0.35 + 0.65 * open_)
    fold = np.exp(-((to_top / (0.075 * unit)) ** 2)) * above * 0.20
    return np.clip(0.46 * crease + fold, 0, 1).astype(np.float32)
