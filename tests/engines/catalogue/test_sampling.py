from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.bundle import Bundle
from engines.card import StyleError
from engines.catalogue.sampling import (
    Characters,
    NoCharactersError,
    lay_out,
    parse_seeds,
    sheet_of,
)
from engines.errors import UsageError
from tests.engines.factory import sampled_bundle, tiny_bundle


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return sampled_bundle()


@pytest.fixture(scope="module")
def characters(bundle: Bundle) -> Characters:
    return Characters(bundle)


def test_a_seed_is_one_character(bundle: Bundle, characters: Characters) -> None:
    first = characters.draw(3, 1.0)
    assert (first.shape, first.dtype) == ((64, 64, 3), np.uint8)
    assert np.array_equal(first, Characters(bundle).draw(3, 1.0))
    assert not np.array_equal(first, characters.draw(4, 1.0))


def test_it_is_what_the_generator_draws_for_nvidia_s_latent(
    bundle: Bundle, characters: Characters
) -> None:
    generator = bundle.generator()
    z = torch.from_numpy(np.random.RandomState(7).randn(1, generator.config.z_dim)).float()
    with torch.inference_mode():
        drawn = generator(z, 0.5)[0].permute(1, 2, 0)
    expected = (drawn * 127.5 + 128).clamp(0, 255).to(torch.uint8).numpy()
    assert np.array_equal(characters.draw(7, 0.5), expected)


def test_without_variety_all_are_the_mean(characters: Characters) -> None:
    assert np.array_equal(characters.draw(1, 0.0), characters.draw(2, 0.0))


def test_mixing_goes_from_the_second_character_to_the_first(characters: Characters) -> None:
    first, second = characters.draw(1, 1.0), characters.draw(2, 1.0)
    assert np.array_equal(characters.draw(1, 1.0, other=2, mix=4), second)
    mixes = [characters.draw(1, 1.0, other=2, mix=mix) for mix in (8, 16, 32, 64)]
    away = [float(np.abs(mixed.astype(int) - first).mean()) for mixed in mixes]
    assert all(one > 0 for one in away)
    assert away[-1] < away[0]


def test_styles_and_swaps_differ(bundle: Bundle) -> None:
    drawn = [
        Characters(bundle, style, swap).draw(1)
        for style, swap in ((None, None), ("comic", None), ("film", 16))
    ]
    assert not np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    with pytest.raises(StyleError, match="no style 'clay'"):
        Characters(bundle, "clay")
    with pytest.raises(StyleError, match="no style 'clay'"):
        Characters(bundle, "clay", 16)


def test_a_model_without_a_trained_mapping_network_says_so() -> None:
    with pytest.raises(NoCharactersError, match="draws from photos only"):
        Characters(tiny_bundle())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seed": -1}, "A seed must be"),
        ({"seed": 2**32}, "A seed must be"),
        ({"seed": 1, "other": -1}, "A seed must be"),
        ({"seed": 1, "truncation": 2.5}, "between 0 and 2"),
        ({"seed": 1, "truncation": float("nan")}, "between 0 and 2"),
        ({"seed": 1, "mix": 12}, "power of two"),
        ({"seed": 1, "mix": 128}, "to 64"),
        ({"seed": 1, "mix": 0}, "power of two"),
    ],
)
def test_wrong_values_are_refused(
    characters: Characters, arguments: dict[str, float], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        characters.draw(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seeds"), [("0-3,8", [0, 1, 2, 3, 8]), ("5", [5]), (" 1 - 2 , 7", [1, 2, 7])]
)
def test_seeds_are_read(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "3-1", "-1", "1,,2", "0-256", "0-200,0-100"])
def test_wrong_seeds_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"256|0-23"):
        parse_seeds(text)


def test_a_sheet_has_a_picture_for_each_seed(characters: Characters) -> None:
    count, drawn, across = sheet_of(characters, range(8), 0.7, None)
    pictures = list(drawn)
    assert (count, across) == (8, 6)
    assert [label for label, _ in pictures] == list("01234567")
    assert np.array_equal(pictures[5][1], characters.draw(5))
    sheet = lay_out(pictures, across)
    assert sheet.shape == (2 * (64 + 30), 6 * (64 + 4), 3)


def test_a_table_mixes_rows_and_columns(characters: Characters) -> None:
    count, drawn, across = sheet_of(characters, [1, 2, 3, 4, 5], 0.7, 16)
    pictures = list(drawn)
    assert (count, across, len(pictures)) == (12, 4, 12)
    assert [label for label, _ in pictures[4:8]] == ["1", "1 + 3", "1 + 4", "1 + 5"]
    assert np.array_equal(pictures[9][1], characters.draw(2, other=3, mix=16))
    with pytest.raises(UsageError, match="two seeds"):
        sheet_of(characters, [1], 0.7, 8)
    with pytest.raises(UsageError, match="power of two"):
        sheet_of(characters, [1, 2], 0.7, 9)
