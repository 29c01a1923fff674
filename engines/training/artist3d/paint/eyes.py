"""The eyes: where they look, what colour they are, and the painted eye."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.eyes.iris import doubt_of_light_eyes, iris_sample, iris_tones
from engines.faces.features import BROW, aperture, eye_iris
from engines.faces.pixels import Floats, Reals, lab_colour, mix, polygon, step
from engines.training.artist.imaging import union
from engines.training.artist3d.colour import rise, to_linear, to_srgb
from engines.training.artist3d.curves import box_around, open_curve
from engines.training.artist3d.head.rig import BALLS
from engines.training.artist3d.observe.scene import Scene
from engines.training.artist3d.observe.tone import Tone
from engines.training.artist3d.paint.eyeball import (
    EyePaint,
    EyeView,
    gaze_vector,
    iris_radius,
    lid_openness,
    trace_ball,
)
from engines.training.artist3d.paint.lids import draw_lids
from engines.training.artist3d.paint.light import Lamp

SUPERSAMPLING = 3
CURVE = 72  # points of a lid edge


def draw_eyes(scene: Scene, tone: Tone, lamp: Lamp, hair_light: float, image: Floats) -> Floats:
    """Both eyes over a picture [S, S, 3] that shows skin there.

    Args:
        scene, tone, lamp: the face.
        hair_light: L* of the hair.
        image: sRGB 0..1.
    """
    paint = _shared_paint(scene, tone, lamp, hair_light)
    image = image.copy()
    for eye in range(2):
        view = _look_at(scene, eye)
        x0, y0, x1, y1 = view.box
        if x1 - x0 < 4 or y1 - y0 < 4:
            continue
        patch = image[y0:y1, x0:x1]
        canvas = cv2.resize(patch, view.shape[::-1], interpolation=cv2.INTER_CUBIC)
        ball = to_srgb(trace_ball(view, paint))
        canvas = mix(canvas, ball, view.opening() * np.float32(view.opened))
        canvas = draw_lids(canvas, view, paint)
        image[y0:y1, x0:x1] = cv2.resize(
            canvas.astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA
        )
    return image


def _shared_paint(scene: Scene, tone: Tone, lamp: Lamp, hair_light: float) -> EyePaint:
    """One iris colour for both eyes, from the eye that shows more of it."""
    skin_light, landmarks = float(tone.seen[0]), scene.head.landmarks
    samples, areas = zip(
        *(iris_sample(scene.photo_lab, landmarks, e, tone.seen) for e in range(2)),
        strict=True,
    )
    shares = np.array([a * eye.opened + 1e-3 for a, eye in zip(areas, scene.eyes, strict=True)])
    iris = (np.stack(samples) * shares[:, None]).sum(0) / shares.sum()
    on_brow = union(polygon(scene.size, landmarks[ids]) for ids in BROW) > 0.5
    light = scene.photo_lab[..., 0]
    brow = float(np.percentile(light[on_brow], 10)) / 100 if on_brow.sum() > 20 else 0.15
    dark_hair = max(
        doubt_of_light_eyes(tone.lab[0]),
        0.8 * step(0.34, 0.18, brow / (skin_light / 100 + 0.05)),
        0.85 * step(34, 20, hair_light),
    )
    # Blue or green in dark skin is nearly always a reflection or an old cornea, and in squinting
    # eyes under dark brows the sky.
    sure = max(float(rise(0.62, 0.45, iris[0])), float(rise(54, 46, scene.traits.tone)))
    brown = float(rise(66, 52, scene.traits.tone)) * sure
    narrow = step(0.26, 0.18, float(np.mean(aperture(landmarks))))
    brown = max(brown, 0.8 * narrow * dark_hair)
    # A blue iris is greener than the white, too; the sky in a squinting brown one is not.
    hidden = max(
        step(0.30, 0.20, float(np.mean(aperture(landmarks)))), step(0.45, 0.65, scene.head.turn)
    )
    dark = max(dark_hair, float(rise(71, 64, scene.traits.tone)))
    brown = max(brown, 1.3 * hidden * dark * step(-2.6, -0.8, float(iris[1])))
    iris = iris + brown * np.array([-0.10, 6.0, 9.0], np.float32)
    exposure = float(np.clip(0.70 + 0.45 * tone.lab[0] / 100, 0.82, 1.05))
    tones = iris_tones(iris, exposure * 0.93, tone.colour * 0.78, dark_hair)
    traits = scene.traits
    return EyePaint(
        to_linear(tones.dark), to_linear(tones.middle), to_linear(tones.light), exposure,
        lab_colour(float(np.clip(brow * 55, 5, 22)), 6 * tone.colour, 8 * tone.colour),
        float(np.clip(1.0 - 0.62 * traits.male - 0.15 * traits.child, 0.30, 1.0)),
        tone.linear, tone.dark, lamp,
    )  # fmt: skip


def _halves(loop: Reals, eye: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upper and lower edge of a projected lid loop, both from the outer to the inner corner."""
    outer = np.argmin(loop[:, 0]) if eye == 0 else np.argmax(loop[:, 0])
    loop = np.roll(loop, -outer, axis=0)
    inner = int(np.argmax(loop[:, 0]) if eye == 0 else np.argmin(loop[:, 0]))
    first, second = loop[: inner + 1], np.vstack([loop[:1], loop[inner:][::-1]])
    pair = (first, second) if first[:, 1].mean() < second[:, 1].mean() else (second, first)
    thin = [open_curve(np.vstack([p[:-1:2], p[-1:]]), CURVE) for p in pair]
    return thin[0], thin[1]


