"""The person's own brows, combed: their place, thickness and angle are measured in the photo."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW, BROW_BOTTOM, BROW_TOP
from engines.faces.pixels import Floats, Reals, blur, mix, polygon, smoothstep, to_rgb
from engines.training.artist.imaging import masked_blur, union
from engines.training.artist3d.colour import rise, unit
from engines.training.artist3d.curves import along_curve, box_around, even, open_curve
from engines.training.artist3d.observe.scene import Scene
from engines.training.artist3d.observe.tone import Tone

ALONG, ACROSS = 96, 57  # places of the unrolled brow
REACH = 0.15  # to either side of the landmarks' line, in eye distances
HAIRS = 170
FACTOR = 3  # supersampling


@dataclass(frozen=True)
class Brow:
    """One brow, unrolled from its outer to its inner end.

    Attributes:
        line: [ALONG, 2] its middle, pixels.
        thick: [ALONG] pixels.
        ends: [ALONG] 0..1, fading where the brow ends.
        matte: [ALONG, ACROSS] where hair was seen, 0..1.
        base: [ALONG, 2] line the matte is unrolled along.
        spacing: pixels between two places across.
        landmark_thick: pixels.
    """

    line: NDArray[np.float64]
    thick: NDArray[np.float64]
    ends: NDArray[np.float64]
    matte: Floats
    base: NDArray[np.float64]
    spacing: float
    landmark_thick: float


def draw_brows(scene: Scene, tone: Tone, skin: Floats, hair_light: float, image: Floats) -> Floats:
    """Brows over a picture [S, S, 3] that shows bare skin there.

    Args:
        scene, tone: the face.
        skin: [S, S] what is bare skin around them; a fringe hides them.
        hair_light: L* of the hair.
        image: sRGB 0..1.
    """
    unit_px, light = scene.unit, scene.lab[..., 0]
    cover = union(
        polygon(scene.size, scene.points[ids], 0.03 * unit_px, 0.07 * unit_px) for ids in BROW
    )
    bare = np.clip(scene.skin - cover * 1.5, 0.002, 1)
    # In deep shade the colour of skin is lost, but not its place.
    open_skin = np.clip(np.maximum(scene.skin, scene.parts.skin) - cover * 1.5, 0, 1)
    around = masked_blur(light, bare, 0.16 * unit_px)
    hair = np.clip((around - blur(light, 0.8)) / (around + 5), 0, 1)
    hair = hair * (1 - np.clip(1.6 * blur(scene.frame, 1.0), 0, 1))
    # Where hair hangs over a brow it hides it.
    visible = smoothstep(0.03, 0.14, blur(np.minimum(open_skin, skin), 0.22 * unit_px))
    visible = visible * smoothstep(0.25, 0.75, blur(skin, 0.02 * unit_px))
    strips = [_unroll(scene, hair, eye) for eye in range(2)]
    peaks = [np.percentile(matte[20:80].max(1), 60) for _, matte, _ in strips]
    peak = float(np.mean(peaks))
    strong = float(rise(0.06, 0.22, peak))
    colour, highlight = _colours(scene, tone, hair, strong, hair_light)
    brows = [_comb(scene, base, matte, thick, peak, strong) for base, matte, thick in strips]
    mean = np.mean([brow.thick for brow in brows], 0)
    most = np.max([brow.ends for brow in brows], 0)
    for brow in brows:  # hidden or badly lit parts are lent from the other brow
        ends = np.maximum(brow.ends, 0.9 * most)
        alike = replace(brow, thick=0.4 * brow.thick + 0.6 * mean, ends=ends)
        image = _paint(image, alike, colour, highlight, strong, visible)
    return image


def _unroll(scene: Scene, hair: Floats, eye: int) -> tuple[NDArray[np.float64], Floats, float]:
    """The line of a brow [ALONG, 2], hair beside it [ALONG, ACROSS], its landmarks' thickness."""
    top = open_curve(scene.points[BROW_TOP[eye], :2].astype(np.float64))
    bottom = open_curve(scene.points[BROW_BOTTOM[eye], :2].astype(np.float64))
    middle = (top + bottom) / 2
    before = middle[0] + (middle[0] - middle[6]) * 0.9
    after = middle[-1] + (middle[-1] - middle[-7]) * 0.7
    line = even(np.vstack([before, middle, after]), ALONG)
    at = line[:, None] + _upward(line)[:, None] * _offsets(scene.unit)[None, :, None]
    matte = cv2.remap(
        hair.astype(np.float32), at[..., 0].astype(np.float32), at[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
    )  # fmt: skip
    window = np.exp(-((_offsets(scene.unit) / (0.115 * scene.unit)) ** 6))[None]
    matte = cv2.GaussianBlur((matte * window).astype(np.float32), (0, 0), sigmaX=1.3, sigmaY=3.0)
    return line, matte, float(np.linalg.norm(top - bottom, axis=1).mean())


def _offsets(unit_px: float) -> NDArray[np.float64]:
    return np.linspace(-REACH, REACH, ACROSS) * unit_px


def _upward(line: Reals) -> NDArray[np.float64]:
    tangent = unit(np.gradient(line, axis=0))
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    return normal * np.sign(-normal[:, 1].mean())


def _soft(values: Reals, sigma: float) -> NDArray[np.float64]:
    kernel = cv2.getGaussianKernel(31, sigma).ravel()
    return np.convolve(np.pad(values, 15, mode="edge"), kernel, mode="valid")


def _comb(
    scene: Scene, base: Reals, matte: Floats, landmark_thick: float, peak: float, strong: float
) -> Brow:
    """Centre, thickness and ends along the brow; faint brows lean on the landmarks."""
    offsets = _offsets(scene.unit)
    relative = matte / (peak + 0.03)
    s = np.linspace(0, 1, ALONG)
    guess = np.exp(-((np.abs(offsets) / (0.62 * landmark_thick)) ** 4))[None]
    guess = guess * (rise(0.0, 0.10, s) * rise(1.0, 0.93, s))[:, None]
    own = smoothstep(0.30, 0.70, relative)
    own = strong * own + (1 - strong) * guess * 0.75
    mass = own.sum(1) + 1e-3
    trust = np.clip(mass / mass.max(), 0.02, 1)
    centre = (own * offsets).sum(1) / mass
    # One arch, whatever hair or shadow is near: a cubic, weighted by the hair that was seen.
    smooth = np.polyval(
        np.polyfit(s, centre, 3, w=trust * rise(0, 0.12, s) * rise(1, 0.9, s) + 0.02), s
    )
    arch = np.exp(-(((s - 0.42) / 0.30) ** 2)) * (0.030 - 0.012 * scene.traits.male)
    lift = 0.018 + 0.008 * rise(0.50, 1.0, s)  # above larger eyes; more at the nose is a worry
    centre = smooth + (arch + lift) * scene.unit
    thick = _soft(mass * (offsets[1] - offsets[0]), 4)
    reach = (
        (0.72 + 0.18 * scene.traits.male) * landmark_thick,
        1.9 * landmark_thick + 0.025 * scene.unit,
    )
    thick = np.clip(thick * (1.45 + 0.15 * scene.traits.male), *reach)
    full = float(np.percentile(thick[20:80], 65))
    shape = rise(-0.12, 0.52, s) * (1 - 0.36 * rise(0.74, 1.0, s))
    thick = 0.35 * thick * shape + 0.65 * full * shape
    seen = _soft(np.clip(mass / (np.percentile(mass, 75) + 1e-6), 0, 1), 2)
    middle = ALONG // 2
    outwards = np.minimum.accumulate(seen[middle::-1])[::-1]  # behind a gap is other hair
    inwards = np.minimum.accumulate(seen[middle:])
    whole = np.r_[outwards[:-1], inwards]
    least = 0.45 * rise(0.10, 0.22, s) * rise(0.98, 0.90, s)  # where every brow has hair
    ends = strong * np.maximum(rise(0.10, 0.40, whole), least) + (1 - strong)
    ends = ends * rise(0.0, 0.10, s) * rise(0.985, 0.82, s)
    centre = centre + _friendlier(scene, base + _upward(base) * centre[:, None])
    line = base + _upward(base) * centre[:, None]
    spacing = float(offsets[1] - offsets[0])
    matte = own.astype(np.float32)
    lifted = np.asarray(base + _upward(base) * ((arch + lift) * scene.unit)[:, None])
    return Brow(line, thick, ends, matte, lifted, spacing, landmark_thick)


def _friendlier(scene: Scene, line: Reals) -> NDArray[np.float64]:
    """Pixels [ALONG] by which a brow that falls towards the nose is lifted at its inner end."""
    high = line @ scene.up.astype(np.float64)
    fall = float(high[ALONG // 2] - high[int(0.9 * ALONG)]) / scene.unit
    s = np.linspace(0, 1, ALONG)
    return 0.45 * max(fall - 0.01, 0.0) * scene.unit * rise(0.45, 1.0, s)


def _colours(
    scene: Scene, tone: Tone, hair: Floats, strong: float, hair_light: float
) -> tuple[Floats, Floats]:
    """Colour of the brows and of their lighter hairs, sRGB [3]."""
    unit_px, old, level = scene.unit, scene.traits.old, tone.lab[0]
    cover = union(
        polygon(scene.size, scene.points[ids], 0.02 * unit_px, 0.02 * unit_px) for ids in BROW
    )
    weight = np.clip(cover * hair, 0, 1) ** 3 + 1e-6
    seen = (scene.lab * weight[..., None]).sum((0, 1)) / weight.sum()
    relative = float(np.clip(seen[0] / max(tone.seen[0], 1) * level, 5, 80))
    # A dim photo's brows are dark with its skin; the character's follow its own skin.
    light = (0.35 * min(float(seen[0]), relative) + 0.65 * relative) * (0.86 + 0.10 * old)
    light = float(np.clip(light, 7, level * (0.84 - 0.26 * strong)))
    light = max(light, min(0.45 * hair_light, 0.7 * level) * float(rise(45, 62, hair_light)))
    light += (level * 0.72 - light) * 0.35 * old * (1 - 0.5 * strong)
    contrast = float(np.percentile(hair[cover > 0.5], 90)) if (cover > 0.5).any() else 0.0
    # Fair people's brows are fair, however dark their few dark hairs.
    fair = float(rise(30, 50, hair_light) * rise(0.72, 0.50, contrast))
    light += max(level * 0.64 - light, 0.0) * 0.5 * fair
    grey = old * float(rise(42, 62, hair_light)) * (1 - 0.6 * float(rise(0.45, 0.62, contrast)))
    white = grey * float(rise(62, 78, hair_light))
    light += (level * 0.90 - light) * (0.5 + 0.25 * white) * grey
    ab = (seen[1:] * 0.85 + np.array([1.5, 3.0]) * tone.colour) * (1 - 0.6 * grey)

    def paint(lift: float, gain: float) -> Floats:
        return to_rgb(np.array([[[light + lift, *(ab * gain)]]], np.float32))[0, 0]

    return paint(0, 1.0), paint(9, 1.1)


def _paint(
    image: Floats, brow: Brow, colour: Floats, highlight: Floats, strong: float, visible: Floats
) -> Floats:
    """A clean body under combed hairs."""
    size = image.shape[0]
    box = box_around(brow.line, 1.6 * brow.landmark_thick + 8, size)
    x0, y0, x1, y1 = box
    width, height = (x1 - x0) * FACTOR, (y1 - y0) * FACTOR
    if width < 6 or height < 6:
        return image

    def on_canvas(points: Reals) -> NDArray[np.float64]:
        return (points - [x0, y0] + 0.5) * FACTOR - 0.5

    s = np.linspace(0, 1, ALONG)
    line = on_canvas(brow.line)
    t, across = along_curve((0, 0, width, height), line)
    on = (t > -0.02) & (t < 1.02)
    half = np.interp(t, s, brow.thick).astype(np.float32) * FACTOR / 2
    ends = np.interp(t, s, brow.ends).astype(np.float32) * on
    body = smoothstep(1.15, 0.60, np.abs(across) / (half + 0.5)) * ends
    seen = _roll_back(brow, (width, height), on_canvas(brow.base))
    body = body * (0.72 + 0.28 * seen)
    near = smoothstep(1.35, 0.95, np.abs(across) / (half + 0.5)) * np.clip(ends * 1.2, 0, 1)
    dark, light = _hairs(brow, line, (height, width))
    alpha = np.clip(body * 0.90 + dark * 0.32 * near, 0, 1) * (0.58 + 0.38 * strong)
    patch = cv2.resize(image[y0:y1, x0:x1], (width, height), interpolation=cv2.INTER_CUBIC)
    shown = cv2.resize(np.clip(visible[y0:y1, x0:x1], 0, 1), (width, height))
    shade = cv2.GaussianBlur(body, (0, 0), 0.02 * brow.landmark_thick * 8 * FACTOR) * 0.5 * shown
    canvas = mix(patch, patch * np.array([0.80, 0.70, 0.68], np.float32), shade)
    paint = np.broadcast_to(colour, canvas.shape)
    paint = mix(paint, np.broadcast_to(highlight, canvas.shape), np.clip(light * 0.8, 0, 1))
    canvas = mix(canvas, paint, (alpha * shown).astype(np.float32))
    image = image.copy()
    image[y0:y1, x0:x1] = cv2.resize(
        canvas.astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA
    )
    return image


def _roll_back(brow: Brow, shape: tuple[int, int], base: Reals) -> Floats:
    """The matte on the canvas (width, height)."""
    t, across = along_curve((0, 0, *shape), base)
    if base[-1, 0] > base[0, 0]:
        across = -across  # positive upwards, whichever way the brow runs
    column = across / np.float32(brow.spacing * FACTOR) + np.float32((ACROSS - 1) / 2)
    row = t * np.float32(ALONG - 1)
    return cv2.remap(
        brow.matte, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR
    )


def _hairs(brow: Brow, line: Reals, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Dark and light hairs combed outwards, upwards at the inner end; [H, W] each."""
    random = np.random.default_rng(11)  # the same hairs in every picture
    dark, light = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    tangent, normal = unit(np.gradient(line, axis=0)), _upward(line)
    s = np.linspace(0, 1, ALONG)
    for k in range(HAIRS):
        at = random.uniform(0.02, 1.0)
        i, offset = int(at * (ALONG - 1)), random.uniform(-1, 1)
        half = np.interp(at, s, brow.thick) * FACTOR / 2
        root = line[i] + normal[i] * offset * half * 0.85
        lean = 0.30 + 1.0 * rise(0.55, 1.0, at) - 0.55 * offset * (1 - rise(0.6, 1.0, at))
        direction = unit(-tangent[i] + normal[i] * lean)
        length = np.interp(at, s, brow.thick) * FACTOR * random.uniform(0.55, 0.95)
        tip = root + direction * length * (0.6 + 0.4 * rise(0, 0.2, at))
        ends = [tuple(int(v) for v in np.round(p * 16)) for p in (root, tip)]
        cv2.line(light if k % 4 == 0 else dark, ends[0], ends[1], 1.0, 2, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(dark, (0, 0), 1.1), cv2.GaussianBlur(light, (0, 0), 1.1)
