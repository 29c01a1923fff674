"""A model's card: what it is, how it was made, what may be done with it, and where it fails."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from engines.blending import BlendSpec
from engines.errors import ToonifyError, UsageError
from engines.finish import PLAIN, Finish
from engines.networks.encoder import EncoderConfig
from engines.networks.generator_config import GeneratorConfig
from engines.text import plain

FORMAT_VERSION = 1
STYLE_NAME_LENGTH = 40
STYLE_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{STYLE_NAME_LENGTH - 1}}}")
_NAME = re.compile(r"[^./\\:][^/\\:]{0,79}")
_TEXTS = ("name", "title", "summary", "licence", "alignment", "value_range")


class BundleError(ToonifyError):
    """A bundle that cannot be loaded or saved, and what is wrong with it."""


class StyleError(BundleError, UsageError):
    """A style that the bundle does not have."""


@dataclass(frozen=True)
class Style:
    """One style of a bundle.

    Attributes:
        description: for people.
        blend: what it is shown with by default.
        finish: what is done to live pictures of it.
    """

    description: str = ""
    blend: BlendSpec = field(default_factory=lambda: BlendSpec(swap_resolution=None))
    finish: Finish = PLAIN

    def as_dict(self) -> dict[str, Any]:
        """As it stands in `card.json`: what is done to live pictures stands beside the rest."""
        values = asdict(self)
        finish = values.pop("finish")
        return {**values, **finish}


@dataclass(frozen=True)
class Card:
    """What a user must know to trust and run a bundle.

    Attributes:
        name: short name, also of the directory or file, so never a path.
        title, summary: for people.
        encoder, generator: architecture (None: no encoder yet).
        styles: style name -> `Style`; the first is the default.
        licence: SPDX name or text of the weights' licence, and of what they were made from.
        training: data, method, cost: heading -> text.
        metrics: measured quality: name -> value, with `metrics["how"]` the command.
        limits: known faults, one sentence each.
        alignment: how the input crop is cut from a picture.
        value_range: what input and output bytes mean.
        parts: file name -> sha256; filled in by `Bundle.save`.
    """

    name: str
    generator: GeneratorConfig
    encoder: EncoderConfig | None = None
    styles: Mapping[str, Style] = field(default_factory=dict)
    title: str = ""
    summary: str = ""
    licence: str = ""
    training: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    alignment: str = "FFHQ quad from eye centres and mouth corners, as a similarity transform"
    value_range: str = "uint8 RGB, 0..255, sRGB as cameras deliver it"
    format_version: int = FORMAT_VERSION
    parts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (_NAME.fullmatch(self.name) and self.name.isprintable()):
            raise BundleError(
                f"A model's name must be up to 80 characters without '/', '\\' and ':' and not "
                f"begin with a dot, not {self.name!r:.100}."
            )
        for name in self.styles:
            if not STYLE_NAME.fullmatch(name):
                raise BundleError(
                    f"A style's name must be up to {STYLE_NAME_LENGTH} lower-case letters, digits, "
                    f"'-' and '_', not {name!r:.100}."
                )

    def to_json(self) -> str:
        """The card as it stands in `card.json`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["generator"] = asdict(self.generator)
        values["encoder"] = self.encoder.as_dict() if self.encoder else None
        values["styles"] = {name: style.as_dict() for name, style in self.styles.items()}
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Parse a card; unknown or missing keys are refused by name.

        Raises:
            BundleError: when the text is not a card of this format version.
        """
        try:
            values = json.loads(text, parse_constant=_finite, parse_float=_finite)
            version = values["format_version"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BundleError(f"card.json is not a model card ({plain(repr(error))}).") from error
        if version != FORMAT_VERSION:
            raise BundleError(
                f"The card has format version {version!r:.40}, but this release reads version "
                f"{FORMAT_VERSION}; update the software or the model."
            )
        try:
            generator = dict(values.pop("generator"))
            generator["feature_channels"] = tuple(
                (side, channels) for side, channels in generator["feature_channels"]
            )
            encoder = values.pop("encoder")
            check_texts(values)
            styles = {
                name: Style(
                    style["description"],
                    _spec(style["blend"]),
                    Finish(**{wish.name: _flag(style, wish.name) for wish in fields(Finish)}),
                )
                for name, style in values.pop("styles").items()
            }
            return cls(
                generator=GeneratorConfig(**generator),
                encoder=EncoderConfig(**encoder) if encoder else None,
                styles=styles,
                limits=tuple(values.pop("limits")),
                **values,
            )
        except (KeyError, TypeError, ValueError, AttributeError, ToonifyError) as error:
            why = plain(error).rstrip(".")
            raise BundleError(f"card.json does not follow the format: {why}.") from error

    def to_markdown(self) -> str:
        """The card for people."""
        lines = [f"# {self.title or self.name}", "", self.summary, "", f"Licence: {self.licence}"]
        g = self.generator
        lines += [
            "",
            (
                f"Input: {self.encoder.input_size if self.encoder else '?'} px crop, "
                f"{self.value_range}; {self.alignment}. Output: {g.output_size} px toon"
                f"{' and a soft head mask' if g.mask_resolution else ''}."
            ),
            "",
            "## Styles",
            *(f"- `{name}`: {style.description}" for name, style in self.styles.items()),
        ]
        for heading, text in self.training.items():
            lines += ["", f"## {heading}", text]
        if self.metrics:
            lines += ["", "## Measured", "| figure | value |", "|---|---|"]
            lines += [f"| {name} | {value} |" for name, value in self.metrics.items()]
        if self.limits:
            lines += ["", "## Limits", *(f"- {limit}" for limit in self.limits)]
        lines += ["", "## Parts", *(f"- `{n}`: sha256 {h}" for n, h in self.parts.items()), ""]
        return "\n".join(lines)


def check_texts(values: Mapping[str, Any]) -> None:
    """Check the types of a card's texts: strings, and dictionaries of strings.

    Raises:
        TypeError: naming the first one that has another type.
    """
    for key in _TEXTS:
        if not isinstance(values.get(key, ""), str):
            raise TypeError(f"{key} should be a text, not {values[key]!r:.40}")
    for key in ("training", "parts"):
        texts = values.get(key, {})
        if not isinstance(texts, dict) or not all(isinstance(x, str) for x in texts.values()):
            raise TypeError(f"{key} should be texts by name, not {texts!r:.40}")
    if not isinstance(values.get("metrics", {}), dict):
        raise TypeError(f"metrics should be values by name, not {values['metrics']!r:.40}")


def _flag(style: Mapping[str, object], name: str) -> bool:
    value = style.get(name, False)  # older cards lack it
    if not isinstance(value, bool):
        raise TypeError(f"{name} should be true or false, not {value!r:.40}")
    return value


def _finite(word: str) -> float:
    """A number of the card. Python's parser takes NaN and infinity, which no web page can show."""
    if not math.isfinite(number := float(word)):
        raise ValueError(f"{word:.20} is no finite number")
    return number


def _spec(values: dict[str, Any]) -> BlendSpec:
    weights = values.get("weights")
    return BlendSpec(**{**values, "weights": None if weights is None else tuple(weights)})