def _look_at(scene: Scene, eye: int) -> EyeView:
    """Set up one eye's canvas: lids from the toon's mesh, gaze and lid gap from the photo."""
    camera, own = scene.fit.camera, scene.fit.vertices
    loop_ids, ball_ids, shape = scene.rig.lids[eye], slice(*BALLS[eye]), scene.eyes[eye]
    loop = camera.project(scene.vertices[loop_ids])[:, :2]
    upper, lower = _halves(loop, eye)
    width = float(np.linalg.norm(upper[0] - upper[-1]))
    box = box_around(np.vstack([upper, lower]), 0.35 * width, scene.size)
    ball = own[ball_ids]
    middle = ball.mean(0)
    radius = float(np.linalg.norm(ball - middle, axis=1).mean()) * camera.scale_at(middle)
    landmarks = scene.head.landmarks
    seen = landmarks[eye_iris(landmarks, eye)[0], :2]
    own_loop = camera.project(own[loop_ids])[:, :2].mean(0)
    ball_at = camera.project(middle[None])[0, :2]
    x, y = (seen - ball_at) / radius
    gaps = np.array(aperture(landmarks))
    # Under lowered lids the iris' landmark is only a guess.
    down = scene.traits.looks_down * step(0.26, 0.16, float(gaps.mean()))
    gaze = gaze_vector(x, y + down * max(0.42 - y, 0.0))
    big = radius * shape.scale
    centre = loop.mean(0) + (ball_at - own_loop) * shape.scale
    factor = SUPERSAMPLING

    def on_canvas(points: Reals) -> NDArray[np.float64]:
        return (points - [box[0], box[1]] + 0.5) * factor - 0.5

    turned = float(abs(camera.rotation[2, 2]))
    alike = step(0.11, 0.06, float(abs(gaps[0] - gaps[1])))  # a wink keeps two values
    gap = float(gaps[eye] + (gaps.mean() - gaps[eye]) * alike)
    drawn = float(rise(0.06, 0.14, _gap(upper, lower, width)))
    opened = min(lid_openness(gap, down), drawn + alike)
    opened = float(rise(0.35, 0.65, opened))  # a ball seen through a lid is a ghost
    return EyeView(
        box, factor, on_canvas(upper), on_canvas(lower), width * factor, opened,
        on_canvas(centre), big * factor, gaze,
        iris_radius(width, turned, big, scene.traits.child),
    )  # fmt: skip


def _gap(upper: Reals, lower: Reals, width: float) -> float:
    """Lid distance over width of the drawn eye."""
    middle = slice(CURVE * 28 // 72, CURVE * 44 // 72)
    return float(np.linalg.norm(upper[middle] - lower[middle], axis=1).mean() / (width + 1e-6))
