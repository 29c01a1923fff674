"""`toonify models`, `engines` and `blend`: what they print, write and return."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engines.faces.people import people
from tests.engines.factory import sampled_bundle
from tests.pictures import read_bgr
from tests.realtime.cli.shell import run


def test_models_are_listed_shown_and_blended(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOONIFY_MODELS", str(tmp_path))
    (tmp_path / "mine.toon").write_bytes(model.read_bytes())
    (tmp_path / "bad.toon").write_bytes(b"junk")
    code, out, _ = run(capsys, "models", "list")
    assert code == 0
    assert "mine" in out
    assert "damaged" in out
    assert "sha256" in run(capsys, "models", "show", "mine")[1]
    target = tmp_path / "mixed.toon"
    words = ["blend", "mine", "--out", target, "--style", "comic", "--swap", "16"]
    assert run(capsys, *words)[0] == 0
    assert "comic" in run(capsys, "models", "show", "mixed")[1]
    assert "exists" in run(capsys, *words)[2]
    for flag, value, message in (
        ("--swap", "12", "power of two"),
        ("--swap", "128", "lies above the models' 32 px"),
        ("--low", "both", "low must be"),
        ("--style", "clay", "no style 'clay'"),
    ):
        code, _, err = run(capsys, "blend", "mine", "--out", tmp_path / "x.toon", flag, value)
        assert code == 2
        assert message in err


def test_a_model_is_exported_for_servers(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "engines",
        "export",
        model,
        "--style",
        "comic",
        "--swap",
        "16",
        "--out",
        tmp_path / "r",
    ]
    code, out, err = run(capsys, *words, "--for", "openvino")
    assert (code, out) == (0, "")
    (folder,) = (tmp_path / "r").glob("*-comic-swap16")
    assert (folder / "1" / "model.xml").exists()
    assert f"remote:HOST:8001/{folder.name}" in err
    assert "On the wire, a face takes 12 kB" in err
    for flag, value, message in (
        ("--for", "torchserve", "for triton or openvino, not 'torchserve'"),
        ("--precision", "int8", "in fp16 or fp32, not int8"),
        ("--style", "clay", "no style 'clay'"),
    ):
        code, _, err = run(capsys, *words, "--for", "triton", flag, value)
        assert code == 2
        assert message in err


def test_engines_are_built_listed_and_cleared(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOONIFY_CACHE", str(tmp_path))
    words = ["engines", "build", "openvino:cpu", "--model", model, "--faces", "1"]
    code, _, err = run(capsys, *words)
    assert code == 0
    assert "built in" in err
    assert "was there already" in run(capsys, *words)[2]
    assert "openvino" in run(capsys, "engines", "list")[1]
    assert "Freed" in run(capsys, "engines", "clear")[2]
    assert "openvino" not in run(capsys, "engines", "list")[1]


def test_int8_is_calibrated_once_on_faces_that_are_given(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOONIFY_CACHE", str(tmp_path / "cache"))
    words = ["engines", "build", "openvino", "--model", model, "--precision", "int8"]
    monkeypatch.setattr("engines.backends.int8.INT8_LIMIT", 0.0)
    code, _, err = run(capsys, *words)
    assert code == 1
    assert re.search("Error: INT8 changes this model's pictures by .* choose bf16 or fp32", err)
    monkeypatch.setattr("engines.backends.int8.INT8_LIMIT", 255.0)
    code, _, err = run(capsys, *words)
    assert code == 0
    assert "Calibrating int8 on 32 crops of faces" in err
    assert re.search(r"Calibrated in \d+ s: int8 changes the toons by [\d.]+ of 255", err)
    picture = people()[0]
    made = ["image", picture, "--out", tmp_path / "out", "--model", model, "--precision", "int8"]
    code, _, err = run(capsys, *made, "--engine", "openvino")
    assert code == 0
    assert "Calibrating" not in err  # the engine was there already
    assert "int8, ready in" in err
    others = tmp_path / "others"
    others.mkdir()
    (others / "a.webp").write_bytes(picture.read_bytes())
    code, _, err = run(capsys, *words, "--calibration", others)
    assert code == 0
    assert "Calibrating int8 on 12 crops" in err
    assert "was there already" in run(capsys, *words, "--calibration", others)[2]
    for precision, message in (("fp99", "must be one of fp32"), ("fp32", "for --precision int8")):
        wrong = [*words[:-1], precision, "--calibration", others]
        code, _, err = run(capsys, *wrong)
        assert code == 2
        assert message in err
    code, _, err = run(capsys, *made, "--engine", "torch")
    assert code == 2
    assert re.search(r"Error: torch on \w+ runs .* here, not int8: choose one of those", err)


def test_random_characters_are_drawn_on_a_sheet(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sampled_bundle().save(tmp_path / "sampled.toon")
    words = ["models", "sample", tmp_path / "sampled.toon"]
    sheet, table = tmp_path / "sheet.png", tmp_path / "new" / "table.png"
    code, _, err = run(capsys, *words, "--out", sheet, "--seeds", "0-6", "--truncation", "0.5")
    assert (code, "7 pictures" in err) == (0, True)
    assert read_bgr(sheet).shape == (2 * 94, 6 * 68, 3)
    code, _, err = run(capsys, *words, "--out", table, "--seeds", "0-4", "--mix", "8")
    assert (code, "12 pictures" in err) == (0, True)
    for arguments, code, message in (
        (["--out", sheet], 1, "exists"),
        (["--out", tmp_path / "sheet.jpg"], 2, "ending in .png"),
        (["--out", tmp_path / "x.png", "--seeds", "a"], 2, "Seeds look like 0-23"),
        (["--out", tmp_path / "x.png", "--mix", "7"], 2, "power of two"),
        (["--out", tmp_path / "x.png", "--truncation", "3"], 2, "between 0 and 2"),
        (["--out", tmp_path / "x.png", "--style", "clay"], 2, "no style 'clay'"),
        (["--out", tmp_path / "x.png", "--swap", "128"], 2, "64 px"),
    ):
        found, _, err = run(capsys, *words, *arguments)
        assert (found, message in err) == (code, True), err
    code, _, err = run(capsys, "models", "sample", model, "--out", tmp_path / "x.png")
    assert (code, "draws from photos only" in err) == (1, True)
    assert not (tmp_path / "x.png").exists()
