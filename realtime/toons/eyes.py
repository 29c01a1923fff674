"""The toon's eyes, painted at the frame's own resolution.

A network draws a few hundred pixels, in which an iris is a dozen wide: too few for a pupil, a rim
and the lights that make an eye live. The landmarks know where iris and lids are in the photo, and
the network's map says where they went in its toon. So there the eyes are painted again, sharp at
any size, both in the one colour that the person's irises have over time. Where no eye is seen,
because a hand or dark glasses cover it, nothing is painted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import transform_points
from engines.faces.build import lash_strength
from engines.faces.eyes.iris import UNKNOWN, iris_sample
from engines.faces.eyes.painted import IRIS_SCALE, EyePaint, paint_eye, scene_light
from engines.faces.eyes.shape import EyeShape
from engines.faces.features import BROW, EYE, IRIS, LID_POINTS, look_together, openness
from engines.faces.head import Head
from engines.faces.pixels import Floats, Reals, mix, step
from engines.pictures import Image
from realtime.compositing import GRID
from realtime.frame import as_uint8
from realtime.toons.detail import Box
from realtime.toons.eye_trust import awake, darkness, likeness, trust
from realtime.toons.finish.colour import Small, as_lab
from realtime.toons.places import settle_iris, toon_points

CHEEKS = [50, 205, 280, 425]
WATCHED = 256  # side at which a toon is looked at, pixels
LASHES = (0.2, 0.6)  # over the network's soft ones: so much, and so much times the person's
SMALLEST = 5.0  # width of an eye in frame pixels below which the network's is as good
COLOUR_MEMORY = 3.0  # seconds over which the light about the eyes and the lashes are averaged
LOOKS = 15  # at well-seen irises over which their colour is averaged
BROWN_WEIGHT = 3e-4  # of brown, a twentieth of two eyes' that are well seen
HAZE = (20.0, 45.0)  # L* of the darkest about an eye: clear .. as milky as pictures get
HARDLY_SEEN = 6.0  # times as much is added for irises too small to be seen
SLIVER = (2.5, 5.5)  # width of an eye in frame pixels: nothing is painted .. all
SEEN = (2.5, 6.0)  # radius of an iris in frame pixels: its colour is unknown .. surely known
NEEDED = np.unique([*EYE[0], *EYE[1], *IRIS[0][1], *IRIS[1][1], IRIS[0][0], IRIS[1][0], *CHEEKS])
"""The landmarks whose places in the toon are asked for."""
DEEPER = (0.045, (0.47, 0.36))
"""By how many of its widths a narrow eye's lower lid is lower, and what is narrow, height over
width: a network opens those further than its map says, and its white would show below."""
MIXING_INTERVAL = 0.2  # seconds in which neither colours nor light are looked at again
FIRM = (0.3, 0.7)  # trust: not painted .. painted; narrow, as a half-painted eye is a ghost
COMES, GOES = 0.12, 0.40  # seconds in which an eye comes from behind a hand, and goes there


@dataclass(frozen=True)
class Eyes:
    """Both eyes of one toon, ready to be painted wherever it lands.

    Attributes:
        points: float32 [478, 2], the toon's landmarks, 0..1 across its crop.
        open: 0 closed .. 1 open, of each eye.
        trust: 0..1, how surely each of them is seen, see `realtime.toons.eye_trust`; 0 in a blink.
        paint: their colours; lengths in shares of the crop's side.
    """

    points: NDArray[np.float32]
    open: tuple[float, float]
    trust: tuple[float, float]
    paint: EyePaint

    def shown(self, eye: int) -> float:
        """0..1, how far one of them is painted; closed lids are the network's."""
        return step(*FIRM, self.trust[eye]) * step(0.0, 0.20, self.open[eye])


@dataclass
class _Memory:
    """What is known of one person's eyes.

    Attributes:
        colours: see `_colours`, averaged.
        weight: how much the iris's counts against the next photo's.
        best: the most that one photo counted.
        paint: made of them at `mixed`, seconds.
        trust: 0..1 for each eye.
        time: of the newest toon, seconds.
    """

    colours: Floats
    weight: float
    best: float
    paint: EyePaint
    mixed: float
    trust: Floats
    time: float

    def trust_more(self, seen: Floats, opened: Reals, time: float) -> None:
        """Take in a newer toon; a blink says nothing of whether there is an eye."""
        elapsed = max(time - self.time, 0.0)
        memory = np.where(seen > self.trust, COMES, GOES)
        share = (1 - np.exp(-elapsed / memory)) * opened
        self.trust = self.trust + share * (seen - self.trust)
        self.time = time

    def average(self, colours: Floats, weight: float, time: float) -> None:
        """Take in a newer photo's colours: the light's and the lashes' over time, the iris's by how
        well it is seen, so that nobody's eyes turn brown who goes away from the camera."""
        self.best = max(self.best, weight)
        kept = min(self.weight, LOOKS * self.best)
        weight *= (weight / self.best) ** 2
        self.weight = kept + weight
        shares = np.full(len(colours), 1 - np.exp(-max(time - self.mixed, 0.0) / COLOUR_MEMORY))
        shares[:3] = weight / self.weight
        colours = np.where(np.isnan(colours), self.colours, colours)
        self.colours = (self.colours + shares * (colours - self.colours)).astype(np.float32)
        self.mixed = time


