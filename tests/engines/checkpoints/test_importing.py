"""Public checkpoints turned into bundles that say what they can and cannot do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engines.blending import BlendSpec, blend
from engines.bundle import Bundle
from engines.card import BundleError
from engines.checkpoints import CheckpointError
from engines.checkpoints.importing import import_checkpoint
from tests.engines.checkpoints import writers
from tests.engines.conftest import FACE, TOON


def check_stored(stored: dict[str, torch.Tensor], state: dict[str, torch.Tensor]) -> None:
    """Bundles store FP16."""
    assert stored.keys() == state.keys()
    assert all(torch.equal(stored[name], p.half().float()) for name, p in state.items())


@pytest.mark.parametrize("name", ["film", "film.toon"])
def test_face_and_toon_become_a_bundle(tmp_path: Path, face: Path, toon: Path, name: str) -> None:
    spec = BlendSpec(swap_resolution=32, width=1.0)
    import_checkpoint(
        face, tmp_path / name, blend_with=[toon], styles=["cartoon-2"], spec=spec, licence="CC0"
    )
    bundle = Bundle.load(tmp_path / name)
    assert (bundle.card.name, bundle.styles, bundle.card.licence) == ("film", ("cartoon-2",), "CC0")
    assert bundle.card.styles["cartoon-2"].blend == spec
    check_stored(bundle.face, FACE)
    check_stored(bundle.toons["cartoon-2"], TOON)
    assert hashlib.sha256(toon.read_bytes()).hexdigest() in bundle.card.training["Source"]
    assert any("activation clamps" in limit for limit in bundle.card.limits)

    mixed = blend(bundle.face, bundle.toons["cartoon-2"], spec)
    generator = bundle.generator("cartoon-2")
    for key, p in generator.state_dict().items():
        assert torch.equal(p, mixed[key])
    z = torch.randn(1, 12, generator=torch.Generator().manual_seed(0))
    assert generator(z).shape == (1, 3, 64, 64)
    with pytest.raises(BundleError, match="no encoder, so it cannot turn a picture into a toon"):
        bundle.network()


def test_one_file_alone_is_face_and_style(tmp_path: Path, toon: Path) -> None:
    bundle = import_checkpoint(toon, tmp_path / "one")
    assert bundle.styles == ("cartoon",)
    check_stored(Bundle.load(tmp_path / "one").toons["cartoon"], TOON)
    assert "Not stated by the file" in bundle.card.licence
    assert "no encoder yet" in bundle.card.limits[0]
    assert bundle.card.generator.conv_clamp is None


def test_notes_of_the_reader_stand_in_the_card(tmp_path: Path) -> None:
    path = tmp_path / "training.pt"
    path.write_bytes(writers.rosinality_file(FACE, training=True))
    bundle = import_checkpoint(path, tmp_path / "out")
    assert any(
        limit.startswith("training.pt: It has no mean latent") for limit in bundle.card.limits
    )


def test_nothing_is_overwritten_unasked(tmp_path: Path, face: Path) -> None:
    out = tmp_path / "out"
    import_checkpoint(face, out)
    with pytest.raises(CheckpointError, match="there already"):
        import_checkpoint(face, out)
    assert import_checkpoint(face, out, styles=["new"], overwrite=True).styles == ("new",)
    assert Bundle.load(out).styles == ("new",)
    with pytest.raises(BundleError, match="something else than a model"):
        import_checkpoint(face, tmp_path, overwrite=True)


def test_models_that_do_not_fit_together(tmp_path: Path, face: Path) -> None:
    stranger, large = tmp_path / "stranger.pkl", tmp_path / "large.safetensors"
    stranger.write_bytes(writers.nvidia_pickle(writers.random_state(5)))
    with pytest.raises(CheckpointError, match=r"stranger\.pkl cannot be blended with .*w_avg"):
        import_checkpoint(face, tmp_path / "out", blend_with=[stranger])
    save_file({**FACE, "mapping.fc0.bias": torch.full((16,), 1e6)}, large)
    with pytest.raises(CheckpointError, match=r"mapping\.fc0\.bias exceeds FP16's 65504"):
        import_checkpoint(large, tmp_path / "out")
    with pytest.raises(CheckpointError, match="512 lies above"):
        import_checkpoint(
            face, tmp_path / "out", blend_with=[face], spec=BlendSpec(swap_resolution=512)
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("styles", "sentence"),
    [
        (["a"], "2 style names are needed, one per toon, not 1"),
        (["a", "a"], "Two styles would be named 'a'"),
        (["a", "../b"], r"'\.\./b' cannot name a style"),
        ([], "Two styles would be named 'cartoon'"),
    ],
)
def test_style_names(
    tmp_path: Path, face: Path, toon: Path, styles: list[str], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        import_checkpoint(face, tmp_path / "out", blend_with=[toon, toon], styles=styles)


def test_a_long_file_name_is_cut_to_a_style_name(tmp_path: Path, toon: Path) -> None:
    toon = toon.rename(tmp_path / f"{'x' * 41}.pt")
    assert import_checkpoint(toon, tmp_path / "out").styles == ("x" * 40,)
    with pytest.raises(CheckpointError, match="use up to 40 small letters"):
        import_checkpoint(toon, tmp_path / "other", styles=["x" * 41])
