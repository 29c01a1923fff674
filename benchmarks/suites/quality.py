"""Quality: how near the toon is to the artist's, and how it follows, on people never trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.conditions import Monitor
from benchmarks.quality import shape, steadiness
from benchmarks.quality.colour import TONES
from benchmarks.quality.judge import Judge, Measured, measure_portrait
from benchmarks.quality.metrics import UNITS, metric_result
from benchmarks.quality.motion import clip_results
from benchmarks.quality.portraits import Artist, Portrait, load_portraits
from benchmarks.quality.sheet import Strip, save_sheet
from benchmarks.report import Aim, Better, Report, Result, Skipped
from engines.backends import create_engine
from engines.catalogue import DEFAULT_BUNDLE
from engines.catalogue.models import find_bundle
from engines.networks.cost import macs
from engines.networks.toon import ToonNetwork
from engines.say import Say

WORST = 10
_Found = tuple[Measured, NDArray[np.float32], NDArray[np.float32]]
"""A person, and the landmarks on photo and toon."""


@dataclass(frozen=True)
class QualitySettings:
    """Which people to measure on, against which look, and where pictures go."""

    folder: Path
    cache: Path
    look: str = "film"
    style: str | None = None
    bundle: str = DEFAULT_BUNDLE
    engine: str = "auto"
    limit: int | None = None
    clips: Path | None = None
    sheet: Path | None = None

    def record(self) -> dict[str, Any]:
        """JSON-ready, without the user's paths."""
        return {
            "folder": self.folder.name,
            "look": self.look,
            "style": self.style,
            "bundle": self.bundle,
            "engine": self.engine,
            "limit": self.limit,
            "clips": self.clips.name if self.clips else None,
        }


def run(settings: QualitySettings, say: Say) -> Report:
    """Measures the model on every portrait; pictures the sheet and the ten worst."""
    network = find_bundle(settings.bundle).network(settings.style)
    return measure(network, load_portraits(settings.folder, settings.limit), settings, say)


def measure(
    network: ToonNetwork, portraits: Sequence[Portrait], settings: QualitySettings, say: Say
) -> Report:
    """`run` for a network and portraits at hand."""
    monitor = Monitor()
    engine = create_engine(network, settings.engine, max_batch=4, say=say)
    judge, artist = Judge(engine), Artist(settings.cache, settings.look)
    try:
        measured = []
        for i, portrait in enumerate(portraits):
            say(f"{portrait.name} ({i + 1} of {len(portraits)})")
            measured.append(measure_portrait(judge, artist, portrait))
        found = [(m, judge.points(m.photo), judge.points(m.output)) for m in measured]
        full = [(m, a, b) for m, a, b in found if a is not None and b is not None]
        results = [*_face_results(measured), *_kept_results(full), *_identity_results(judge, full)]
        skipped: list[Skipped] = []
        if settings.clips:
            say("following faces in moving clips")
            results += clip_results(judge, settings.clips, skipped)
    finally:
        judge.close()
        artist.close()
    groups = _tone_results(measured)
    if settings.sheet:
        _save_sheets(measured, settings.sheet)
    work = macs(
        network, torch.zeros(1, network.input_size, network.input_size, 3, dtype=torch.uint8)
    )
    return Report(
        kind="quality",
        settings={**settings.record(), "engine_used": f"{engine.name} {engine.precision}"},
        conditions={**monitor.finish().record(), "complaints": []},  # nothing here is timed
        results=[*results, *groups],
        skipped=skipped,
        aims=_aims([*results, *groups], work),
    )


def _face_results(measured: Sequence[Measured]) -> list[Result]:
    results = []
    for name in UNITS:
        having = [m for m in measured if name in m.numbers]
        if having:
            results.append(
                metric_result(name, [m.name for m in having], [m.numbers[name] for m in having])
            )
    return results


def _kept_results(full: Sequence[_Found]) -> list[Result]:
    """Whether people who differ in something on the photos differ in it on their toons."""
    if len(full) < 3:
        return []
    results = []
    for names, read in (
        (("gaze kept",), shape.gaze),
        (("brow height kept", "brow slope kept", "brow thickness kept"), shape.brows),
        (("yaw kept", "pitch kept"), shape.turn),
    ):
        before = np.array([read(photo) for _, photo, _ in full])
        after = np.array([read(toon) for _, _, toon in full])
        for column, name in enumerate(names):
            r = shape.correlation(before[:, column], after[:, column])
            results.append(metric_result(name, ["everybody"], [r]))
    return results