class EyeWatch:
    """Knows the eyes of everybody who is drawn, over time."""

    def __init__(self) -> None:
        self._known: dict[int, _Memory] = {}

    def see(
        self,
        identity: int,
        time: float,
        crop: Image,
        toon: Image,
        points: NDArray[np.floating],
        plan: NDArray[np.float32],
        zoom: float,
    ) -> Eyes:
        """The eyes of one person's newest toon.

        Args:
            identity: whose.
            time: of the frame, seconds.
            crop: uint8 [S, S, 3] BGR, the photo.
            toon: uint8 [R, R, 3] BGR, in the scene's colours.
            points: float [478, 3], landmarks, 0..1 across the crop.
            plan: see `realtime.toons.detail.Detail`.
            zoom: pixels of the frame in one of the crop.
        """
        opened = openness(points)
        flat = np.array(points, np.float32)[:, :2]
        moved = flat.copy()
        moved[NEEDED] = toon_points(moved[NEEDED], plan)
        for eye in range(2):
            settle_iris(points, moved, eye)
        look_together(moved, opened)
        whole = toon.shape[0] % WATCHED == 0  # else averaging would be slow
        kernel = cv2.INTER_AREA if whole else cv2.INTER_LINEAR
        small = as_uint8(cv2.resize(toon, (WATCHED, WATCHED), interpolation=kernel))
        drawn, shown = (
            [darkness(picture, at, eye, opened[eye]) for eye in range(2)]
            for picture, at in ((small, moved), (crop, flat))
        )
        widths = [EyeShape.of(flat, eye, opened[eye]).width for eye in range(2)]
        seen, lids = trust(drawn, shown, likeness(crop, points), widths), awake(drawn)
        known = self._known.get(identity)
        if known is not None:
            known.trust_more(seen, lids * np.array(opened), time)
        if known is None or not 0 <= time - known.mixed < MIXING_INTERVAL:
            colours, weight = _colours(crop, points, seen * opened * lids, zoom)
            if known is None:
                colours = np.nan_to_num(colours)
                paint = _paint(colours, small, moved)
                known = _Memory(colours, weight, weight, paint, time, seen, time)
                self._known[identity] = known
            else:
                known.average(colours, weight, time)
                known.paint = _paint(known.colours, small, moved)
        left, right = (float(value) for value in lids * known.trust)
        return Eyes(moved, opened, (left, right), known.paint)

    def forget(self, but: Collection[int] = ()) -> None:
        """Forget everybody `but` some."""
        self._known = {k: v for k, v in self._known.items() if k in but}


def paint_eyes(picture: Image, eyes: Eyes, box: Box, transform: NDArray[np.floating]) -> Image:
    """A pasted toon with its eyes painted.

    Args:
        picture: uint8 [h, w, 3] BGR, what is pasted into `box`.
        eyes: of this toon.
        box: where in the frame.
        transform: [2, 3], from a crop of `GRID` x `GRID` to the frame.

    Returns:
        uint8 [h, w, 3]; `picture` itself where there is nothing to paint.
    """
    side = np.asarray(transform, np.float64)[:, 0] * GRID  # the crop's upper side, frame pixels
    length = float(np.hypot(*side))
    points = transform_points(eyes.points * GRID, transform) - np.array([box.x, box.y], np.float32)
    points = points - 0.5  # OpenCV draws at the centres of pixels
    paint = replace(eyes.paint, unit=eyes.paint.unit * length)
    result = picture
    shapes = [
        EyeShape.of(points, eye, eyes.open[eye], side / length).deeper(*DEEPER) for eye in range(2)
    ]
    # The nearer eye counts for both: the far one of a turned head would have another colour.
    seen = step(SMALLEST, 2 * SMALLEST, max(shape.width for shape in shapes))
    for eye, shape in enumerate(shapes):
        share = seen * eyes.shown(eye) * step(*SLIVER, shape.width)
        edges = shape.box()
        left, top = np.maximum(edges[:2], 0)
        right, bottom = np.minimum(edges[2:], picture.shape[1::-1])
        if share < 0.02 or right <= left or bottom <= top:
            continue
        if result is picture:
            result = picture.copy()
        patch = cv2.cvtColor(result[top:bottom, left:right], cv2.COLOR_BGR2RGB)
        before = patch.astype(np.float32) / 255
        drawn = paint_eye(before, shape.moved(-left, -top), paint, 1)
        after = as_uint8(np.clip(mix(before, drawn, share) * 255 + 0.5, 0, 255).astype(np.uint8))
        result[top:bottom, left:right] = cv2.cvtColor(after, cv2.COLOR_RGB2BGR)
    return result


