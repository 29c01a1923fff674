"""Looks are found by name, and each is drawn by its artist."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import ToonifyError
from engines.training.artist3d.head.rig import FOLDER_VARIABLE
from engines.training.looks import FLAT, LOOKS, SOLID, find_artist


def test_every_look_has_one_artist() -> None:
    assert set(FLAT) | set(SOLID) == set(LOOKS)
    assert not set(FLAT) & set(SOLID)


def test_an_unknown_look_is_refused_with_the_choice() -> None:
    with pytest.raises(ToonifyError, match=r"no look 'opera'; choose from film, .*comic-3d"):
        find_artist("opera")


def test_a_solid_look_needs_the_head_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(ToonifyError, match=r"head model was expected at .*, found no file"):
        find_artist("film-3d")
