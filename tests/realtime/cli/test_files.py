"""`toonify image` and `toonify video`: what they print, write and return."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from engines.animations import find_animation
from engines.errors import ToonifyError
from realtime.settings import Settings
from realtime.sources.demo import DemoSource
from tests.pictures import read_bgr
from tests.realtime.cli.shell import run
from tests.realtime.media import read_movie, write_movie

PEOPLE = Path(__file__).parents[2] / "data/people"


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


def test_no_engine_is_started_for_pictures_that_are_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "image", tmp_path / "no.png", "--out", tmp_path / "out")
    assert code == 1
    assert "no.png; check the path. Error: 1 picture could not be converted" in err
    assert "Running on" not in err


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
        (tmp_path / "a.png", "Not a directory"),
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


def test_everybody_in_a_crowd_becomes_a_toon(
    tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    faces = [cv2.resize(read_bgr(path), (160, 160)) for path in sorted(PEOPLE.glob("*.webp"))[:20]]
    crowd = np.vstack([np.hstack(faces[row * 5 : row * 5 + 5]) for row in range(4)])
    cv2.imwrite(str(tmp_path / "crowd.png"), crowd)
    code, _, err = run(capsys, "image", tmp_path / "crowd.png", "--out", tmp_path / "out", *engine)
    assert code == 0
    assert "crowd.png: 20 faces" in err
    assert "of them toons" not in err
    change = np.abs(read_bgr(tmp_path / "out/crowd.png").astype(int) - crowd)
    for row in range(4):
        for column in range(5):
            top, left = row * 160 + 50, column * 160 + 50
            assert change[top : top + 60, left : left + 60].mean() > 3
    words = ("image", tmp_path / "crowd.png", "--out", tmp_path / "out", "--faces", "3", *engine)
    assert "crowd-2.png: 20 faces, 3 of them toons" in run(capsys, *words)[2]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animated_picture_stays_animated(
    tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    face = PillowImage.open(PEOPLE / "00.webp").convert("RGB")
    path = tmp_path / f"a.{suffix}"
    turned = [face.rotate(angle) for angle in (5, 10)]
    face.save(path, save_all=True, append_images=turned, duration=[100, 200, 300], loop=0)
    code, _, err = run(capsys, "image", tmp_path, "--out", tmp_path / "out", *engine)
    assert code == 0
    assert f"a.{suffix}: 1 face in 3 frames" in err
    before, after = find_animation(path), find_animation(tmp_path / "out" / path.name)
    assert before is not None
    assert after is not None
    assert after.loop == 0
    for one, other in zip(before.frames(), after.frames(), strict=True):
        assert one.duration == other.duration
        assert np.abs(one.rgb[40:90, 40:90].astype(int) - other.rgb[40:90, 40:90]).mean() > 5


def test_an_empty_path_is_not_the_current_folder(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["image", "", "--out", "x"], ["image", "x.png", "--out", " "]):
        code, _, err = run(capsys, *words)
        assert code == 2
        assert "it is empty; give a path." in err
        assert len(err.strip().splitlines()) == 1


def test_a_video_that_was_cut_off_is_made_as_far_as_it_goes(
    tmp_path: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write_movie(tmp_path / "whole.mkv", 50)
    data = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 6 // 10])
    code, _, err = run(capsys, "video", tmp_path / "cut.mkv", tmp_path / "a.mp4", *engine)
    assert code == 0
    assert re.search(r"cut\.mkv is cut off: its last \d\.\d s are missing", " ".join(err.split()))
    assert (tmp_path / "a.mp4").is_file()
    code, _, err = run(capsys, "video", whole, tmp_path / "b.mp4", *engine)
    assert code == 0
    assert "cut off" not in err