def _colours(
    crop: Image, points: NDArray[np.floating], shown: Reals, zoom: float
) -> tuple[Floats, float]:
    """What a photo says of the colours about its eyes, and how much that counts.

    Args:
        shown: 0..1, how much of each eye is seen.

    Returns:
        Iris sample, L* of the cheeks and of the darkest of the brows, light of the scene, strength
        of the lashes, haze (nan if no eye is seen), [8]; how well the irises are seen, above 0.
    """
    pixels = np.asarray(points, np.float32)[:, :2] * crop.shape[0] - 0.5
    cheeks, brows = (_lab_at(crop, pixels[ids]) for ids in (CHEEKS, [*BROW[0], *BROW[1]]))
    skin = np.median(cheeks, 0)
    widths = [float(np.ptp(pixels[ids, 0])) for ids in EYE]
    # In a small or turned face skin mixes into the white, and a dark iris would look blue.
    seen = step(*SEEN, 0.1 * sum(widths) * min(zoom, 1.0))
    darkest: list[float] = []
    samples, weights = [UNKNOWN], [BROWN_WEIGHT * (1 + HARDLY_SEEN * (1 - seen))]
    for eye, width in enumerate(widths):
        if shown[eye] < 0.05:
            continue
        reach, middle = round(0.6 * width) + 6, pixels[LID_POINTS[eye]].mean(0)
        patch = cv2.getRectSubPix(crop, (2 * reach, 2 * reach), tuple(map(float, middle)))
        lab = as_lab(as_uint8(patch))
        darkest.append(float(np.percentile(lab[..., 0], 1)))
        sample, area = iris_sample(lab, pixels - middle + (reach - 0.5), eye, skin)
        samples.append(sample)
        weights.append(area / crop.shape[0] ** 2 * float(shown[eye]) * seen)
    iris = np.array(weights) @ np.stack(samples) / sum(weights)
    lightest = scene_light(Small.of(crop).lab[..., 0])
    brow = np.percentile(brows[:, 0], 8)
    lashes = lash_strength(Head(np.asarray(points, np.float32)))
    haze = np.clip(min(darkest), *HAZE) - HAZE[0] if darkest else np.nan
    told = np.array([*iris, skin[0], brow, lightest, lashes, haze / 100], np.float32)
    return told, sum(weights[1:]) + 1e-6


def _lab_at(bgr: Image, pixels: NDArray[np.float32]) -> Floats:
    """L*a*b* at some places: [N, 3]."""
    at = cv2.remap(
        bgr,
        pixels[None, :, 0],
        pixels[None, :, 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return as_lab(as_uint8(at))[0]


def _paint(colours: Floats, toon: Image, points: NDArray[np.float32]) -> EyePaint:
    """Paint for both eyes in the light of the toon; `colours` as `_colours` gives them."""
    skin, brow, scene, lashes, haze = (float(value) for value in colours[3:])
    light, a, b = np.median(_lab_at(toon, points[CHEEKS] * toon.shape[0] - 0.5), 0)
    left, right = (points[ids].mean(0) for ids in LID_POINTS)
    paint = EyePaint.mixed(
        colours[:3],
        light=float(light) / 100,
        skin=np.array([a, b]),
        photo_skin=skin,
        photo_brow=brow / 100,
        contrast=brow / (skin + 5),
        scene=scene,
        lashes=LASHES[0] + LASHES[1] * lashes,
        iris_scale=IRIS_SCALE,
        light_side=0.0,
        colour=step(3, 9, float(np.hypot(a, b))),
        unit=float(np.linalg.norm(right - left)),
        crease=0.0,
        haze=haze,
    )
    return paint.printed(float(light) / 100)  # as the artist prints the whole head
