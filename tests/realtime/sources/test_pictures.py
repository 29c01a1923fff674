from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PillowImage

from realtime.settings import SourceSettings
from realtime.sources import SourceError, open_source
from realtime.sources.pictures import PictureSource, list_pictures
from tests.realtime.fakes import Messages
from tests.realtime.media import number_of, numbered


def source(what: str, **settings: Any) -> Any:
    return open_source(SourceSettings(source=what, **settings), Messages(), every_frame=True)


class TestPictures:
    def test_a_folder_that_cannot_be_read_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "iterdir", refuse)
        with pytest.raises(SourceError, match="cannot be read: Permission denied; check"):
            list_pictures(tmp_path)

    @pytest.mark.skipif(os.name != "posix", reason="needs a device file")
    def test_what_is_neither_a_file_nor_a_folder_is_refused(self) -> None:
        with pytest.raises(SourceError, match=r"^/dev/null is neither a file nor a folder; give"):
            list_pictures(Path(os.devnull))

    def test_folders_are_read_in_natural_order(self, tmp_path: Path) -> None:
        for number in (10, 2, 1):
            PillowImage.fromarray(numbered(number)).save(tmp_path / f"shot{number}.png")
        (tmp_path / "notes.txt").write_text("x")
        assert [path.stem for path in list_pictures(tmp_path)] == ["shot1", "shot2", "shot10"]
        frames = list(PictureSource(tmp_path, 25, live=False, loop=False).frames())
        assert [number_of(frame.image) for frame in frames] == [1, 2, 10]
        assert [frame.timestamp for frame in frames] == [0, 1 / 25, 2 / 25]

    def test_an_empty_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="holds no pictures"):
            source(f"{tmp_path}/")