def _identity_results(judge: Judge, full: Sequence[_Found]) -> list[Result]:
    """Whether a toon is nearer to its own photo than to other people's.

    No face-recognition network is free to ship, so two stand-ins are reported, each for what it
    is: deep features of the face region, and the shape of the landmark mesh.
    """
    if len(full) < 3:
        return []
    photos = np.stack([judge.embedding(m.photo, a) for m, a, _ in full])
    toons = np.stack([judge.embedding(m.output, b) for m, _, b in full])
    by_shape = np.array([[shape.shape_distance(b, a) for _, a, _ in full] for _, _, b in full])
    names = [m.name for m, _, _ in full]
    results = []
    for name, table in (
        ("identity by features", shape.centred_cosine_distances(toons, photos)),
        ("identity by shape", by_shape),
    ):
        own = np.diag(table)
        others = (table.sum(axis=1) - own) / (len(own) - 1)
        result = metric_result(name, names, list(own / np.maximum(others, 1e-9)))
        result.metrics["found_first"] = float((table.argmin(axis=1) == np.arange(len(own))).mean())
        results.append(result)
    return results


def _tone_results(measured: Sequence[Measured]) -> list[Result]:
    """Colour differences by skin tone of the photo."""
    results = []
    for metric in ("skin colour", "hair colour"):
        for tone, _ in TONES:
            having = [m for m in measured if m.tone == tone and metric in m.numbers]
            if having:
                values = [m.numbers[metric] for m in having]
                results.append(metric_result(f"{metric}, {tone}", [m.name for m in having], values))
    return results


def _aims(results: Sequence[Result], work: int) -> list[Aim]:
    by_name = {result.name: result.metrics for result in results}
    aims = [Aim("GMAC a face", work / 1e9, 2.0, "lower")]

    def add(text: str, name: str, bound: float, better: Better, statistic: str = "mean") -> None:
        if name in by_name:
            value = by_name[name][statistic]
            if better == "neither":
                aims.append(Aim(text, abs(value - 1), bound, "lower"))
            else:
                aims.append(Aim(text, value, bound, better))

    add("feature distance of the head, share of the photo's", "feature distance", 0.25, "lower")
    add("detail of the head, off the artist's", "detail", 0.15, "neither", "median")
    add("face found on the toon", "face found", 0.99, "higher")
    add("eye size, off the artist's", "eye size", 0.10, "neither", "median")
    add("eyes behind hands and things that are painted", "covered eyes painted", 0.15, "lower")
    add("eyes beside them that are not", "free eyes left out", 0.05, "lower")
    add("mouth follows, r", "mouth follows", 0.95, "higher")
    add("blink follows, r", "blink follows", 0.85, "higher")
    for name in by_name:
        if name.startswith("mouth follows,"):
            add(f"{name}, r", name, 0.9, "higher")
        elif name.startswith("blink follows,"):
            add(f"{name}, r", name, 0.8, "higher")
    add("gaze kept, r over people", "gaze kept", 0.8, "higher")
    for what in ("height", "slope", "thickness"):
        add(f"brow {what} kept, r over people", f"brow {what} kept", 0.8, "higher")
    for what in ("yaw", "pitch"):
        add(f"{what} kept, r over people", f"{what} kept", 0.95, "higher")
    add("flicker of a still face, share of the input's", "flicker", 0.5, "lower")
    add("movement with the crop, off the crop's", "shift followed", 0.10, "neither")
    for metric in ("skin colour", "hair colour"):
        means = [m["mean"] for name, m in by_name.items() if name.startswith(f"{metric},")]
        if len(means) > 1:
            worst = max(means) / max(min(means), 1e-6)
            aims.append(Aim(f"{metric}, worst tone group over best", worst, 1.5, "lower"))
    return aims


def _save_sheets(measured: Sequence[Measured], path: Path) -> None:
    """The sheet of everybody, and beside it the ten worst."""

    def strip(one: Measured) -> Strip:
        caption = f"{one.name}: {one.numbers['feature distance']:.2f}"
        return Strip(caption, (one.photo, one.artist, one.output))

    title = "photo, artist, output; the head's feature distance to the artist, share of the photo's"
    save_sheet([strip(one) for one in measured], path, title=title)
    order = steadiness.worst_first([one.numbers["feature distance"] for one in measured])
    worst = [strip(measured[i]) for i in order[:WORST]]
    save_sheet(
        worst, path.with_name(f"{path.stem}-worst.png"), title=f"The worst. {title}", across=2
    )
