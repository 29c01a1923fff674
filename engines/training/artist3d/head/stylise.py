"""The head's shape as an animated film would build it, in the rig's own space.

Everything is a smooth change of the fitted mesh: larger eyes with their lids and balls, a softer
nose, rounder cheeks, a slimmer jaw. Sizes are centimetres of the rig, a head being 22 tall.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Reals
from engines.training.artist3d.colour import rise, unit
from engines.training.artist3d.head.fit import Fit
from engines.training.artist3d.head.rig import (
    BALLS,
    CHIN,
    FACE,
    MOUTH_CORNERS,
    NOSE_BASE,
    NOSE_TIP,
    NOSE_WINGS,
    SKIN,
    Rig,
)
from engines.training.artist3d.observe.traits import Traits

FACE_WIDTH = 14.6  # mean, between the cheeks
MOST_EYE = 1.86  # greatest enlargement


@dataclass(frozen=True)
class EyeShape:
    """What became of one eye.

    Attributes:
        centre: [3] of the opening, depth of the ball, before.
        width: of the opening before, centimetres.
        scale: enlargement.
        opened: 0 closed .. 1 open.
        aspect: height over width before.
    """

    centre: NDArray[np.float64]
    width: float
    scale: float
    opened: float
    aspect: float


def stylise(
    rig: Rig, fit: Fit, traits: Traits, strength: float = 1.0
) -> tuple[NDArray[np.float64], tuple[EyeShape, EyeShape]]:
    """The film character's vertices [V, 3], rig space, and its eyes.

    Args:
        rig: the head model.
        fit: the person's head.
        traits: what kind of person.
        strength: 0 the person's own shape .. 1 the full character.
    """
    own = fit.vertices
    eyes = _plan_eyes(rig, own, traits)
    toon = own.copy()
    _enlarge_eyes(toon, own, eyes, traits)
    _open_eyes(toon, own, eyes, traits)
    _louder_identity(toon, rig, fit, traits)
    _shape_nose(toon, own, traits)
    _shape_lower_face(toon, own, rig, traits)
    _shape_cheeks_and_skull(toon, own, traits)
    _fill_ditches(toon, own, eyes)
    _smooth(toon, own, rig, eyes, traits)
    toon = own + strength * (toon - own)
    scaled = [replace(eye, scale=1 + strength * (eye.scale - 1)) for eye in eyes]
    return toon, (scaled[0], scaled[1])


def _plan_eyes(rig: Rig, own: Reals, traits: Traits) -> list[EyeShape]:
    """Both eyes aim at a common width; how open they are is the person's."""
    seen = []
    for loop_ids, ball_ids in zip(rig.lids, BALLS, strict=True):
        loop, ball = own[loop_ids], own[slice(*ball_ids)]
        width = float(np.ptp(loop[:, 0]))
        middle = np.abs(loop[:, 0] - loop[:, 0].mean()) < 0.25 * width
        height = float(np.ptp(loop[middle, 1]))
        centre = np.array([loop[:, 0].mean(), loop[:, 1].mean(), ball[:, 2].mean()])
        seen.append((centre, width, height))
    mean = (seen[0][1] + seen[1][1]) / 2
    share = 0.324 + 0.006 * traits.child - 0.024 * traits.male - 0.030 * traits.old
    scale = float(np.clip(share * FACE_WIDTH / mean, 1.22, MOST_EYE))
    scale = 1 + (scale - 1) * (1 - 0.22 * traits.glasses)
    return [
        EyeShape(
            c, w, scale, float(rise(0.12, 0.30, h / w)) * (1 - 0.85 * traits.looks_down), h / w
        )
        for c, w, h in seen
    ]


def _enlarge_eyes(toon: Reals, own: Reals, eyes: list[EyeShape], traits: Traits) -> None:
    """Scale each eye about its centre, fading towards brow, nose and cheek."""
    front = rise(2, 5.5, own[:, 2])
    for eye in eyes:
        d = own - eye.centre
        k = eye.scale
        # The corners move less than the lids: 0.94 would keep the eye's own proportions.
        rounder = (0.13 - 0.09 * traits.male) * eye.opened * float(rise(0.26, 0.42, eye.aspect))
        tall = 1 + (k - 1) * (0.94 + rounder)
        above = rise(0.6, 1.8, d[:, 1])
        radius = np.hypot(d[:, 0] * (1 - 0.25 * above), (1.08 + 0.45 * above) * d[:, 1])
        near = np.exp(-((radius / 2.80) ** 2.2)) * front
        side = np.sign(eye.centre[0])
        toon[:, 0] += near * ((k - 1) * d[:, 0] + side * 0.64 * (k - 1))
        toon[:, 1] += near * ((tall - 1) * d[:, 1] - 0.10 * (tall - 1))
        bulge = np.exp(-((radius / 2.2) ** 2)) * front
        toon[:, 2] += bulge * 0.45 * (k - 1) * np.clip(d[:, 2], -2, 2)


