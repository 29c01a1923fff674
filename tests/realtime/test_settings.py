from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engines.errors import ToonifyError
from realtime.settings import (
    GuardSettings,
    OutputSettings,
    Settings,
    SettingsError,
    flags_of,
    load_settings,
    save_settings,
)


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[source]\nsource = "demo"\nfps = 24\n[guard]\nmode = "card"\n')
    settings = load_settings(path, flags_of({"fps": 60.0, "style": None, "size": (640, 480)}))
    assert settings.source.source == "demo"
    assert settings.source.fps == 60.0
    assert settings.source.size == (640, 480)
    assert settings.guard.mode == "card"
    assert settings.engine.backend == "auto"


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    settings = load_settings(
        flags={
            "source": {"source": 'a "quoted" \\ näme.mp4', "size": (640, 480), "mirror": True},
            "engine": {"swap": 16},
            "output": {"sinks": ("virtual", "b.mp4")},
            "guard": {"grace": 0.5},
        }
    )
    picture = tmp_path / "a.png"
    picture.write_bytes(b"a picture")
    with pytest.raises(SettingsError, match=r"ending in \.toml, not .*a\.png"):
        save_settings(settings, picture)
    assert picture.read_bytes() == b"a picture"
    save_settings(settings, tmp_path / "deep" / "a.toml")
    assert load_settings(tmp_path / "deep" / "a.toml") == settings


def test_the_guard_is_strict_for_virtual_cameras_and_open_for_files() -> None:
    settings = Settings()
    assert settings.guard_mode() == "blur"
    to_file = replace(settings, output=OutputSettings(sinks=("a.mp4",)))
    assert to_file.guard_mode() == "pass"
    device = replace(settings, output=OutputSettings(sinks=("a.mp4", "virtual:/dev/video9")))
    assert device.guard_mode() == "blur"
    assert replace(device, guard=GuardSettings(mode="card")).guard_mode() == "card"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sorce]\nfps = 1", "no setting sorce; did you mean source"),
        ("[source]\nfsp = 1", r"no setting source\.fsp; did you mean fps"),
        (
            "[faces]\nnose = 1",
            r"no setting faces\.nose; choose from max_faces, min_confidence, hold,",
        ),
        ("[engine]\nbundle = 'a'", r"no setting engine\.bundle; it is called engine\.model now\."),
        ("[faces]\nlook_interval = 1", r"it is called faces\.refresh_interval now\."),
        ("[source]\nsource = ''", r"source\.source must name a camera.*; it is empty\."),
        ("[output]\nsinks = ['a.mp4', ' ']", r"output\.sinks must each be .* is empty\."),
        ("[output]\noverlay = ''", r"output\.overlay must be .*; it is empty\."),
        ("[source]\nfps = 'fast'", r"source\.fps must be a number, not 'fast'"),
        ("[source]\nfps = true", r"source\.fps must be a number, not True"),
        ("[source]\nfps = 0", r"source\.fps must be 0\.01 to 240"),
        ("[source]\nsize = [1280]", r"source\.size must have 2 entries, not 1"),
        ("[source]\nsize = [1, 1]", r"source\.size must lie between"),
        ("[source]\nmirror = 1", r"source\.mirror must be true or false"),
        ("[faces]\nmax_faces = 0", r"faces\.max_faces must be 1 to 16"),
        ("[faces]\nmax_faces = 1.5", r"faces\.max_faces must be a whole number"),
        ("[guard]\nmode = 'open'", r"guard\.mode must be one of auto, pass, hold, blur, card"),
        ("[guard]\ngrace = -1", r"guard\.grace must be 0 to 5"),
        ("[engine]\nswap = 12", r"engine\.swap must be a power of two"),
        ("[compositing]\nstrength = 2", r"strength must lie between 0 and 1"),
        ("[compositing]\neyes = 2", r"eyes must be 0\.8 to 1\.4 times"),
        ("[compositing]\nmode = 'ears'", r"compositing\.mode must be one of"),
        ("source = 3", "source must be a table"),
        ("[output]\nsinks = 'virtual'", r"output\.sinks must be a list"),
        ("[source", "cannot be read as TOML"),
        (f"[source]\nfps = {'[' * 3000}", "nests its values too deeply"),
        (f"[source]\nfps = {'9' * 400}", r"source\.fps must lie within 9007199254740992 of 0"),
        (f"[faces]\nmax_faces = 0x{'f' * 5000}", r"must lie within .* not something huge\."),
        (f"[source]\nfps = {'9' * 5000}", "cannot be read as TOML"),
        (f"[source]\nfps = '{'a' * 5000}'", r"must be a number, not 'a{52}…a{25}'\.$"),
        ('"\\u001b[2J" = 1', r"no setting \\x1b\[2J;"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(ToonifyError, match=message):
        load_settings(path)


@pytest.mark.parametrize("sink", ["rtmp://a.host/live/key", "UDP://10.0.0.1:5000", "live.ts"])
def test_the_guard_is_as_strict_for_streams_as_for_virtual_cameras(sink: str) -> None:
    output = OutputSettings(sinks=("a.mp4", sink))
    assert Settings(output=output).guard_mode() == "blur"


def test_a_microphone_needs_a_stream() -> None:
    for wrong in ({"audio": "default"}, {"audio": " ", "sinks": ("live.ts",)}):
        with pytest.raises(SettingsError, match=r"output\.audio must name a microphone"):
            OutputSettings(**wrong)
    assert OutputSettings(audio="default", sinks=("live.ts",)).audio == "default"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_settings_with_a_stream_key_are_for_their_owner_alone(tmp_path: Path) -> None:
    secret, plain = tmp_path / "a.toml", tmp_path / "b.toml"
    save_settings(Settings(output=OutputSettings(sinks=("rtmp://a.host/live/k3y",))), secret)
    save_settings(Settings(), plain)
    assert "k3y" in secret.read_text()
    assert secret.stat().st_mode & 0o077 == 0
    assert plain.stat().st_mode & 0o044


def test_a_setting_that_is_refused_shows_no_stream_key(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[output]\nsinks = "rtmp://a.host/live/k3y"\n')
    with pytest.raises(SettingsError, match=r"must be a list, not 'rtmp://a\.host/live/\*\*\*'"):
        load_settings(tmp_path / "a.toml")


def test_a_key_in_a_section_s_place_is_told_even_beside_a_flag_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('guard = "blur"')
    with pytest.raises(SettingsError, match=r"guard must be a table, not 'blur'; .* \[guard\]"):
        load_settings(path, flags_of({"guard": "card"}))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no settings file .*--save"):
        load_settings(tmp_path / "a.toml")


def test_an_unknown_option_is_told() -> None:
    with pytest.raises(SettingsError, match="no option 'stlye'"):
        flags_of({"stlye": "film"})
