"""A painted eye: ball, iris, catchlights and lids, from the places of lids and iris."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from engines.faces.eyes.iris import IrisTones, doubt_of_light_eyes, iris_tones
from engines.faces.eyes.shape import CREASE_MARGIN, MARGIN, EyeShape, between, spline
from engines.faces.film_print import printed
from engines.faces.pixels import SUBPIXEL_BITS, Floats, Reals, lab_colour, mix, smoothstep, step

SUPERSAMPLING = 3
HALO = 1.22  # radii of the iris to which its shade reaches
WHITE = (0.935, 0.915, 0.90)  # of the eye, RGB
ROSY = (0.02, 0.17, 0.18)  # of it that is lost in its corners
IRIS_SCALE = 1.20  # how much larger the iris is inside the enlarged eye
LOW_SHADE = 0.22  # of the ball, where the lower lid touches it
RIM = 0.6  # of the lower lid's wet edge
SOCKET = 0.17  # of the shade on the skin about the eye
RED_THROUGH_SKIN = (0.75, 1.0, 1.1)  # how much of that shade red, green and blue get
LIGHT, LARGE = (-0.30, -0.31), 0.21  # the large light's place and radius, in the iris's radii
BELOW_LID = 0.15  # how far below the lid it stays, in them
UNDER, HIGHEST = 0.18, 0.30
"""How far an iris at rest lies below its lid, and how far it is moved for that at most; radii."""
ROUND = (0.33, 0.46)  # height of an eye in its widths: a slit has neither .. both in full


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
    crease: float = 1.0  # share of the lid's crease and fold that is drawn
    haze: float = 0.0  # light of black, 0..1: a milky picture has none that is darker
    socket: float = 0.0  # share of the shade on the skin about the eye that is drawn
    filled: float = 1.0  # how much of an opening its iris fills, in shares of the artist's
    lid_shade: float = 1.0  # of the upper lid's shade on the ball
    tucked: float = 0.0  # share of the way that a free iris goes to lie a little below its lid

    @classmethod
    def mixed(
        cls,
        iris: Reals,
        *,
        light: float,
        skin: Reals,
        photo_skin: float,
        photo_brow: float,
        contrast: float,
        scene: float,
        vivid: float = 1.0,
        **rest: float,
    ) -> EyePaint:
        """The paint that fits a face.

        Args:
            iris: sample of `engines.faces.eyes.iris.iris_sample`.
            light: of the toon's skin, 0..1.
            skin: a, b of the colour of the toon's skin.
            photo_skin: L* of the photo's.
            photo_brow: light of the darkest of its brows, 0..1.
            contrast: that over the light of lit skin: dark brows ask for stronger evidence of
                light eyes.
            scene: light of the picture's lightest parts, 0..1 (see `scene_light`): nothing shines
                in a dim room.
            vivid: share of their chroma that light irises get.
            rest: other fields.
        """
        exposure = float(np.clip(0.62 + 0.62 * light, 0.74, 1.0))
        exposure *= 0.72 + 0.28 * step(0.45, 0.82, scene)
        doubt = max(doubt_of_light_eyes(photo_skin), 0.8 * step(0.30, 0.16, contrast))
        colour = rest["colour"]
        return cls(
            tones=iris_tones(iris, exposure, colour, doubt, vivid),
            exposure=exposure,
            lash=lab_colour(float(np.clip(photo_brow * 70, 9, 28)), 9 * colour, 10 * colour),
            skin_shadow=lab_colour(
                light * 66, float(skin[0]) + 5 * colour, float(skin[1]) + 2 * colour
            ),
            **rest,
        )

    def printed(self, middle: float) -> EyePaint:
        """Iris and lashes as in a film print (`engines.faces.film_print`) of skin whose light is
        `middle`, 0..1; the white and the lights stay."""

        def colour(rgb: Floats) -> Floats:
            return printed(rgb[None, None], middle)[0, 0]

        tones = IrisTones(*map(colour, (self.tones.dark, self.tones.middle, self.tones.light)))
        return replace(self, tones=tones, lash=colour(self.lash))


def scene_light(lightness: Reals) -> float:
    """Light of a picture's lightest parts, 0..1, from the L* of its pixels."""
    return float(np.percentile(lightness, 95)) / 100


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
    tall, least, most = paint.filled * np.array(
        [0.60 * height * open_, 0.255 * width, 0.335 * width]
    )
    wide = float(np.clip(max(radius, tall), least, most))
    radius += step(0.2, 0.5, open_) * (wide - radius)
    shape = _tucked(shape, radius, paint.tucked)
    box = shape.box(CREASE_MARGIN if paint.crease else MARGIN)
    x0, y0 = np.maximum(box[:2], 0)
    x1, y1 = np.minimum(box[2:], image.shape[1::-1])
    if x1 - x0 < 8 or y1 - y0 < 8:
        return image
    size = ((y1 - y0) * factor, (x1 - x0) * factor)
    origin = np.array([x0, y0], np.float32)
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
    ball = _white(corner, paint)
    low = np.clip(np.floor(centre - HALO * r), 0, size[::-1]).astype(int)
    high = np.clip(np.ceil(centre + HALO * r) + 1, 0, size[::-1]).astype(int)
    near = slice(low[1], high[1]), slice(low[0], high[0])  # the only place where the iris counts
    about = ball[:, near[0], near[1]]
    aside, down = columns[near] - centre[0], rows[near] - centre[1]
    dx, dy = (aside * cos + down * sin) / r, (down * cos - aside * sin) / r
    _paint_iris(about, dx, dy, factor / r, paint)
    ball *= (
        1
        - 0.42 * paint.lid_shade * np.exp(-((to_top / (0.32 * tall)) ** 2))
        - 0.20 * np.exp(-((to_top / (0.07 * tall)) ** 2))
    )
    ball *= 1 - LOW_SHADE * np.exp(-((to_bottom / (0.10 * tall)) ** 2))
    _add_catchlights(
        about, dx, dy, factor / r, paint.exposure, _lid_above((top - centre) / r, shape, LIGHT[0])
    )
    opened = step(*ROUND, shape.roundness)
    rim = np.exp(-((to_bottom / max(0.05 * tall, 0.8 * factor)) ** 2))
    _lay(ball, np.clip(1.18 * paint.skin_shadow + (0.06, 0, 0), 0, 1), RIM * opened * rim)
    ball = mix(ball, np.ones(1, np.float32), paint.haze)
    region = cv2.resize(image[y0:y1, x0:x1], size[::-1], interpolation=cv2.INTER_LINEAR)
    axis = top[-1] - top[0]
    along = ((columns - top[0, 0]) * axis[0] + (rows - top[0, 1]) * axis[1]) / (axis @ axis)
    along = np.clip(along, -0.2, 1.2)
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
    lower = u * 0.005 * smoothstep(0.95, 0.4, along) * smoothstep(-0.05, 0.1, along)
    hint = smoothstep(1, -1, (to_bottom - lower) / (edge * 1.4)) * (lower > 0.2)
    lash = np.maximum(lash, hint * (0.20 + 0.16 * paint.lashes)).astype(np.float32)
    region = mix(region, mix(paint.lash, np.ones(3, np.float32), paint.haze), lash)
    result = image.copy()
    result[y0:y1, x0:x1] = cv2.resize(
        region.astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA
    )
    return result