def _open_eyes(toon: Reals, own: Reals, eyes: list[EyeShape], traits: Traits) -> None:
    """Lift the upper lid and lower the lower one until the eye is as open as a character's.

    Narrow eyes stay the narrower ones; eyes that are closed or look down stay so.
    """
    front = rise(2, 5.5, own[:, 2])
    for eye in eyes:
        wanted = 0.415 + 0.145 * float(rise(0.15, 0.40, eye.aspect))
        wanted -= 0.030 * traits.male + 0.035 * traits.old + 0.03 * traits.smile
        awake = float(rise(0.15, 0.22, eye.aspect)) * (1 - 0.85 * traits.looks_down)
        missing = awake * max(wanted - eye.aspect * 1.03, 0.0) * eye.width * eye.scale
        d = own - eye.centre
        half = 0.5 * eye.aspect * eye.width
        across = 2 * d[:, 0] / eye.width
        arch = np.exp(-((np.abs(across) / 0.85) ** 3.2)) * front
        beyond = np.maximum(np.abs(d[:, 1]) - half, 0)
        up = np.clip(d[:, 1] / half, 0, 1) * np.exp(-((beyond / 1.7) ** 2))
        down = np.clip(-d[:, 1] / half, 0, 1) * np.exp(-((beyond / 1.7) ** 2))
        toon[:, 1] += missing * arch * (0.66 * up - 0.34 * down)


def _fill_ditches(toon: Reals, own: Reals, eyes: list[EyeShape]) -> None:
    """Raise the skin between the bridge and eyes that have grown towards it."""
    front = rise(2, 5.5, own[:, 2])
    middle = (eyes[0].centre[0] + eyes[1].centre[0]) / 2
    for eye in eyes:
        side = np.sign(eye.centre[0] - middle)
        across = ((own[:, 0] - middle) * side - 1.45) / 0.70
        along = (own[:, 1] - eye.centre[1] + 0.4) / 1.5
        toon[:, 2] += 0.55 * (eye.scale - 1) * np.exp(-(across**2) - along**2) * front


def _louder_identity(toon: Reals, rig: Rig, fit: Fit, traits: Traits) -> None:
    """What softening will take away: this face's difference from the mean, size apart."""
    base = rig.base.astype(np.float64)
    delta = fit.neutral - base
    known = np.column_stack([base[:FACE].ravel(), np.tile(np.eye(3), (FACE, 1))])
    pose = np.linalg.lstsq(known[::7], delta[:FACE].ravel()[::7], rcond=None)[0]
    delta = delta - pose[0] * base - pose[1:]
    amount = 0.20 * (1 - 0.6 * traits.child) * (1 - traits.mouth_open)
    where = rise(5, 9, base[:, 2]) * rise(3.4, 1.6, base[:, 1]) * rise(-14, -9, base[:, 1])
    toon += (amount * where)[:, None] * np.clip(delta, -1.2, 1.2)


def _shape_nose(toon: Reals, own: Reals, traits: Traits) -> None:
    """A little smaller and lifted, with a round tip; a man's stays nearly his own."""
    grown = traits.male * (1 - traits.child)
    front = rise(6.5, 9.5, own[:, 2])
    tip, base = own[NOSE_TIP], own[NOSE_BASE]
    origin = base + np.array([0, 0.5, -1.0])
    d = own - origin
    wide, up, down = d[:, 0] / 2.3, np.maximum(d[:, 1], 0) / 3.0, np.minimum(d[:, 1], 0) / 1.5
    near = np.exp(-((wide**2 + up**2 + down**2) ** 1.3)) * front
    toon[:, 0] += near * (0.89 + 0.05 * grown - 0.03 * traits.child - 1) * d[:, 0]
    toon[:, 1] += near * (
        (0.84 + 0.04 * grown - 0.02 * traits.child - 1) * d[:, 1] + 0.40 - 0.10 * grown
    )
    toon[:, 2] += (
        near
        * (0.84 + 0.06 * grown - 0.05 * traits.child - 1)
        * np.maximum(own[:, 2] - (tip[2] - 3.0), 0)
    )
    # The nose ends higher, and mouth and chin follow it, each a little less.
    below = (base[1] + 4.4 - own[:, 1]) / 4.4
    lift = 0.62 - 0.04 * grown - 0.16 * traits.child - 0.14 * traits.old
    middle = np.exp(-((own[:, 0] / 4.6) ** 4)) * rise(4.5, 8, own[:, 2])
    follow = rise(0.15, 1.0, below) * (1 - 0.40 * rise(0.9, 2.0, below))
    toon[:, 1] += lift * middle * follow
    _sculpt_nose(toon, own, traits)


