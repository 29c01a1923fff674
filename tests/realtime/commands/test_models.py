"""`toonify models`: what the commands say and refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engines.bundle import Bundle
from engines.checkpoints import CheckpointError
from realtime.commands.models import import_model
from tests.engines.checkpoints import writers

FACE = writers.random_state(0)
TOON = {name: p + 0.01 for name, p in FACE.items()}


def test_importing_is_as_careful_as_the_library(tmp_path: Path) -> None:
    face, toon = tmp_path / "FFHQ 64.pkl", tmp_path / "Mein Trickfilm.pt"
    face.write_bytes(writers.nvidia_pickle(FACE))
    toon.write_bytes(writers.rosinality_file(TOON))
    out = tmp_path / "film.toon"
    import_model(face, [toon], out)
    bundle = Bundle.load(out)
    assert bundle.styles == ("mein-trickfilm",)
    assert "Not stated by the file" in bundle.card.licence
    assert any("activation clamps" in limit for limit in bundle.card.limits)
    with pytest.raises(CheckpointError, match="there already"):
        import_model(face, [], out)
    large = tmp_path / "large.safetensors"
    save_file({**FACE, "mapping.fc0.bias": torch.full((16,), 1e6)}, large)
    with pytest.raises(CheckpointError, match="exceeds FP16's 65504"):
        import_model(large, [], tmp_path / "large")
    with pytest.raises(CheckpointError, match="Two styles would be named"):
        import_model(face, [toon, toon], tmp_path / "twice")
    with pytest.raises(CheckpointError, match=r"nope\.pkl .* there is no such file"):
        import_model(tmp_path / "nope.pkl", [], tmp_path / "none")
