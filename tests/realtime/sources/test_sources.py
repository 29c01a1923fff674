from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image as PillowImage

from realtime.settings import SourceSettings
from realtime.sources import open_source
from tests.realtime.fakes import Messages
from tests.realtime.media import numbered, write_movie


def source(what: str, **settings: Any) -> Any:
    return open_source(SourceSettings(source=what, **settings), Messages(), every_frame=True)


def test_the_kind_of_source_follows_from_what_is_given(tmp_path: Path) -> None:
    write_movie(tmp_path / "a.mp4", 3)
    PillowImage.fromarray(numbered(1)).save(tmp_path / "a.png")
    kinds = {
        "demo": "DemoSource",
        "0": "CameraSource",
        "Studio": "CameraSource",
        "/dev/video7": "CameraSource",
        str(tmp_path / "a.mp4"): "MediaSource",
        str(tmp_path / "a.png"): "PictureSource",
        str(tmp_path): "PictureSource",
    }
    found = {what: type(source(what, size=(64, 48))).__name__ for what in kinds}
    assert found == kinds