def _sculpt_nose(toon: Reals, own: Reals, traits: Traits) -> None:
    """A round tip and two round wings, as clay would be pressed on, not a scan's edges."""
    grown = traits.male * (1 - traits.child)
    depth = own[NOSE_TIP, 2]
    outside = rise(depth - 2.9, depth - 2.1, own[:, 2])  # not what lies inside the nostrils
    tip_size = 1.30 + 0.10 * grown - 0.06 * traits.child
    press_ball(toon, toon[NOSE_TIP] + [0, -0.06, 0.10 - tip_size], tip_size, outside)
    for side, vertex in zip((-1, 1), NOSE_WINGS, strict=True):
        size = 0.74 + 0.05 * grown
        press_ball(toon, toon[vertex] + [side * 0.16, 0.50, 0.10], size, outside)


def press_ball(toon: Reals, centre: Reals, radius: float, where: Reals) -> None:
    """Move what lies inside a ball out to its surface."""
    away = toon - centre
    length = np.linalg.norm(away, axis=1)
    inside = np.clip(radius - length, 0, None) * rise(0.15 * radius, 0.5 * radius, length)
    front = rise(-0.35, 0.35, away[:, 2] / radius)
    toon += (0.75 * inside * where * front)[:, None] * unit(away)


def _shape_lower_face(toon: Reals, own: Reals, rig: Rig, traits: Traits) -> None:
    """Jaw and neck slimmer, the lower face shorter; a man keeps his."""
    male, child = traits.male, traits.child
    front = rise(6.5, 9.5, own[:, 2])
    mouth = (own[MOUTH_CORNERS[0]] + own[MOUTH_CORNERS[1]]) / 2
    chin, base = own[CHIN], own[NOSE_BASE]
    down = (mouth[1] - own[:, 1]) / max(mouth[1] - chin[1], 1)
    on_jaw = 1 / (1 + np.exp(-4.5 * (down - 0.2)))
    fade = np.exp(-0.25 * np.maximum(down - 1.3, 0) ** 2)
    toon[:, 0] += (0.945 + 0.05 * male + 0.05 * child - 1) * own[:, 0] * on_jaw * fade
    neck = rise(1.05, 1.9, down)
    toon[:, 0] += (0.93 + 0.04 * male - 1) * own[:, 0] * neck * (1 - on_jaw * 0.3)
    drop = np.maximum(base[1] - own[:, 1], 0)
    shorter = 0.080 * (1 - 0.6 * child) * (1 - 0.45 * male)
    toon[:, 1] += shorter * drop * np.exp(-0.02 * np.maximum(drop - 8, 0) ** 2)
    across, along = (own[:, 0] - mouth[0]) / 3.2, (own[:, 1] - mouth[1]) / 1.8
    toon[:, 1] += 0.10 * np.exp(-(across**4) - along**2) * front
    quiet = (1 - traits.mouth_open) * (1 - traits.smile)
    lips = np.exp(-((across * 1.1) ** 4) - ((own[:, 1] - mouth[1]) / 1.3) ** 2) * front
    fuller = (0.03 + 0.09 * quiet) * (1 - 0.8 * child)
    toon[:, 1] += fuller * (1 - traits.mouth_open) * lips * (own[:, 1] - mouth[1])
    toon[:, 0] += (0.07 - 0.03 * child) * lips * own[:, 0]
    at = np.hypot(rig.base[:SKIN, 0], rig.base[:SKIN, 1] + 3.45) + 9.0 * (rig.base[:SKIN, 2] < 9)
    hanging = float(np.clip(own[np.argmin(at), 1] - mouth[1] - 0.05, 0, 0.5))
    for corner in MOUTH_CORNERS:
        near = np.exp(-(((own - own[corner]) / [1.4, 1.4, 3]) ** 2).sum(1)) * front
        toon[:, 1] += (0.11 - 0.03 * male + (0.10 + 0.55 * hanging) * quiet) * near


