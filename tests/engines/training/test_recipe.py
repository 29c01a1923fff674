"""Recipes by name and from files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from engines.errors import ToonifyError
from engines.training.recipe import RECIPES, find_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_survive_json(name: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(asdict(RECIPES[name])))
    assert find_recipe(str(path)) == find_recipe(name) == RECIPES[name]


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "does not hold"), ('{"size": {"colour": 1}}', "colour"), ("{}", "no stages")],
)
def test_recipes_that_are_none(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content)
    with pytest.raises(ToonifyError, match=message):
        find_recipe(str(path))
    with pytest.raises(ToonifyError, match="no recipe 'no-such'"):
        find_recipe("no-such")
