"""Files in, files out."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from engines.pictures import read_picture
from realtime.commands.files import copy_picture, write_picture


def test_an_interrupted_picture_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "photo.png"
    PillowImage.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(source)
    picture, folder = read_picture(source), tmp_path / "out"

    def interrupted(_image: PillowImage.Image, path: Path, **_options: object) -> None:
        path.write_bytes(b"half a pict")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PillowImage.Image, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_picture(picture, picture.bgr, folder / "toon.png")
    assert list(folder.iterdir()) == []
    written = write_picture(picture, picture.bgr, folder / "toon.png")
    assert [entry.name for entry in folder.iterdir()] == [written.name] == ["toon.png"]


def test_an_interrupted_copy_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder = tmp_path / "photo.png", tmp_path / "out"
    source.write_bytes(b"a whole picture")

    def interrupted(_source: Path, path: Path) -> None:
        path.write_bytes(b"a who")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            copy_picture(source, folder / "toon.png")
    assert list(folder.iterdir()) == []
    assert copy_picture(source, folder / "toon.png").read_bytes() == b"a whole picture"