def _shape_cheeks_and_skull(toon: Reals, own: Reals, traits: Traits) -> None:
    """Round cheeks, apples when smiling, a larger but not taller skull."""
    soft = 1 + 0.4 * traits.child - 0.45 * traits.male * (1 - traits.child)
    young = float(rise(34, 18, traits.age)) * (1 - 0.4 * traits.male)
    for side in (-1, 1):
        d = (own - [side * 5.0, -0.6, 7.5]) / [2.8, 2.4, 4.0]
        near = np.exp(-(d**2).sum(1)) * soft
        toon[:, 0] += side * 0.46 * near
        toon[:, 2] += 0.26 * near
        d = (own - [side * 4.6, -3.4, 7.0]) / [2.4, 2.2, 4.0]
        toon[:, 0] += side * 0.34 * young * np.exp(-(d**2).sum(1))
        d = (own - [side * 4.1, -0.9, 9.0]) / [1.5, 1.3, 3.0]
        apple = np.exp(-(d**2).sum(1)) * traits.smile
        toon[:, 2] += 0.36 * apple
        toon[:, 1] += 0.15 * apple
    up = rise(4.5, 12, own[:, 1])
    toon[:, 0] += 0.045 * own[:, 0] * up
    toon[:, 1] -= 0.045 * (1 - traits.child) * (own[:, 1] - 4.5) * up


def _smooth(toon: Reals, own: Reals, rig: Rig, eyes: list[EyeShape], traits: Traits) -> None:
    """Take the small forms of a scanned face away; lids, lips, nose and ears keep theirs."""
    at, rest = own[:SKIN], rig.base[:SKIN].astype(np.float64)
    front = rise(8, 10, at[:, 2])
    keep, below_eyes = np.zeros(SKIN), np.zeros(SKIN)
    for eye in eyes:
        d = at[:, :2] - eye.centre[:2]
        under = -d[:, 1] - 0.5 * eye.aspect * eye.width  # below the lower lid it is cheek
        lids = 1 - rise(1.4, 2.6, np.hypot(d[:, 0], 1.2 * d[:, 1]))
        lids = lids * (1 - rise(0.12, 0.6, under))
        lids = lids * rise(5, 7, at[:, 2])
        keep = np.maximum(keep, lids)
        bag = (1 - rise(1.6, 5.0, np.hypot(d[:, 0], d[:, 1] + 0.8))) ** 2 * rise(4, 6, at[:, 2])
        below_eyes = np.maximum(below_eyes, bag)
    lips = np.exp(-((rest[:, 0] / 2.9) ** 4) - ((rest[:, 1] + 3.45) / 1.25) ** 4)
    keep = np.maximum(keep, (0.84 + 0.14 * traits.mouth_open) * lips)
    nose = own[NOSE_BASE] + np.array([0, 0.5, -1.0])
    d = at - nose
    tip = np.exp(-((d[:, 0] / 2.5) ** 6) - (d[:, 1] / 1.7) ** 4) * front
    bridge = np.exp(-((d[:, 0] / 2.1) ** 4) - ((d[:, 1] - 2.2) / 2.4) ** 4) * front
    grown = 1 - traits.child
    keep = np.maximum(keep, np.maximum(0.82 * tip, 0.15 * traits.male * grown * bridge))
    keep = np.maximum(keep, 0.8 * rise(6.2, 7.2, np.abs(rest[:, 0])))
    jaw = np.exp(-(((rest[:, 1] + 6.5) / 2.2) ** 2)) * rise(2, 6, rest[:, 2])
    keep = np.maximum(keep, (0.12 + 0.48 * traits.male) * grown * jaw)
    free = 1 - np.clip(keep, 0, 1)
    first = (0.7 * free**1.5)[:, None]
    high = np.exp(-((d[:, 0] / 2.1) ** 4) - ((d[:, 1] - 3.1) / 1.7) ** 4) * front
    softer = np.maximum.reduce([below_eyes, 0.25 * rise(4, 7, at[:, 1]), high])
    then = (0.75 * free**2 * softer)[:, None]
    skin = toon[:SKIN].copy()
    rounds = round(9 - 4 * traits.male * grown - 3 * traits.old)
    for i in range(rounds + 45):
        rate = first if i < rounds else then
        skin += rate * (rig.neighbours @ skin - skin)
    toon[:SKIN] = skin
