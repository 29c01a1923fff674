"""Models made from others: imported, or blended anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from engines.bundle import Bundle
from engines.catalogue.making import blend_into, import_into
from engines.checkpoints import CheckpointError
from engines.errors import ToonifyError, UsageError
from engines.files import WriteError
from tests.engines.checkpoints import writers
from tests.engines.conftest import FACE
from tests.engines.factory import tiny_bundle


def test_checkpoints_are_imported_with_care(tmp_path: Path, face: Path, toon: Path) -> None:
    out = tmp_path / "film.toon"
    toon = toon.rename(tmp_path / "Mein Trickfilm.pt")
    import_into(out, face, [toon])
    bundle = Bundle.load(out)
    assert bundle.styles == ("mein-trickfilm",)
    assert "Not stated by the file" in bundle.card.licence
    assert any("activation clamps" in limit for limit in bundle.card.limits)
    with pytest.raises(CheckpointError, match="there already"):
        import_into(out, face, [])
    large = tmp_path / "large.safetensors"
    save_file({**FACE, "mapping.fc0.bias": torch.full((16,), 1e6)}, large)
    with pytest.raises(CheckpointError, match="exceeds FP16's 65504"):
        import_into(tmp_path / "large", large, [])
    with pytest.raises(CheckpointError, match="Two styles would be named"):
        import_into(tmp_path / "twice", face, [toon, toon])
    with pytest.raises(CheckpointError, match=r"nope\.pkl .* there is no such file"):
        import_into(tmp_path / "none", tmp_path / "nope.pkl", [])


@pytest.mark.parametrize("name", ["file/film.toon", "file/deep/film", f"{'x' * 300}.toon"])
def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError, match=r"cannot be written: (Not a directory|.*too long); give"):
        import_into(tmp_path / name, tmp_path / "nothing.pkl")
    with pytest.raises(WriteError, match=r"cannot be written: (Not a directory|.*too long); give"):
        blend_into(tmp_path / name, tiny_bundle())


def test_a_long_import_tells_how_far_it_is(tmp_path: Path) -> None:
    training = tmp_path / "training.pt"
    training.write_bytes(writers.rosinality_file(FACE, training=True))
    steps: list[tuple[str, float | None]] = []
    import_into(tmp_path / "a.toon", training, progress=lambda *step: steps.append(step))
    assert steps[0] == ("Reading training.pt", None)
    shares = [share or 0.0 for step, share in steps if step == "Mean latent of training.pt"]
    assert len(shares) > 10
    assert shares == sorted(shares)
    assert (shares[0], steps[-1]) == (0.0, ("Writing a.toon", None))


def test_a_blend_is_saved_as_the_first_style(tmp_path: Path) -> None:
    bundle = tiny_bundle()
    style = bundle.styles[-1]
    out = tmp_path / "mixed.toon"
    blend_into(out, bundle, style, swap=8, low="face", strength=0.5)
    saved = Bundle.load(out)
    assert saved.card.name == "mixed"
    assert saved.styles[0] == style
    assert set(saved.styles) == set(bundle.styles)
    blend = saved.card.styles[style].blend
    assert (blend.swap_resolution, blend.low, blend.strength) == (8, "face", 0.5)
    with pytest.raises(ToonifyError, match="exists; give another --out"):
        blend_into(out, bundle)
    wrongs: tuple[dict[str, Any], ...] = (
        {"swap": 12},
        {"level": "conv9"},
        {"low": "both"},
        {"style": "clay"},
    )
    for wrong in wrongs:
        with pytest.raises(UsageError):
            blend_into(tmp_path / "other.toon", bundle, **wrong)
    assert not (tmp_path / "other.toon").exists()
