"""A bundle from a trainer's checkpoint, and one more style for a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.blending import layer_weights
from engines.bundle import Bundle
from engines.card import Card, Style, check_texts
from engines.errors import ToonifyError
from engines.networks.encoder import EncoderConfig
from engines.training.learn.models import ModelSize
from engines.training.learn.runs import CHECKPOINT, read_checkpoint

WHOLE_TOON = Style()
"""What a card says of a style by default: all of it is shown, as the network draws it."""
State = dict[str, Tensor]


@dataclass(frozen=True)
class Description:
    """The part of a model card that a person writes: see `engines.card.Card` for each field.

    It is written before there is a model. A `Card` is complete: the architecture and the styles
    belong to it, and only `export` knows those.
    """

    title: str = ""
    summary: str = ""
    licence: str = ""
    training: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Description:
        """Read a description from a JSON file with any of these fields as keys.

        Raises:
            ToonifyError: when the file is missing, is not JSON, or has other keys or values.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            check_texts(values)
            return cls(**{**values, "limits": tuple(values.get("limits", ()))})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ToonifyError(
                f"{path} was expected to be a JSON file with any of title, summary, licence, "
                f"training, metrics and limits, but: {error}."
            ) from error


@dataclass(frozen=True)
class TrainedModels:
    """The averaged weights of a trainer's checkpoint."""

    size: ModelSize
    encoder: State
    face: State
    toon: State

    @classmethod
    def read(cls, path: Path) -> TrainedModels:
        """Read `checkpoint.pt`, given its path or that of its training folder.

        Raises:
            ToonifyError: when it is not a checkpoint of the face and toon trainer.
        """
        path = path / CHECKPOINT if path.is_dir() else path
        state = read_checkpoint(path)
        try:
            size = model_size(json.loads(state["settings"])["size"])
            ema: State = state["ema"]
        except (KeyError, TypeError, ValueError) as error:
            raise ToonifyError(
                f"{path} is not a checkpoint of the face and toon trainer ({error!r} is missing or "
                f"wrong); give the folder of 'toonify train run'."
            ) from error
        return cls(size, **{n: part(ema, n) for n in ("encoder", "face", "toon")})


def model_size(values: Mapping[str, Any]) -> ModelSize:
    """`ModelSize` from the plain values in a checkpoint."""
    encoder = values["encoder"]
    return ModelSize(**{**values, "encoder": EncoderConfig(**encoder) if encoder else None})


def part(state: State, name: str) -> State:
    """The tensors of one sub-module, under their names within it."""
    start = f"{name}."
    return {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}


def export(
    models: TrainedModels,
    name: str,
    description: Description,
    *,
    style: str = "film",
    entry: Style = WHOLE_TOON,
) -> Bundle:
    """A bundle with one style, from trained weights (FP32 in memory, FP16 once saved); `entry` is
    what its card says of the style.

    Raises:
        SpecError: when the blend does not fit the resolution.
    """
    layer_weights(entry.blend, models.size.generator_config().resolution)
    card = Card(
        name=name,
        generator=models.size.generator_config(),
        encoder=models.size.encoder_config(),
        styles={style: entry},
        **vars(description),
    )
    return Bundle(card, models.face, {style: models.toon}, models.encoder)


def add_style(
    bundle: Bundle,
    style: str,
    toon: State,
    entry: Style = WHOLE_TOON,
) -> Bundle:
    """`bundle` with one more toon generator, trained from its face generator and encoder; `entry`
    is what its card says of the style.

    Raises:
        ToonifyError: when there is a style of that name, the generator has another architecture, or
            the blend does not fit its resolution.
    """
    layer_weights(entry.blend, bundle.card.generator.resolution)
    if style in bundle.toons:
        raise ToonifyError(
            f"{bundle.card.name} has a style {style!r} already; choose another name."
        )
    for key in sorted(bundle.face.keys() ^ toon.keys()):
        raise ToonifyError(f"The new style and {bundle.card.name} differ: only one has {key}.")
    for key, tensor in toon.items():
        if tensor.shape != bundle.face[key].shape:
            raise ToonifyError(
                f"The new style's {key} is {list(tensor.shape)}, but {bundle.card.name} has "
                f"{list(bundle.face[key].shape)}; train it from this model."
            )
    card = replace(bundle.card, styles={**bundle.card.styles, style: entry})
    return replace(bundle, card=card, toons={**bundle.toons, style: toon})


def add_trained_style(
    bundle: Bundle, models: TrainedModels, style: str, entry: Style = WHOLE_TOON
) -> Bundle:
    """`add_style` for a toon generator that was trained with this bundle's encoder unchanged.

    Raises:
        ToonifyError: when the checkpoint has another encoder, so the style would not work with the
            bundle's.
    """
    ours = bundle.encoder or {}
    if ours.keys() != models.encoder.keys() or any(
        # The bundle's weights were rounded to FP16.
        not torch.allclose(t.float(), models.encoder[k].float(), rtol=2e-3, atol=1e-4)
        for k, t in ours.items()
    ):
        raise ToonifyError(
            f"The style was trained with another encoder than {bundle.card.name} has; train it "
            f"with 'toonify train run --base {bundle.card.name}'."
        )
    return add_style(bundle, style, models.toon, entry)
