"""The names and units of what is judged, and one metric over many faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.report import Better, Result, Series

UNITS: dict[str, tuple[str, Better]] = {
    "feature distance": ("share of the photo's", "lower"),
    "feature distance, whole crop": ("share of the photo's", "lower"),
    "head outline": ("overlap with the artist's", "higher"),
    "detail": ("share of the artist's", "neither"),
    "face found": ("share of outputs", "higher"),
    "eye size": ("share of the artist's", "neither"),
    "eyes open": ("share of the artist's", "higher"),
    "eye colour": ("CIE76 to the artist's", "lower"),
    "spectacles": ("share of a drawn-on frame", "neither"),
    "covered eyes painted": ("share of people", "lower"),
    "free eyes left out": ("share of people", "lower"),
    "mouth follows": ("r", "higher"),
    "blink follows": ("r", "higher"),
    "gaze kept": ("r over people", "higher"),
    "brow height kept": ("r over people", "higher"),
    "brow slope kept": ("r over people", "higher"),
    "brow thickness kept": ("r over people", "higher"),
    "yaw kept": ("r over people", "higher"),
    "pitch kept": ("r over people", "higher"),
    "flicker": ("share of the input's", "lower"),
    "shift error": ("share of standing still", "lower"),
    "shift followed": ("share of the crop's", "neither"),
    "skin colour": ("CIE76 to the artist's", "lower"),
    "hair colour": ("CIE76 to the artist's", "lower"),
    "identity by features": ("own over others", "lower"),
    "identity by shape": ("own over others", "lower"),
}


def metric_result(name: str, names: Sequence[str], values: Sequence[float]) -> Result:
    """One metric over faces; `worst` is the face farthest from what is wanted.

    The label `names` holds everybody's name, in order; a blank within a name becomes `_`.
    """
    unit, better = UNITS[name.partition(",")[0]]
    off = {"lower": np.array(values), "higher": -np.array(values)}.get(
        better, np.abs(np.array(values) - 1)
    )
    return Result(
        name,
        {"unit": unit, "names": " ".join("_".join(name.split()) for name in names)},
        {"faces": Series(unit, better, [list(values)])},
        {
            "median": float(np.median(values)),
            "mean": float(np.mean(values)),
            "worst": float(values[int(np.argmax(off))]),
            "count": float(len(values)),
        },
    )
