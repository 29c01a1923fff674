"""`toonify image` and `toonify video`: what they print, write and return."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from engines.errors import ToonifyError
from realtime.settings import Settings
from realtime.sources.demo import DemoSource
from tests.realtime.cli.shell import run
from tests.realtime.media import read_movie, write_movie


def test_pictures(tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    face = DemoSource((640, 360), 30, live=False).render(0)[:, :, ::-1]
    alpha = np.full((360, 640), 200, np.uint8)
    PillowImage.fromarray(np.dstack([face, alpha])).save(tmp_path / "a.png")
    PillowImage.fromarray(np.ascontiguousarray(face)).save(tmp_path / "b.jpg", quality=95)
    PillowImage.new("RGB", (50, 40), (9, 9, 9)).save(tmp_path / "c.webp", lossless=True)
    (tmp_path / "broken.png").write_bytes(b"x")
    for name in ("film.gif", "notes.txt", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    code, _, err = run(capsys, "image", tmp_path, "/nope.png", "--out", tmp_path / "out", *engine)
    assert code == 1
    assert "There is no picture /nope.png" in err
    assert "broken.png cannot be read" in err
    assert "no picture of a known kind: film.gif, notes.txt." in " ".join(err.split())
    assert "c.webp: no face found" in err
    assert "2 pictures could not be converted" in err
    out = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert sorted(out) == ["a.png", "b.jpg", "c.webp"]
    toon = np.asarray(PillowImage.open(out["a.png"]))
    assert (toon[:, :, 3] == 200).all()
    assert np.abs(toon[60:220, 230:350, :3].astype(int) - face[60:220, 230:350]).mean() > 10
    assert run(capsys, "image", tmp_path / "a.png", "--out", tmp_path / "out", *engine)[0] == 0
    assert (tmp_path / "out" / "a-2.png").exists()


def test_pictures_without_a_face_are_left_as_they_are_unless_a_guard_stands(
    tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    PillowImage.fromarray(noise).save(tmp_path / "a.jpg", quality=30, comment=b"mine")
    PillowImage.fromarray(noise).save(tmp_path / "b.bmp")
    words = ("image", tmp_path / "a.jpg", tmp_path / "b.bmp", "--out", tmp_path / "out", *engine)
    code, _, err = run(capsys, *words)
    assert code == 0
    assert "a.jpg: no face found, left as it is" in err
    assert re.search(r"b\.png: no face found(?!, left)", err)
    assert (tmp_path / "out/a.jpg").read_bytes() == (tmp_path / "a.jpg").read_bytes()
    code, _, err = run(capsys, *words, "--guard", "blur")
    assert code == 0
    assert "left as it is" not in err
    assert b"mine" not in (tmp_path / "out/a-2.jpg").read_bytes()


def test_a_picture_that_cannot_be_written_does_not_end_the_batch(
    tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # Wider than WebP can be; its name says WebP, but it is a PNG.
    PillowImage.new("RGB", (16400, 600)).save(tmp_path / "a.webp", format="PNG")
    PillowImage.new("RGB", (50, 40)).save(tmp_path / "b.webp")
    words = ("image", tmp_path, "--out", tmp_path / "out", "--guard", "blur", *engine)
    code, _, err = run(capsys, *words)
    assert code == 1
    assert "a.webp cannot be written: " in err
    assert "1 picture could not be converted" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.webp"]


def test_a_folder_for_pictures_that_cannot_be_made_is_told(
    tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    PillowImage.new("RGB", (50, 40)).save(tmp_path / "a.png")
    for place, cause in (
        (tmp_path / "a.png", "File exists"),
        (tmp_path / "a.png/out", "Not a directory"),
    ):
        code, _, err = run(capsys, "image", tmp_path / "a.png", "--out", place, *engine)
        assert code == 1
        assert f"The folder {place} for the results cannot be made: {cause}" in err
        assert "fault of the program" not in err


def test_videos(tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    film = write_movie(tmp_path / "in.mp4", 10)
    words = [film, tmp_path / "out.mp4", "--stats", tmp_path / "s.json", *engine]
    code, _, err = run(capsys, "video", *words)
    assert code == 0
    assert "Wrote" in err
    pictures, _, sound = read_movie(tmp_path / "out.mp4")
    assert len(pictures) == 10
    assert len(sound) > 0
    assert json.loads((tmp_path / "s.json").read_text())["frames_sent"] == 10
    code, _, err = run(capsys, "video", *words)
    assert code == 1
    assert "--force" in err


@pytest.mark.parametrize(
    ("text", "flags", "mode"),
    [
        ('[guard]\nmode = "blur"', [], "blur"),
        ('[guard]\nmode = "blur"', ["--guard", "card"], "card"),
        ('[guard]\nmode = "auto"', [], "pass"),
        ("", [], "pass"),
    ],
)
def test_a_video_s_guard_is_open_unless_a_mode_is_set(
    text: str,
    flags: list[str],
    mode: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def convert(source: Path, target: Path, settings: Settings, *_: object, **__: object) -> None:
        raise ToonifyError(f"The mode is {settings.guard_mode()}.")

    monkeypatch.setattr("realtime.video.convert_video", convert)
    config = tmp_path / "a.toml"
    config.write_text(text)
    words = ["in.mp4", tmp_path / "out.mp4", "--config", config, *flags]
    assert f"The mode is {mode}." in run(capsys, "video", *words)[2]
