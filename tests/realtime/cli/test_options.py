"""What a model or an engine cannot take, on every command that takes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from engines.faces.people import people
from realtime.settings import load_settings
from realtime.tables import FLAGS
from tests.realtime.cli.shell import run
from tests.realtime.media import write_movie


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("style", "clay", "no style 'clay'; choose one of film, comic"),
        ("swap", 128, "swap_resolution 128 lies above the models' 32 px"),
        ("engine", "warp", "no back end 'warp': choose auto or tensorrt-rtx"),
        ("precision", "fp8", "{} must be one of fp32, fp16, bf16, int8, not 'fp8'"),
    ],
)
def test_what_a_model_or_engine_could_never_take_is_wrong_use(
    flag: str,
    value: str | int,
    message: str,
    tmp_path: Path,
    model: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "a.toml"
    key = FLAGS[flag][1]
    config.write_text(f'[engine]\nmodel = "{model.as_posix()}"\n{key} = {value!r}\n')
    film = write_movie(tmp_path / "in.mp4", 2)
    given = ["--model", model, f"--{flag}", value]
    for words in (
        ["run", *given],
        ["run", "--config", config],
        ["demo", "--out", tmp_path / "demo", *given],
        ["image", film, "--out", tmp_path / "toons", *given],
        ["video", film, tmp_path / "out.mp4", *given],
        ["video", film, tmp_path / "out.mp4", "--config", config],
    ):
        code, _, err = run(capsys, *words)
        name = f"engine.{key}" if "--config" in words else f"--{flag}"
        assert message.format(name) in err
        assert code == 2
    assert sorted(tmp_path.iterdir()) == [config, film]


@pytest.mark.parametrize("share", ["50%", "0.5", "50 %"])
def test_a_share_of_the_processor_is_kept(
    share: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.toml"
    words = ["--source", "demo", "--cpu", share, "--no-move", "--save", path]
    assert run(capsys, "run", *words)[0] == 0
    settings = load_settings(path)
    assert settings.engine.cpu == 0.5
    assert not settings.compositing.move


@pytest.mark.parametrize("share", ["half", "0", "50", "120%", "-1", ""])
def test_what_is_no_share_of_the_processor_is_refused(
    share: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "run", "--source", "demo", "--cpu", share)
    assert code == 2
    assert "50%" in err


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_an_engine_that_cannot_run_here_is_no_wrong_use(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--out", tmp_path, "--model", model, "--engine", "cuda"]
    code, _, err = run(capsys, "demo", *words)
    assert code == 1
    assert "cuda" in err


def test_int8_without_its_package_or_its_faces_is_told(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOONIFY_CACHE", str(tmp_path / "cache"))
    film = write_movie(tmp_path / "in.mp4", 2)
    given = ["--model", model, "--engine", "openvino"]
    for words in (
        ["demo", "--out", tmp_path / "demo"],
        ["image", people()[0], "--out", tmp_path / "out"],
        ["video", film, tmp_path / "out.mp4"],
        ["run", "--source", "demo", "--sink", tmp_path / "a.mp4"],
    ):
        code, _, err = run(capsys, *words, *given, "--calibration", tmp_path)
        assert code == 2
        assert "Error: --calibration is for --precision int8 only" in err
        both = ["--precision", "int8", "--calibration", tmp_path / "none"]
        code, _, err = run(capsys, *words, *given, *both)
        assert code == 1
        assert f"The folder {tmp_path}/none for --calibration cannot be read" in err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = run(capsys, *words, *given, "--precision", "int8")
    assert code == 1
    assert re.search(r"Error: INT8 needs NNCF: .*-m pip install .*\[int8\]", err)


def test_a_precision_that_a_back_end_lacks_is_wrong_use(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--model", model, "--engine", "torch:cpu", "--precision", "int8"]
    code, _, err = run(capsys, "demo", "--out", tmp_path, *words)
    assert "torch on cpu runs fp32 or fp16 here, not int8" in err
    assert code == 2
