"""The eyes, drawn again from the landmarks: openness, iris colour, and the painted eye."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.training.artist.head import (
    BROW_BOTTOM,
    BROW_TOP,
    EYE,
    LOWER_LID,
    UPPER_LID,
    Head,
    aperture,
    eye_iris,
)
from engines.training.artist.imaging import (
    SUBPIXEL_BITS,
    Floats,
    Reals,
    lab_colour,
    mix,
    polygon,
    smoothstep,
    step,
)

SUPERSAMPLING = 3


def openness(landmarks: Reals) -> tuple[float, float]:
    """0 closed .. 1 open, per eye."""
    left, right = aperture(landmarks)
    return step(0.085, 0.15, left), step(0.085, 0.15, right)


def lash_strength(head: Head) -> float:
    """How visible lashes may be, 0.25..1, from proportions alone (a soft linear fit)."""
    flat = head.local(head.landmarks)
    thickness = np.mean(
        [
            abs(flat[top[2], 1] - flat[bottom[2], 1])
            for top, bottom in zip(BROW_TOP, BROW_BOTTOM, strict=True)
        ]
    )
    jaw = abs(flat[397, 0] - flat[172, 0]) / abs(flat[454, 0] - flat[234, 0])
    brow_height = np.mean(
        [flat[top + bottom, 1].mean() for top, bottom in zip(BROW_TOP, BROW_BOTTOM, strict=True)]
    )
    score = (
        0.444 * flat[152, 1] - 0.413 * flat[10, 1] + 1.616 * jaw - 0.562 * flat[4, 1]
        + 4.864 * abs(flat[358, 0] - flat[129, 0]) - 2.112 * abs(flat[291, 0] - flat[61, 0])
        + 0.814 * (flat[152, 1] - flat[2, 1]) - 4.751 * thickness + 1.631 * brow_height
        - 0.132 * np.mean(aperture(head.landmarks)) - 3.5
    )  # fmt: skip
    return 1 - 0.75 * step(-0.25, 0.15, float(score))


def iris_sample(lab: Floats, landmarks: Reals, eye: int, skin_light: float) -> tuple[Floats, float]:
    """Iris seen against the white of the same eye, which cancels the colour of the light.

    Returns:
        (lightness ratio to the white, a, b left after scaling out the white's tint), and the
        visible eye area in pixels.  Highlights are rejected.
    """
    size = lab.shape[0]
    centre, ring = eye_iris(landmarks, eye)
    radius = np.linalg.norm(landmarks[ring, :2] - landmarks[centre, :2], axis=1).mean()
    opening = polygon(size, landmarks[EYE[eye]])
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    distance = np.hypot(columns - landmarks[centre, 0], rows - landmarks[centre, 1]) / radius
    below_lid = rows > landmarks[centre, 1] - 0.35 * radius
    use = (distance > 0.42) & (distance < 0.88) & (opening > 0.6) & below_lid
    if use.sum() < 12:
        use = (distance < 0.9) & (opening > 0.4)
    inside = lab[opening > 0.6]
    if use.sum() < 6 or len(inside) < 12:
        return np.array([0.2, 2.0, 4.0], np.float32), 1e-3
    white = np.median(inside[inside[:, 0] >= np.percentile(inside[:, 0], 85)], 0)
    samples = lab[use]
    iris = np.median(samples[samples[:, 0] <= np.percentile(samples[:, 0], 75)], 0)
    ratio = iris[0] / max(float(white[0]), 0.5 * skin_light, 8.0)
    tint = iris[1:] - white[1:] * min(float(ratio), 1.0)
    return np.array([ratio, *tint], np.float32), float(opening.sum()) + 1e-3


def doubt_of_light_eyes(skin_light: float) -> float:
    """0..1, more the darker the skin, whose L* is `skin_light`."""
    return step(58, 44, skin_light)


@dataclass(frozen=True)
class IrisTones:
    """Clean iris colours, RGB [3]."""

    dark: Floats
    middle: Floats
    light: Floats


BROWN, HAZEL, GREEN, BLUE = (
    np.array(v) for v in ((0.56, 0.83), (0.05, 0.90), (-0.52, 0.85), (-0.40, -0.92))
)


def iris_tones(sample: Floats, exposure: float, colour: float, dark_hair: float) -> IrisTones:
    """Turn a sampled iris into three clean colours: brown unless it is clearly light and cool.

    Args:
        sample: (lightness ratio, a, b) of `iris_sample`.
        exposure: 0.6..1, key of the picture.
        colour: 0 for grey photos.
        dark_hair: 0..1, dark brows or skin, which ask for stronger evidence of light eyes.
    """
    ratio, a, b = (float(v) for v in sample)
    sure = max(step(-2.0, -4.0, a), step(-2.0, -4.0, b) * step(3.0, 0.0, a))
    bar = 0.23 + 0.08 * dark_hair * (1 - sure)
    not_red = max(step(3.0, 0.0, a), step(-4.0, -9.0, b))  # clear blue is a little red
    not_amber = max(step(7.0, 4.0, b), step(0.0, -2.5, a))
    cool = not_red * not_amber * step(bar, bar + 0.08, ratio)
    strength = float(np.clip(np.hypot(a, b) / 7, 0, 1))
    green = step(-1.0, 3.5, b) * step(2.5, -1.0, a)
    light_tone = float(np.clip((ratio - 0.22) / 0.36, 0.15, 1))
    dark_tone = float(np.clip((ratio - 0.20) / 0.50, 0, 0.7))
    lightness = (1 - cool) * (20 + 32 * dark_tone) + cool * (42 + 20 * light_tone)
    lightness *= 0.55 + 0.45 * exposure
    hazel = 0.9 * step(0.28, 0.46, ratio) * step(6.0, 2.5, a)
    ab = (1 - cool) * (BROWN + (HAZEL - BROWN) * hazel) * (17 + 12 * dark_tone)
    ab = (ab + cool * (BLUE + (GREEN - BLUE) * green) * (15 + 11 * strength)) * colour

    def tint(level: float, gain: float) -> Floats:
        return lab_colour(level, ab[0] * gain, ab[1] * gain)

    return IrisTones(
        tint(lightness * 0.42, 0.85), tint(lightness, 1.0), tint(min(lightness * 1.45, 86), 1.3)
    )


def spline(points: Reals, count: int = 6) -> Floats:
    """Catmull-Rom curve through an open polyline, `count` points per segment."""
    first, last = 2 * points[:1] - points[1:2], 2 * points[-1:] - points[-2:-1]
    p = np.concatenate([first, points, last])
    t = np.linspace(0, 1, count, endpoint=False)[:, None]
    pieces = []
    for i in range(1, len(p) - 2):
        a, b, c, d = p[i - 1 : i + 3]
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                   + (3 * b - a - 3 * c + d) * t**3)
        )  # fmt: skip
    return np.concatenate([*pieces, points[-1:]]).astype(np.float32)


@dataclass(frozen=True)
class EyePaint:
    """Everything both eyes share."""

    tones: IrisTones
    exposure: float  # 0.6..1
    lash: Floats  # RGB [3]
    skin_shadow: Floats  # RGB [3], the colour of the lid crease
    lashes: float
    iris_scale: float
    light_side: float  # -1 left .. 1 right
    colour: float  # 0 for grey photos
    unit: float  # eye distance in pixels


def _distance(shape: tuple[int, int], curve: Floats) -> Floats:
    """Distance in pixels to a curve."""
    canvas = np.full(shape, 255, np.uint8)
    corners = np.round(curve * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.polylines(canvas, [corners], False, 0, 1, cv2.LINE_8, SUBPIXEL_BITS)
    return cv2.distanceTransform(canvas, cv2.DIST_L2, 5)


def paint_eye(image: Floats, points: Floats, eye: int, open_: float, paint: EyePaint) -> Floats:
    """Draw one eye over a picture whose lashes are painted out: ball, iris, catchlights, lids."""
    size, factor = image.shape[0], SUPERSAMPLING
    upper, lower = points[UPPER_LID[eye], :2], points[LOWER_LID[eye], :2]
    centre_id, ring = eye_iris(points, eye)
    centre = points[centre_id, :2]
    width = float(np.linalg.norm(upper[0] - upper[-1]))
    height = float(np.linalg.norm(upper[4] - lower[4]))
    radius = float(np.linalg.norm(points[ring, :2] - centre, axis=1).mean()) * paint.iris_scale
    if open_ > 0.3:
        radius = float(np.clip(max(radius, 0.60 * height * open_), 0.255 * width, 0.335 * width))
    corner0 = np.floor(np.minimum(upper, lower).min(0) - 0.40 * width).astype(int)
    corner1 = np.ceil(np.maximum(upper, lower).max(0) + 0.40 * width).astype(int)
    (x0, y0), (x1, y1) = np.maximum(corner0, 0), np.minimum(corner1, size)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return image
    shape = ((y1 - y0) * factor, (x1 - x0) * factor)
    offset = np.array([x0, y0], np.float32)
    top, bottom = (spline(upper) - offset) * factor, (spline(lower) - offset) * factor
    opening = np.zeros(shape, np.uint8)
    outline = np.round(np.concatenate([top, bottom[::-1]]) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(opening, [outline], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    soft = cv2.GaussianBlur(opening, (0, 0), 0.5 * factor).astype(np.float32) / 255
    to_top, to_bottom = _distance(shape, top), _distance(shape, bottom)
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    tall, r = max(height, 0.12 * width) * factor, radius * factor
    dx = (columns - (centre[0] - x0) * factor) / r
    dy = (rows - (centre[1] - y0) * factor) / r
    ball = _ball(columns, rows, top, width * factor, dx, dy, paint)
    lid_shadow = 0.30 * np.exp(-((to_top / (0.24 * tall)) ** 2)) + 0.20 * np.exp(
        -((to_top / (0.07 * tall)) ** 2)
    )
    ball = ball * (1 - lid_shadow)[..., None]
    ball = _catchlights(ball, dx, dy, 1.6 / r, paint.exposure)
    region = cv2.resize(image[y0:y1, x0:x1], shape[::-1], interpolation=cv2.INTER_LINEAR)
    # Lid crease above the opening, in the skin's own shadow colour.
    axis = top[-1] - top[0]
    along = ((columns - top[0, 0]) * axis[0] + (rows - top[0, 1]) * axis[1]) / (axis @ axis)
    along = np.clip(along, -0.2, 1.2)
    u = paint.unit * factor
    outside = 1 - soft
    above = outside * (to_top < to_bottom)
    crease_at = u * (0.060 + 0.035 * open_)
    crease = np.exp(-(((to_top - crease_at) / (0.016 * u)) ** 2)) * above
    crease *= smoothstep(-0.12, 0.2, along) * smoothstep(1.12, 0.8, along) * (0.35 + 0.65 * open_)
    fold = np.exp(-((to_top / (0.075 * u)) ** 2)) * above * 0.16
    region = mix(region, paint.skin_shadow, np.clip(0.36 * crease + fold, 0, 1).astype(np.float32))
    region = mix(region, ball.astype(np.float32), soft * open_)
    # Lash lines, thicker towards the outer corner; the lower one is only a hint.
    outer = smoothstep(1.05, 0.25, along)
    thick = u * (0.009 + 0.013 * paint.lashes * outer) * (1 + 0.7 * (1 - open_))
    thick = thick * smoothstep(1.06, 0.90, along) * smoothstep(-0.10, 0.05, along)
    edge = 0.5 * factor
    lash = smoothstep(1, -1, (to_top - thick) / edge) * (thick > 0.3) * 0.90
    thin = u * 0.005 * smoothstep(0.95, 0.4, along) * smoothstep(-0.05, 0.1, along)
    hint = smoothstep(1, -1, (to_bottom - thin) / (edge * 1.4)) * (thin > 0.2)
    hint *= 0.20 + 0.16 * paint.lashes
    region = mix(region, paint.lash, np.maximum(lash, hint).astype(np.float32))
    result = image.copy()
    result[y0:y1, x0:x1] = cv2.resize(
        region.astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA
    )
    return result


def _ball(
    columns: Floats,
    rows: Floats,
    top: Floats,
    width: float,
    dx: Floats,
    dy: Floats,
    paint: EyePaint,
) -> Floats:
    """White of the eye, iris and pupil; dx, dy in iris radii."""
    rho = np.sqrt(dx * dx + dy * dy)
    edge = 2.0 * 1.6 / (width * 0.28)
    middle = (top[0] + top[-1]) / 2
    corner = np.clip(
        np.hypot(columns - middle[0], (rows - middle[1]) * 0.6) / (0.5 * width), 0, 1.2
    )
    white = np.array([0.975, 0.972, 0.968], np.float32) * np.float32(paint.exposure)
    ball = white * (1 - 0.16 * corner**2)[..., None]
    rosy = np.array([1.0, 0.91, 0.88], np.float32) if paint.colour > 0.3 else np.float32(1)
    ball = mix(ball, ball * rosy, smoothstep(0.78, 1.1, corner) * 0.8)
    ball = ball * (1 - 0.20 * smoothstep(1.22, 1.0, rho))[..., None]
    tones = paint.tones
    angle = np.arctan2(dy, dx)
    fibres = 0.5 * np.sin(angle * 23 + 2.1 * np.sin(angle * 5))
    fibres *= smoothstep(0.35, 0.6, rho) * smoothstep(1.0, 0.75, rho)
    glow = np.clip(0.55 + 0.60 * dy - 0.15 * dx * paint.light_side, 0, 1) * smoothstep(
        0.30, 0.60, rho
    )
    iris = mix(np.broadcast_to(tones.dark, ball.shape), tones.middle, smoothstep(-1.0, 0.05, dy))
    iris = mix(iris, tones.light, np.clip(glow * (0.78 + 0.30 * fibres), 0, 1).astype(np.float32))
    iris = iris * (1 - 0.62 * smoothstep(0.80, 1.0, rho))[..., None]
    iris = mix(iris, tones.dark * 0.3, smoothstep(0.54 + edge, 0.48 - edge, rho))
    iris = mix(iris, np.full(3, 0.025, np.float32), smoothstep(0.48 + edge, 0.48 - edge, rho))
    return mix(ball, iris, smoothstep(1.0 + edge, 1.0 - edge, rho))


def _catchlights(ball: Floats, dx: Floats, dy: Floats, pixel: float, exposure: float) -> Floats:
    """A large and a small highlight, on the same side in every face so that nothing flips."""
    large, small = np.hypot(dx + 0.34, dy + 0.36) / 0.25, np.hypot(dx - 0.38, dy - 0.42) / 0.15
    edge = pixel * 3
    white = np.array([1.0, 1.0, 0.99], np.float32) * max(exposure, 0.9)
    ball = mix(ball, white, smoothstep(1.0 + edge, 1.0 - edge, large) * 0.97)
    return mix(ball, np.ones(3, np.float32), smoothstep(1.3, 0.5, small) * 0.45)
