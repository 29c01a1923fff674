"""The whole drawing: photo + landmarks + person mask -> toon + head mask."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.training.artist import eyes as eye_art
from engines.training.artist import light as light_art
from engines.training.artist import masks, skin
from engines.training.artist.background import soft_background
from engines.training.artist.brows import draw_brows, find_brows
from engines.training.artist.geometry import plan, warp
from engines.training.artist.hair import flow_paint
from engines.training.artist.head import BROW, BROW_BOTTOM, EYE, LOWER_LID, UNDER_EYE, UPPER_LID, Head
from engines.training.artist.imaging import (
    Floats,
    Reals,
    blur,
    disc,
    guided_filter,
    lab_colour,
    luminance,
    masked_blur,
    mix,
    polygon,
    smoothstep,
    step,
    stroke,
    to_lab,
    to_rgb,
    union,
)
from engines.training.artist.looks import FILM, Look
from engines.training.artist.mouth import fresh_lips, tidy_teeth
from engines.training.artist.surface import surface

GLABELLA = [55, 107, 336, 285, 464, 453, 419, 5, 196, 233, 244]
NOSE_BRIDGE = [193, 8, 417, 437, 355, 429, 279, 5, 49, 209, 126, 217]
BRIDGE_LINE = [168, 6, 197, 195, 5]


class ToonResult(NamedTuple):
    """A drawn face."""

    image: NDArray[np.uint8]  # [S, S, 3] RGB
    head: NDArray[np.uint8]  # [S, S], 255 inside head and hair, soft at the edge


def _spots(size: int, centres: Reals, radii: list[float]) -> Floats:
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    total = np.zeros((size, size), np.float32)
    for (x, y), radius in zip(centres[:, :2], radii, strict=True):
        total += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius * radius))
    return total


def toonify(
    rgb: NDArray[np.uint8], landmarks: Reals, *, person: Floats, look: Look = FILM, debug=None
) -> ToonResult:
    s = float(np.clip(look.strength, 0, 1))
    size = rgb.shape[0]
    photo = rgb.astype(np.float32) / 255
    points0 = landmarks.astype(np.float32)
    head = Head(points0)
    unit = head.unit
    photo_lab = to_lab(photo)
    open_ = eye_art.openness(points0)
    shades = masks.sunglasses_level(photo_lab, points0)
    glasses = masks.glasses_level(photo_lab, head) * (1 - shades)

    field = warp(head, plan(head, look, open_, glasses=glasses, sunglasses=shades), size)
    T = field.landmarks
    w = np.clip(field.apply(photo), 0, 1)
    lab = to_lab(w)
    shape = surface(T, head, size)

    # ---- masks
    marks = masks.features(T, unit, size)
    skin_mask, mu = masks.skin(lab, T, unit, marks)
    fg = masks.person_edge(w, np.clip(field.apply(person, cv2.INTER_LINEAR), 0, 1))
    fg = np.maximum(fg, blur(marks.oval, 2))
    skin_mask = skin_mask * fg
    frame = np.zeros((size, size), np.float32)
    if glasses > 0.02:
        frame = masks.glasses_frame(lab, mu, head, np.clip(marks.eyes + marks.brows * 0.6, 0, 1)) * glasses
        skin_mask = skin_mask * (1 - frame)
    ring = union(polygon(size, T[ids], 0.09 * unit, 0.20 * unit) for ids in EYE)
    bags = 0.85 * union(polygon(size, T[UNDER_EYE[e] + LOWER_LID[e][::-1]], 0.09 * unit, 0.08 * unit) for e in range(2))
    sockets = union(
        polygon(size, np.concatenate([T[UPPER_LID[e]], T[BROW_BOTTOM[e][::-1]]]), 0.05 * unit, 0.02 * unit)
        for e in range(2)
    )
    glabella = polygon(size, T[GLABELLA], 0.06 * unit, 0.06 * unit)
    brows = find_brows(lab, skin_mask, T, unit)
    cover = brows.cover * (1 - 0.85 * glasses * blur(frame, 2))
    made = np.maximum.reduce([ring, bags, sockets, glabella, cover])
    made = cv2.morphologyEx(made.astype(np.float32), cv2.MORPH_CLOSE, disc(0.16 * unit))
    made = np.clip(blur(made, 0.03 * unit) * 1.1, 0, 1) * marks.oval
    bare = blur(np.clip(skin_mask - marks.all, 0, 1), 0.25 * unit)
    made = made * smoothstep(0.04, 0.20, bare) * (1 - frame) * (1 - shades)  # becomes skin
    skinf = np.clip(skin_mask * (1 - marks.eyes) * (1 - marks.lips * 0.85), 0, 1)
    skin_all = np.maximum(skinf, made)
    headm = np.clip(smoothstep(1.35, 0.95, shape.radius) * fg, 0, 1)
    C, photo_skin = float(np.hypot(mu[1], mu[2])), float(mu[0])
    cf = step(3, 9, C)
    gloss = step(50, 30, photo_skin)

    # ---- paint
    hair = smoothstep(1.9, 1.4, shape.radius) * fg * (1 - 0.7 * blur(marks.oval, 3))
    base = mix(guided_filter(w, w, 5, 0.004), guided_filter(w, w, 3, 0.0008), hair)
    rows_ = head.grid(size)[1] - np.float32(head.flat(T[[152]])[0, 1])
    paint = flow_paint(base, hair, (0.40 * look.hair * smoothstep(0.5, 0.1, rows_)))
    plab = to_lab(paint)
    L, ab = lab[..., 0] / 100, lab[..., 1:]
    keep = skin.kept_lines(T, head, size)
    # skin around the eyes and under the brows is what the neighbouring skin is
    clean = np.clip(skin_mask - union([marks.eyes, cover, ring * 0.9, bags, sockets, glabella * 0.5, marks.lips]) * 1.3, 0, 1)
    clean *= marks.oval
    around = 0.5 * masked_blur(L, clean, 0.17 * unit) + 0.5 * masked_blur(L, clean, 0.36 * unit)
    L = L + made * np.maximum(around * 0.98 - L, 0) * 0.95
    nose = polygon(size, T[NOSE_BRIDGE], 0.06 * unit, 0.09 * unit) * skin_all * (1 - marks.nose)
    L = L + nose * np.maximum(around * 0.94 - L, 0) * 0.85
    Ls = skin.painted_light(L, skin_all, keep, marks.oval, unit, gloss)
    bright = np.clip((lab[..., 0] - mu[0]) / 16, 0, 1.5).astype(np.float32)
    abw = masked_blur(ab, clean * np.exp(-2.5 * bright), 0.14 * unit)
    mu_ab = mu[1:].astype(np.float32)
    limit = min(1.0, (26 + 0.5 * max(C - 26, 0)) / max(C, 1e-3))
    mu2 = mu_ab * limit
    peach = np.array([0.60, 0.80], np.float32) * max(np.hypot(*mu2), 21.0 * cf)
    mu2 = mu2 + (peach - mu2) * (0.30 + 0.45 * step(22, 12, C)) * cf
    abs_ = mix(abw, np.broadcast_to(mu_ab, abw.shape), np.clip(0.35 + 0.4 * np.minimum(bright, 1), 0, 1)) + (mu2 - mu_ab)
    m = skin_all * look.smooth
    keep_photo = np.clip(marks.eyes + marks.lips + marks.nose * 0.6, 0, 1)
    Lp = mix(plab[..., 0] / 100, guided_filter(L, L, 3, 0.0008), keep_photo)
    Lo = mix(Lp, Ls, m * (1 - 0.6 * np.clip(marks.nose, 0, 1) * (1 - skinf * 0.5)))
    abo = mix(mix(plab[..., 1:], ab, np.clip(marks.eyes, 0, 1) * 0.8), abs_, m)

    # ---- light
    logl = np.log(np.clip(Lo, 0.03, 1))
    sh, az = light_art.photo_shading(logl, shape, skin_all)
    ok = skin_all > 0.5
    med = float(np.median(logl[ok] if ok.sum() > 50 else logl))
    sh = np.clip(sh - med, -0.7, 0.45)
    dirx = 0.50 * float(np.tanh(az * 5 - 0.35))
    key = np.array([dirx, -0.50, 0.75], np.float32)
    key /= np.linalg.norm(key)
    toon_sh = -0.20 + 0.34 * smoothstep(0.05, 1.0, (shape.normals @ key + 0.45) / 1.45)
    toon_sh = toon_sh - np.clip(-shape.cavity, -0.06, 0.06) * (1 - made)
    res = logl - med - 0.75 * sh
    comp = -0.75 * (1 - 0.7 * gloss) * np.maximum(blur(res, 2.0) - 0.08, 0)
    comp = comp + light_art.cast_light(res, skin_all, unit, gloss)
    gain = (toon_sh - 0.75 * sh + comp * skin_all * (1 - 0.5 * marks.nose)) * look.light * s
    ao = light_art.occlusion(T, head, size) * look.light * s
    gain = gain - (float(np.median(gain[ok])) if ok.sum() > 50 else 0) + 0.05 * s
    gain = gain * headm * (0.25 + 0.75 * skin_mask) * (1 - marks.eyes * 0.8) - ao * skin_mask * (1 - 0.9 * marks.lips)
    medL = float(np.exp(np.percentile(logl[ok], 60) if ok.sum() > 50 else med))
    tgt = medL + (0.10 + 0.28 * step(0.28, 0.52, medL)) * max(0.72 - medL, 0)
    L1 = np.exp(logl + gain) * (1 + (tgt / medL - 1) * headm * (0.35 + 0.65 * skin_mask))
    L1 = np.where(L1 > 0.82, 0.82 + (1 - np.exp(-(L1 - 0.82) / 0.18)) * 0.18, L1)
    half = key + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    spec = 0.09 * np.clip(shape.normals @ half, 0, 1) ** 30 * skin_all * shape.face
    glint = _spots(size, np.stack([T[4, :2] + unit * np.array([0.08 * dirx, -0.06]), T[[17, 14], :2].mean(0)]), [0.06 * unit, 0.06 * unit])
    glow = 0.06 * stroke(size, T[BRIDGE_LINE], 0.10 * unit, 0.045 * unit) + 0.06 * _spots(size, T[[50, 280], :2], [0.17 * unit] * 2) + 0.03 * _spots(size, T[[151], :2], [0.34 * unit])
    L1 = L1 + (spec * (1 + gloss) + (0.07 * glint + glow) * np.maximum(skin_all, marks.lips * 0.8)) * look.light * s * (0.48 + medL)

    # ---- colour
    shade = np.clip(1 - L1 / tgt, 0, 0.5)
    chroma = 1 + (np.clip(L1 / np.exp(logl), 0.75, 1.4) ** 0.5 - 1) * skin_all
    chroma = chroma * np.where(skin_all > 0, 1.02 + 0.10 * shade * skin_all, 1.06)
    blush = np.clip(_spots(size, T[[205, 425, 4], :2], [0.22 * unit, 0.22 * unit, 0.13 * unit]), 0, 1) * cf
    a = abo[..., 0] * chroma + skin_all * (cf * 5 * np.minimum(shade, 0.4) + 5.0 * blush)
    b = abo[..., 1] * chroma + skin_all * (1.0 * blush)
    core = (skin_all > 0.6) & (marks.oval > 0.5)
    if core.sum() > 200:
        want = np.array([max(tgt * 100 + 2.0, 0), *(mu2 * 1.14 + 0.6 * cf)])
        have = np.array([np.median(L1[core]) * 100, np.median(a[core]), np.median(b[core])])
        dl = (want - have) * np.array([0.85, 0.85, 0.85]) * s
        L1 = L1 * (1 + (np.clip(1 + dl[0] / max(have[0], 5), 0.85, 1.3) - 1) * np.maximum(skin_mask, made))
        a, b = a + dl[1] * skin_all, b + dl[2] * skin_all
    out = to_rgb(np.stack([np.clip(L1, 0, 1) * 100, a, b], -1))

    # ---- mouth, brows
    out = fresh_lips(out, marks.lips, T, unit, cf)
    out = tidy_teeth(out, T, unit, medL)
    out = mix(out, draw_brows(out, brows, tgt * 100), (1 - 0.9 * blur(frame, 1.5)) * (1 - shades))
    if glasses > 0.02:  # frames: the photo's own, crisp
        crisp = to_lab(w)
        crisp[..., 0] = np.clip(crisp[..., 0] * 0.95, 0, 100)
        out = mix(out, to_rgb(crisp), np.clip(frame * 1.1, 0, 1) * 0.85)

    # ---- eyes
    if shades < 0.98:
        expo = float(np.clip(0.62 + 0.62 * tgt, 0.74, 1.0))
        (c0, w0), (c1, w1) = [eye_art.iris_sample(photo_lab, points0, e, photo_skin) for e in range(2)]
        w0, w1 = w0 * open_[0] + 1e-3, w1 * open_[1] + 1e-3
        brow_poly = union(polygon(size, T[ids]) for ids in BROW) > 0.5
        dk = float(np.percentile(luminance(w)[brow_poly], 8)) if brow_poly.sum() > 20 else 0.15
        prior = max(step(58, 44, photo_skin), 0.8 * step(0.30, 0.16, dk / (medL + 0.05)))
        tones = eye_art.iris_tones((c0 * w0 + c1 * w1) / (w0 + w1), expo, cf, prior)
        lash = lab_colour(float(np.clip(dk * 60, 7, 20)), 7 * cf, 8 * cf)
        crease = lab_colour(tgt * 100 * 0.66, float(mu2[0]) + 5 * cf, float(mu2[1]) + 2 * cf)
        shared = eye_art.EyePaint(tones, expo, lash, crease, eye_art.lash_strength(head), look.iris, dirx, cf, unit)
        for e in range(2):
            drawn = eye_art.paint_eye(out, T, e, open_[e], shared)
            keep_frame = np.clip(blur(frame, 0.8) * 1.2, 0, 1) * 0.6
            out = mix(out, drawn, (1 - shades) * (1 - keep_frame))

    # ---- background, rim
    back = soft_background(out, fg)
    alpha = smoothstep(0.12, 0.80, fg)
    rim = light_art.rim(T, fg, shape, head, -float(np.tanh(dirx * 5))) * look.light * s
    lit = rim * (1 - skin_mask) * (1 - blur(marks.oval, 3)) * (0.10 + 0.7 * np.clip(luminance(out), 0, 0.6))
    out = 1 - (1 - out) * (1 - lit[..., None] * mix(np.ones(3, np.float32), np.array([1.0, 0.86, 0.66], np.float32), cf))
    out = mix(out, back, (1 - alpha) * look.background)

    # ---- grade
    out = np.clip(1 - (1 - out) * (1 - 0.20 * blur(np.clip(out - 0.55, 0, 1).astype(np.float32), 0.08 * unit)), 0, 1)
    out = mix(out, out * out * (3 - 2 * out), 0.12)
    region = masks.head_region(head, T, alpha)
    if debug is not None:
        debug.update(locals())
    return ToonResult((np.clip(out, 0, 1) * 255 + 0.5).astype(np.uint8), (region * 255 + 0.5).astype(np.uint8))
