from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from realtime.settings import SourceSettings
from realtime.sources import SourceError, open_source
from realtime.sources.pictures import PictureSource, list_pictures, read_picture
from tests.realtime.fakes import Messages
from tests.realtime.media import number_of, numbered


def source(what: str, **settings: Any) -> Any:
    return open_source(SourceSettings(source=what, **settings), Messages(), every_frame=True)


def grey_profile() -> bytes:
    """A colour profile of grey that is linear in light, as the ICC's specification lays it out."""
    white = struct.pack(">3i", *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)))
    parts = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + white,
        b"kTRC": b"curv" + bytes(4) + struct.pack(">I", 0),
    }
    table, data, start = b"", b"", 128 + 4 + 12 * len(parts)
    for name, part in parts.items():
        table += struct.pack(">4sII", name, start + len(data), len(part))
        data += part + bytes(-len(part) % 4)
    head = struct.pack(">4xI4s4s4s12s4s", 0x02400000, b"mntr", b"GRAY", b"XYZ ", bytes(12), b"acsp")
    head += bytes(28) + white + bytes(48)
    body = head + struct.pack(">I", len(parts)) + table + data
    return struct.pack(">I", len(body) + 4)[:4] + body


class TestPictures:
    def test_orientation_and_alpha_are_respected(self, tmp_path: Path) -> None:
        upright = np.zeros((40, 60, 3), np.uint8)
        upright[:10] = (255, 0, 0)  # RGB: a red top
        exif = PillowImage.Exif()
        exif[0x0112] = 6  # to be shown turned a quarter clockwise
        turned = PillowImage.fromarray(np.ascontiguousarray(np.rot90(upright)))
        turned.save(tmp_path / "a.jpg", exif=exif, quality=95)
        picture = read_picture(tmp_path / "a.jpg")
        assert picture.image.shape == (40, 60, 3)
        assert picture.image[:8, :, 2].min() > 200
        assert picture.image[14:, :, 2].max() < 60
        assert picture.alpha is None

        alpha = np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))
        PillowImage.fromarray(np.dstack([upright, alpha])).save(tmp_path / "b.png")
        picture = read_picture(tmp_path / "b.png")
        assert picture.alpha is not None
        assert (picture.alpha == alpha).all()
        assert (picture.image == upright[:, :, ::-1]).all()

    def test_a_profile_of_other_colours_than_rgb_is_not_kept(self, tmp_path: Path) -> None:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
        grey = np.full((4, 6), 128, np.uint8)
        alpha = np.full((4, 6), 77, np.uint8)
        linear = grey_profile()
        for mode, pixels, profile, kept, shown in (
            ("RGB", np.dstack([grey] * 3), srgb, srgb, 128),
            ("L", grey, srgb, srgb, 128),
            ("L", grey, linear, None, 188),  # half the light in sRGB
            ("LA", np.dstack([grey, alpha]), linear, None, 188),
            ("L", grey, lab, None, 128),
            ("L", grey, b"no profile", None, 128),
        ):
            path = tmp_path / "a.png"
            PillowImage.fromarray(pixels, mode).save(path, icc_profile=profile)
            picture = read_picture(path)
            assert picture.icc_profile == kept
            assert np.abs(picture.image.astype(int) - shown).max() <= 1
            assert picture.alpha is None if mode != "LA" else (picture.alpha == 77).all()

    @pytest.mark.parametrize(
        ("suffix", "values"),
        [
            (".png", np.array([[0, 257 * 40, 257 * 128, 65535]], np.uint16)),
            (".tif", np.array([[0, 257 * 40, 257 * 128, 65535]], np.int32)),
            (".tif", np.array([[0, 40 / 255, 128 / 255, 1]], np.float32)),
            (".tif", np.array([[0, 40, 128, 255]], np.float32)),
        ],
        ids=["16 bits", "32 bits", "to 1", "to 255"],
    )
    def test_deep_grey_keeps_its_shades(
        self, tmp_path: Path, suffix: str, values: np.ndarray
    ) -> None:
        path = tmp_path / f"a{suffix}"
        PillowImage.fromarray(values).save(path)
        picture = read_picture(path)
        assert picture.alpha is None
        assert picture.image[0].tolist() == [[shade] * 3 for shade in (0, 40, 128, 255)]

    def test_deep_grey_may_have_a_clear_shade(self, tmp_path: Path) -> None:
        values = np.array([[0, 10280, 10281, 65535]], np.uint16)
        PillowImage.fromarray(values).save(tmp_path / "a.png", transparency=10280)
        picture = read_picture(tmp_path / "a.png")
        assert picture.alpha is not None
        assert picture.alpha.tolist() == [[255, 0, 255, 255]]

    def test_large_ones_are_read_without_a_warning(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        PillowImage.new("L", (40, 30)).save(tmp_path / "a.png")
        monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 1000)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_picture(tmp_path / "a.png").image.shape == (30, 40, 3)
        monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 500)
        with pytest.raises(SourceError, match="too large to be opened safely"):
            read_picture(tmp_path / "a.png")

    def test_a_folder_that_cannot_be_read_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "iterdir", refuse)
        with pytest.raises(SourceError, match="cannot be read: Permission denied; check"):
            list_pictures(tmp_path)

    def test_folders_are_read_in_natural_order(self, tmp_path: Path) -> None:
        for number in (10, 2, 1):
            PillowImage.fromarray(numbered(number)).save(tmp_path / f"shot{number}.png")
        (tmp_path / "notes.txt").write_text("x")
        assert [path.stem for path in list_pictures(tmp_path)] == ["shot1", "shot2", "shot10"]
        frames = list(PictureSource(tmp_path, 25, live=False, loop=False).frames())
        assert [number_of(frame.image) for frame in frames] == [1, 2, 10]
        assert [frame.timestamp for frame in frames] == [0, 1 / 25, 2 / 25]

    @pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n broken", b"GIF89a"])
    def test_broken_ones_are_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(content)
        with pytest.raises(SourceError, match="cannot be read as a picture"):
            read_picture(path)

    def test_an_empty_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="holds no pictures"):
            source(f"{tmp_path}/")
