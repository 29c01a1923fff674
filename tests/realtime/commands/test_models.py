"""`toonify models`: what the commands say and refuse."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engines.bundle import Bundle, shipped_bundle
from engines.checkpoints import CheckpointError
from realtime.cli.app import main
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


@pytest.fixture
def strange_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installed models whose cards hold markup and escape sequences: evil, loud and broken.toon."""
    for name, change in (
        ("evil", {"format_version": "[/red]"}),
        ("loud", {"title": "a \x1b]0;owned\x07 [bold]b[/bold]", "limits": ["[/x] \x1b[2J"]}),
    ):
        folder = tmp_path / name
        shutil.copytree(shipped_bundle(), folder)
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        (folder / "card.json").write_text(json.dumps({**card, **change}), encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "broken.toon", "w") as archive:
        archive.writestr("card.json", "{}")
    data = (tmp_path / "broken.toon").read_bytes()
    # The name in the file's own header differs from the list at its end: the error quotes it.
    (tmp_path / "broken.toon").write_bytes(data.replace(b"card.json", b"\x1b[31m\x07\x08..", 1))
    monkeypatch.setenv("TOONIFY_MODELS", str(tmp_path))
    return tmp_path


def assert_plain(said: str) -> None:
    assert said.replace("\n", "").isprintable()
    assert max(map(len, said.splitlines())) < 500


def test_one_strange_model_hides_no_other(
    strange_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    assert_plain(shown)
    for name in ("film", "loud", "evil", "broken"):
        assert f" {name} " in shown
    assert shown.count("damaged") == 2
    assert "[/red]" in shown


def test_a_card_is_shown_as_plain_text(
    strange_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "show", "loud"]) == 0
    shown = capsys.readouterr().out
    assert_plain(shown)
    assert r"\x1b]0;owned\x07 [bold]b[/bold]" in shown
    for name in ("evil", "broken"):
        assert main(["models", "show", name]) == 1
        said = capsys.readouterr().err
        assert_plain(said)
        assert len(said.splitlines()) == 1
    assert r"\x1b" in said
