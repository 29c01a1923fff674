"""Looks of both artists differ to the eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.training.artist3d.head.rig import FOLDER_VARIABLE, default_rig
from engines.training.looks import LOOKS, find_artist
from tests.engines.training.artist3d.conftest import Portrait


def test_looks_differ(
    portrait: Portrait, rig_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(rig_folder))
    assert default_rig() is default_rig()
    drawn = [
        find_artist(look)(portrait.rgb, portrait.landmarks, person=portrait.person).image
        for look in LOOKS
    ]
    changes = [
        np.abs(a.astype(int) - b).mean() for i, a in enumerate(drawn) for b in drawn[i + 1 :]
    ]
    assert min(changes) > 1
