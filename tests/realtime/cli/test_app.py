"""The command line from outside: what it prints, writes and returns."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from engines.errors import ToonifyError
from engines.faces.people import people
from realtime.cli.app import main
from realtime.settings import FLAGS, Settings
from realtime.sources.demo import DemoSource
from tests.realtime.media import read_movie, write_movie


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, standard output, standard error; plain words, one space between them."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    flat = [re.sub(r"\s+", " ", re.sub(r"\x1b\[[\d;]*m", "", text)) for text in captured]
    assert "Traceback" not in flat[0] + flat[1]
    return code, flat[0], flat[1]


@pytest.fixture(scope="module")
def engine(model: Path) -> list[object]:
    """Flags for the small model."""
    return ["--model", model, "--engine", "torch:cpu", "--mode", "crop"]


COMMANDS = [
    [], ["run"], ["demo"], ["image"], ["video"], ["devices"], ["doctor"], ["models"], ["engines"],
    ["blend"], ["models", "list"], ["models", "fetch"], ["models", "import"], ["models", "show"],
    ["engines", "build"], ["engines", "list"], ["engines", "clear"],
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, *words, "--help")
    assert code == 0
    assert "Usage: toonify" in out


@pytest.mark.parametrize(
    "words", [*COMMANDS, ["train"], ["train", "style"], ["bench", "engines"]], ids=" ".join
)
def test_help_fits_a_narrow_terminal(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*words, "--help"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fly"], "No such command 'fly'"),
        (["run", "--bogus"], "No such option"),
        (["run", "--size", "big"], "like 1280x720"),
        (["run", "--guard", "open"], "guard.mode must be one of auto, pass, hold, blur, card"),
        (["run", "--strength", "0.5"], "which guard 'blur' never lets out"),
        (["run", "--faces", "0"], "faces.max_faces must be 1 to 16"),
        (["run", "--config", "/nowhere.toml"], "no settings file /nowhere.toml"),
        (["image", "a.png"], "Missing option '--out'"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *words)
    assert message in out + err
    assert code == 2


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("style", "clay", "no style 'clay'; choose one of film, comic"),
        ("swap", 128, "swap_resolution 128 lies above the models' 64 px"),
        ("engine", "warp", "no back end 'warp': choose auto or tensorrt-rtx"),
        ("precision", "fp8", "engine.precision must be one of fp32, fp16, bf16, int8, not 'fp8'"),
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
        assert message in err
        assert code == 2
    assert sorted(tmp_path.iterdir()) == [config, film]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_an_engine_that_cannot_run_here_is_no_wrong_use(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--out", tmp_path, "--model", model, "--engine", "cuda"]
    code, _, err = run(capsys, "demo", *words)
    assert code == 1
    assert "cuda" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["models", "show", "nope"], "There is no model 'nope'"),
        (["models", "fetch", "nope"], "give a URL and its --sha256"),
        (["models", "fetch", "https://example.invalid/a"], "needs --sha256"),
        (["models", "import", "/nope.pkl", "--out", "/tmp/x"], "/nope.pkl"),
        (["engines", "build", "torch", "--model", "nope"], "There is no model"),
        (["run", "--source", "missing.mp4", "--sink", "none", "--preview"], "."),
        (["run", "--source", "missing.mp4"], "There is no file missing.mp4"),
        (["run", "--source", "demo", "--sink", "none"], "nowhere to send"),
        (["video", "/nope.mp4", "/tmp/never.mp4"], "no video /nope.mp4"),
    ],
)
def test_failures_are_told_in_a_sentence(
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, _, err = run(capsys, *words)
    assert code == 1
    assert "Error: " in err
    assert message in err


def test_faults_of_the_program_are_owned_and_debug_shows_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "realtime.commands.models.list_models", lambda: (_ for _ in ()).throw(KeyError("oops"))
    )
    code, _, err = run(capsys, "models", "list")
    assert code == 1
    assert "fault of the program" in err
    assert err.count("\n") <= 1
    assert main(["models", "list", "--debug"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "KeyError: 'oops'" in shown


def test_settings_are_saved_and_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    words = ["--source", "demo", "--size", "640x480", "--record", tmp_path / "a.mp4"]
    assert run(capsys, "run", *words, "--save", path)[0] == 0
    text = path.read_text()
    assert 'source = "demo"' in text
    assert "size = [640, 480]" in text
    assert run(capsys, "run", "--config", path, "--style", "x", "--save", path)[0] == 0
    assert 'style = "x"' in path.read_text()
    assert "size = [640, 480]" in path.read_text()


def test_demo(tmp_path: Path, engine: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", tmp_path, "--seconds", "0.4", "--size", "640x360", *engine]
    code, out, err = run(capsys, "demo", *words)
    assert code == 0
    pictures, times, _ = read_movie(tmp_path / "demo.mp4")
    assert len(pictures) == 12
    assert float(times[-1]) == pytest.approx(11 / 30, abs=1e-3)
    assert pictures[0].shape == (270, 960, 3)
    left, right = pictures[5][:, :480], pictures[5][:, 480:]
    change = np.abs(left.astype(int) - right).max(axis=2)
    assert change[40:170, 170:260].mean() > 10  # the face is another
    assert change[:, 340:].mean() < 4  # the shelf is the same
    assert cv2.imread(str(tmp_path / "contact-sheet.png")).shape == (1080, 1920, 3)
    numbers = json.loads((tmp_path / "stats.json").read_text())
    assert numbers["sent_by_kind"] == {"toon": 12}
    assert numbers["engine"] == "torch"
    assert "added latency" in out
    assert "demo.mp4" in err


def test_run_from_the_demo_to_several_sinks(
    tmp_path: Path, engine: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"kept")
    code, out, err = run(
        capsys, "run", "--source", "demo", "--size", "320x180", "--sink", tmp_path / "a.mp4",
        "--sink", f"{tmp_path}/shots/", "--overlay", tmp_path / "a.mov", "--seconds", "1.5",
        "--stats", tmp_path / "stats.json", *engine,
    )  # fmt: skip
    assert code == 0
    numbers = json.loads((tmp_path / "stats.json").read_text())
    assert numbers["frames_sent"] > 0
    assert (tmp_path / "a.mp4").read_bytes() == b"kept"
    assert len(read_movie(tmp_path / "a-2.mp4")[0]) > 0
    told = "".join(err.split())  # wrapped
    assert f"Recorded{tmp_path}/a-2.mp4." in told
    assert f"Recorded{tmp_path}/a.mov." in told
    assert len(list((tmp_path / "shots").iterdir())) > 0
    assert len(read_movie(tmp_path / "a.mov")[0]) > 0
    assert "frames a second" in out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_cleanly(tmp_path: Path, engine: list[object], name: str) -> None:
    film = tmp_path / "a.mp4"
    words = ["run", "--source", "demo", "--size", "320x180", "--sink", film, *engine]
    number = getattr(signal, name)
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # if the tests run under nohup
    )
    try:
        deadline = time.monotonic() + 120
        while not film.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)  # a film begins with the card, before the first frame is there
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert len(read_movie(film)[0]) > 0


def test_run_says_what_to_install_without_a_virtual_camera(
    engine: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyvirtualcam import camera

    monkeypatch.setattr(camera, "BACKENDS", {})
    code, _, err = run(capsys, "run", "--source", "demo", *engine)
    assert code == 1
    assert re.search("v4l2loopback|OBS", err)


def test_pictures(tmp_path: Path, engine: list[object], capsys: pytest.CaptureFixture[str]) -> None:
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
    assert "2 of the pictures could not be made" in err
    out = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert sorted(out) == ["a.png", "b.jpg", "c.webp"]
    toon = np.asarray(PillowImage.open(out["a.png"]))
    assert (toon[:, :, 3] == 200).all()
    assert np.abs(toon[60:220, 230:350, :3].astype(int) - face[60:220, 230:350]).mean() > 10
    assert run(capsys, "image", tmp_path / "a.png", "--out", tmp_path / "out", *engine)[0] == 0
    assert (tmp_path / "out" / "a-2.png").exists()


def test_pictures_without_a_face_are_left_as_they_are_unless_a_guard_stands(
    tmp_path: Path, engine: list[object], capsys: pytest.CaptureFixture[str]
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
    tmp_path: Path, engine: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    # Wider than WebP can be; its name says WebP, but it is a PNG.
    PillowImage.new("RGB", (16400, 600)).save(tmp_path / "a.webp", format="PNG")
    PillowImage.new("RGB", (50, 40)).save(tmp_path / "b.webp")
    words = ("image", tmp_path, "--out", tmp_path / "out", "--guard", "blur", *engine)
    code, _, err = run(capsys, *words)
    assert code == 1
    assert "a.webp cannot be written: " in err
    assert "1 of the pictures could not be made" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.webp"]


def test_a_folder_for_pictures_that_cannot_be_made_is_told(
    tmp_path: Path, engine: list[object], capsys: pytest.CaptureFixture[str]
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


def test_videos(tmp_path: Path, engine: list[object], capsys: pytest.CaptureFixture[str]) -> None:
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
        ("--swap", "128", "lies above the models' 64 px"),
        ("--low", "both", "low must be"),
        ("--style", "clay", "no style 'clay'"),
    ):
        code, _, err = run(capsys, "blend", "mine", "--out", tmp_path / "x.toon", flag, value)
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
    assert code == 1
    assert re.search(r"Error: torch on \w+ runs .* here, not int8: choose one of those", err)


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
    assert re.search(r"Error: INT8 needs NNCF: pip install .*\[int8\]", err)


def test_devices_and_doctor_tell_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyvirtualcam import camera

    monkeypatch.setattr(camera, "BACKENDS", {})
    monkeypatch.setattr("realtime.devices.list_cameras", lambda: [])
    monkeypatch.setattr("realtime.devices.list_virtual_cameras", lambda: [])
    code, out, err = run(capsys, "devices")
    assert code == 0
    assert "virtual camera" in out
    assert "No camera was found" in err
    code, out, err = run(capsys, "doctor")
    assert code == 1
    assert "cannot work here yet" in err
    for word in ("camera", "engine openvino", "engine torch", "face tracker", "good", "BAD"):
        assert word in out


def test_other_packages_commands_are_handed_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import types

    import typer

    sub = typer.Typer()

    @sub.command()
    def only(number: int, loud: bool = False) -> None:
        print(f"got {number} {loud}")

    module = types.ModuleType("benchmarks.cli")
    module.app = sub  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "benchmarks.cli", module)
    assert run(capsys, "bench", "7", "--loud")[:2] == (0, "got 7 True ")
    code, out, _ = run(capsys, "bench", "--help")
    assert code == 0
    assert "--loud" in out
    assert run(capsys, "bench", "many")[0] == 2