def _tucked(shape: EyeShape, radius: float, share: float) -> EyeShape:
    """An eye whose iris is a `share` of the way nearer to lying below its upper lid a little, as in
    one that is at rest: an iris that is free all round stares."""
    lid = _lid_above((spline(shape.upper) - shape.centre) / max(radius, 1e-6), shape, 0.0)
    up = share * radius * min(max(UNDER - 1 - lid, 0.0), HIGHEST)
    return shape.moved_iris(-up * np.array([-shape.right[1], shape.right[0]], np.float32))


def _lid(to_top: Floats, above: Floats, along: Floats, unit: float, open_: float) -> Floats:
    """Shadow 0..1 of the upper lid's crease and fold, in the skin's own shadow colour."""
    crease_at = unit * (0.064 + 0.036 * open_)
    crease = np.exp(-(((to_top - crease_at) / (0.018 * unit)) ** 2)) * above
    crease *= smoothstep(-0.12, 0.2, along) * smoothstep(1.12, 0.8, along) * (0.35 + 0.65 * open_)
    fold = np.exp(-((to_top / (0.075 * unit)) ** 2)) * above * 0.20
    return np.clip(0.46 * crease + fold, 0, 1).astype(np.float32)


def _white(corner: Floats, paint: EyePaint) -> Floats:
    """White of the eye: [3, h, w], planes, which are fast to blend; `corner` is 0 in the middle of
    the eye and 1 at its corners."""
    shade = np.float32(paint.exposure) * (1 - 0.27 * corner**2)
    rosy = smoothstep(0.72, 1.05, corner) * np.float32(0.8 if paint.colour > 0.3 else 0.0)
    return np.stack(
        [shade * (level * (1 - loss * rosy)) for level, loss in zip(WHITE, ROSY, strict=True)]
    ).astype(np.float32)


