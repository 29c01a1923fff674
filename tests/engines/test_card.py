"""Model cards: for people, for programs, and refused when they make no sense."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engines.bundle import MAX_CARD_BYTES, Bundle
from engines.card import STYLE_NAME_LENGTH, BundleError


def test_card_is_for_people_too(saved: Path) -> None:
    text = (saved / "CARD.md").read_text()
    assert "film" in text
    assert Bundle.load(saved).card.parts["face.safetensors"] in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not a model card"),
        ('{"format_version": 1, "title": NaN}', "NaN is no finite number"),
        ('{"format_version": 1, "metrics": {"a": 1e400}}', "1e400 is no finite number"),
        ('{"format_version": 99}', "format version 99"),
        ('{"format_version": 1}', "does not follow the format"),
        (
            """{"format_version": 1, "encoder": null, "styles": {},
            "generator": {"\\u001b[2J": 1, "feature_channels": []}}""",
            r"unexpected keyword argument '\\x1b\[2J'",
        ),
    ],
)
def test_broken_cards_are_refused(saved: Path, text: str, message: str) -> None:
    (saved / "card.json").write_text(text)
    with pytest.raises(BundleError, match=message):
        Bundle.load(saved)


@pytest.mark.parametrize("wish", ["painted_eyes", "inked", "relief", "haired_brows", "reshaped"])
def test_a_style_says_how_live_pictures_are_finished(saved: Path, wish: str) -> None:
    values = json.loads((saved / "card.json").read_text())
    style = values["styles"]["film"]
    assert style.pop(wish) is False
    (saved / "card.json").write_text(json.dumps(values))
    assert not getattr(Bundle.load(saved).card.styles["film"].finish, wish)  # as of an older card
    style[wish] = "yes"
    (saved / "card.json").write_text(json.dumps(values))
    with pytest.raises(BundleError, match=f"{wish} should be true or false"):
        Bundle.load(saved)


def test_a_style_cannot_name_a_path(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="lower-case letters"):
        replace(bundle.card, styles={"../film": bundle.card.styles["film"]})


def test_a_style_s_name_has_a_limit(bundle: Bundle) -> None:
    style = bundle.card.styles["film"]
    replace(bundle.card, styles={"x" * STYLE_NAME_LENGTH: style})
    with pytest.raises(BundleError, match=f"up to {STYLE_NAME_LENGTH} lower-case letters"):
        replace(bundle.card, styles={"x" * (STYLE_NAME_LENGTH + 1): style})


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", ".hidden", "C:evil", "a\\b", "a\nb", "x" * 81, "\u202eexe"]
)
def test_a_model_cannot_name_a_path(bundle: Bundle, name: str) -> None:
    with pytest.raises(BundleError, match="A model's name must be"):
        replace(bundle.card, name=name)
    assert replace(bundle.card, name="Grüße (2), v1.5").name


BAD_CARDS: dict[str, tuple[dict[str, object], str]] = {
    "parts": ({"parts": 5}, "parts should be texts by name, not 5"),
    "parts of numbers": ({"parts": {"face.safetensors": 5}}, "parts should be"),
    "name": ({"name": 5}, "name should be a text, not 5"),
    "summary": ({"summary": ["a"]}, "summary should be a text"),
    "training": ({"training": [1]}, "training should be texts"),
    "metrics": ({"metrics": 1}, "metrics should be values"),
    "limits": ({"limits": 1}, "does not follow the format"),
    "resolution": ({"generator.resolution": 2**40}, "resolution must be a power of two"),
    "resolution as text": ({"generator.resolution": "64"}, "resolution must be a power of two"),
    "endless mapping": ({"generator.mapping_layers": 10**9}, "mapping_layers must be .* to 32"),
    "mapping": ({"generator.mapping_layers": 1.5}, "mapping_layers must be a whole number"),
    "w_dim": ({"generator.w_dim": -1}, "w_dim must be .* from 1 to 4096, not -1"),
    "no channels": ({"generator.channel_base": 1}, "channel_base must be"),
    "channels": ({"generator.channel_max": 10**9}, "channel_max must be"),
    "clamp": ({"generator.conv_clamp": -1.0}, "conv_clamp must be"),
    "clamp as text": ({"generator.conv_clamp": "x"}, "conv_clamp must be"),
    "noise": ({"generator.noise": "no"}, "noise must be true or false"),
    "features": ({"generator.feature_channels": [[4, 10**9]]}, "feature map at 4 px must be"),
    "features in parts": ({"generator.feature_channels": [[4, 1.5]]}, "feature map at 4 px must"),
    "features twice": ({"generator.feature_channels": [[4, 8], [4, 8]]}, "different blocks"),
    "features nowhere": ({"generator.feature_channels": [[5, 8]]}, "different blocks"),
    "mask": ({"generator.mask_resolution": 5}, "mask_resolution must be 0 or a block"),
    "photo": ({"generator.photo_resolution": "x"}, "photo_resolution must be 0 or a block"),
    "endless depths": ({"encoder.depths": [10**9, 1, 1, 1]}, "depth must be .* from 0 to 32"),
    "widths": ({"encoder.widths": [10**9, 1, 1, 1]}, "width must be"),
    "widths of no number": ({"encoder.widths": 5}, "does not follow the format"),
    "many styles": ({"encoder.num_ws": 10**9}, "num_ws must be"),
    "style width": ({"encoder.style_width": 0}, "style_width must be"),
    "input": ({"encoder.input_size": 4}, "input_size must be"),
    "blend": ({"styles": {"film": {"description": "", "blend": {"width": "x"}}}}, "format"),
}


@pytest.mark.parametrize("case", BAD_CARDS)
def test_cards_that_make_no_sense(saved: Path, case: str) -> None:
    changes, message = BAD_CARDS[case]
    card = json.loads((saved / "card.json").read_text())
    for place, value in changes.items():
        *inside, key = place.split(".")
        (card[inside[0]] if inside else card)[key] = value
    (saved / "card.json").write_text(json.dumps(card))
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.load(saved)
    assert str(caught.value).startswith(f"{saved}: card.json does not follow the format: ")


def test_cards_without_end(saved: Path) -> None:
    (saved / "card.json").write_text("[" * 100_000)
    with pytest.raises(BundleError, match="not a model card"):
        Bundle.load(saved)
    (saved / "card.json").write_text(" " * (MAX_CARD_BYTES + 1))
    with pytest.raises(BundleError, match=r"card\.json is larger than 1048576 bytes"):
        Bundle.load(saved)
