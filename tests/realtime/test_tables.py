"""Messages name what the user typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.settings import SettingsError, load_settings
from realtime.tables import flags_of


def test_a_value_from_a_flag_is_named_as_it_was_typed_and_one_from_a_file_by_its_key(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[faces]\nmax_faces = 0\n")
    with pytest.raises(SettingsError, match=r"^--faces must be 1 to 16, not 17\.$"):
        load_settings(path, flags_of({"faces": 17}), "--{}".format)
    for flags in ({}, {"faces": None, "swap": 16}):
        with pytest.raises(SettingsError, match=r"^faces\.max_faces must be 1 to 16, not 0\.$"):
            load_settings(path, flags_of(flags), "--{}".format)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is a folder, not a settings file"):
        load_settings(tmp_path)


@pytest.mark.parametrize("option", ["source", "sinks", "overlay"])
def test_an_empty_place_is_not_the_current_folder(option: str) -> None:
    value = ("",) if option == "sinks" else ""
    with pytest.raises(SettingsError, match=f"^{option} must .* is empty"):
        load_settings(flags=flags_of({option: value}), typed=str)
