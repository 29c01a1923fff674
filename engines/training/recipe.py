"""What models are trained with, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engines.catalogue import DEFAULT_BUNDLE
from engines.errors import ToonifyError
from engines.training.export import model_size
from engines.training.learn.stages import Stage, TrainSettings

_FULL_SIZE = Stage(
    "toon",
    10_000,
    256,
    lr=1.2e-3,
    face_share=0.0,
    features=2.0,
    feature_share=0.5,
    elsewhere=0.2,
    detail=3.0,
    colour=3.0,
    close_up=0.5,
    statistics=False,
)
_FOVEA = Stage(
    "fovea",
    12_000,
    512,
    lr=2.5e-3,
    face_share=0.0,
    features=0.5,
    feature_share=0.5,
    gradients=3.0,
    colour=4.0,
    trains=("fovea",),
    statistics=False,
)
"""No term for the amount of detail, wherever it is: two sub-pixel steps earn it with a grid."""

FILM = TrainSettings(
    stages=(
        Stage(
            "shape", 24_000, 128, lr=1.5e-3, face_share=0.0,
            features=2.0, feature_share=0.5, colour=2.0,
        ),
        replace(
            _FULL_SIZE,
            name="siblings",
            pictures=60_000,
            lr=7e-4,
            face_share=0.12,
            swap_share=0.12,
            consistency=0.2,
            close_up=2.0,
            fork="face",
        ),
        replace(
            _FULL_SIZE,
            pictures=12_000,
            lr=8e-4,
            detail=4.0,
            gradients=1.0,
            close_up=2.0,
            trains=("toon",),
        ),
        replace(_FOVEA, face_share=0.15),
    ),
    batch_size=8,
    twins=1,
    seed=1,
    clip=20.0,
)  # fmt: skip
"""The toon model at 128 px; then the face model, started from it, beside it at 256 px; then the
toon model alone; then the eyes and mouths of both at 512 px.

A low rate matters: with batches of 8, most of what is learned at a high one is noise.

The other order, face first, was tried and failed: reconstructing portraits uses only the finest
feature map, so the deep ones, which toons need, stop learning."""

SECOND_LOOK = TrainSettings(
    stages=(replace(_FULL_SIZE, close_up=1.0, trains=("toon",)), _FOVEA),
    batch_size=8,
    seed=2,
    clip=10.0,
)
"""One more look for a finished model: only a toon generator learns, so the encoder and the face
generator stay the same for all looks."""

RECIPES = {DEFAULT_BUNDLE: FILM, "second-look": SECOND_LOOK}

FILM_VARIANTS = 900
"""Extra pairs with closed and narrowed eyes and open mouths, which portraits seldom show."""

FILM_TURNED = 400
"""Extra pairs with heads turned to as much as 60 degrees, for looks that have a head model."""

FILM_WORDS = Path(__file__).parent / "assets" / "film.json"
"""What the card of `DEFAULT_BUNDLE` says, as `engines.training.export.Description` reads it."""


def settings_from(values: Mapping[str, Any]) -> TrainSettings:
    """`TrainSettings` from the plain values that a checkpoint or a JSON file holds."""
    rest = dict(values)
    size = model_size({"encoder": None, **rest.pop("size", {})})
    stages = tuple(Stage.read(stage) for stage in rest.pop("stages", ()))
    return TrainSettings(size=size, stages=stages, **rest)


def find_recipe(name: str) -> TrainSettings:
    """One of `RECIPES` by its name, or a recipe from a JSON file with the same fields.

    Raises:
        ToonifyError: when there is no such recipe, or the file does not hold one.
    """
    if name in RECIPES:
        return RECIPES[name]
    path = Path(name)
    if not path.is_file():
        raise ToonifyError(
            f"There is no recipe {name!r}; choose {' or '.join(RECIPES)}, or a JSON file of "
            f"training settings."
        )
    try:
        settings = settings_from(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, AttributeError) as error:
        raise ToonifyError(f"{path} does not hold training settings: {error}.") from error
    if not settings.stages:
        raise ToonifyError(f"{path} has no stages, so there is nothing to train; add some.")
    return settings