def _paint_iris(ball: Floats, dx: Floats, dy: Floats, pixel: float, paint: EyePaint) -> None:
    """Paint iris and pupil over planes [3, h, w], in place.

    Args:
        dx, dy: from the middle of the iris, in its radii.
        pixel: one of the picture's, in the same.
    """
    rho = np.sqrt(dx * dx + dy * dy)
    edge = 1.15 * pixel
    ball *= 1 - np.float32(0.20) * smoothstep(HALO, 1.0, rho)
    tones = paint.tones
    angle = np.arctan2(dy, dx)
    fibres = 0.5 * np.sin(angle * 23 + 2.1 * np.sin(angle * 5))
    fibres *= smoothstep(0.35, 0.6, rho) * smoothstep(1.0, 0.75, rho)
    glow = np.clip(0.55 + 0.60 * dy - 0.15 * dx * paint.light_side, 0, 1)
    glow = glow * smoothstep(0.30, 0.60, rho)
    iris = np.empty_like(ball)
    iris[:] = tones.dark[:, None, None]
    _lay(iris, tones.middle, smoothstep(-0.95, 0.35, dy))
    _lay(iris, tones.light, np.clip(glow * (0.90 + 0.30 * fibres), 0, 1))
    iris *= 1 - 0.62 * smoothstep(0.80, 1.0, rho)
    _lay(iris, tones.dark * 0.3, smoothstep(0.47 + edge, 0.41 - edge, rho))
    _lay(iris, np.full(3, 0.025), smoothstep(0.41 + edge, 0.41 - edge, rho))
    ball += (iris - ball) * smoothstep(1.0 + edge, 1.0 - edge, rho)


def _lay(planes: Floats, colour: Reals, amount: Floats) -> None:
    """Blend a colour [3] over planes [3, h, w], in place."""
    for plane, level in zip(planes, colour, strict=True):
        plane += (np.float32(level) - plane) * amount


def _lid_above(lid: Floats, shape: EyeShape, aside: float) -> float:
    """How far below the middle of the iris the upper lid is, so far to the right of it, in the
    iris's radii; `lid` is its curve [N, 2], in them, from there."""
    cos, sin = shape.right
    across, down = lid[:, 0] * cos + lid[:, 1] * sin, lid[:, 1] * cos - lid[:, 0] * sin
    order = np.argsort(across)
    return float(np.interp(aside, across[order], down[order]))


def _add_catchlights(
    ball: Floats, dx: Floats, dy: Floats, pixel: float, exposure: float, lid: float
) -> None:
    """A large and a small highlight, on the same side in every face so that nothing flips.

    Both are soft at their edges, as a window is that a wet eye mirrors: hard ones look like paint.
    The large one hangs below the upper `lid`, which is so many radii below the iris's middle, as
    far as the middle: a light that is cut off looks stuck on.
    """
    x, y = LIGHT
    y = min(max(y, lid + LARGE + BELOW_LID), 0.0)
    large, small = np.hypot(dx - x, dy - y) / LARGE, np.hypot(dx - 0.36, dy - 0.42) / 0.17
    edge = max(1.6 * pixel, 0.28)
    white = np.array([1.0, 1.0, 0.99]) * max(exposure, 0.88)
    _lay(ball, white, smoothstep(1.0 + edge, 1.0 - edge, large) * np.float32(0.94))
    _lay(ball, np.ones(3), smoothstep(1.3, 0.3, small) * np.float32(0.36))
