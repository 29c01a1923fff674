"""Still pictures: orientation, transparency, colour profiles, depth, limits; and writing PNGs."""

from __future__ import annotations

import os
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from engines.files import WriteError
from engines.pictures import PICTURE_SUFFIXES, PictureError, is_picture, read_picture, write_png
from tests.pictures import read_bgr


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


def test_orientation_and_alpha_are_respected(tmp_path: Path) -> None:
    upright = np.zeros((40, 60, 3), np.uint8)
    upright[:10] = (255, 0, 0)  # RGB: a red top
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # to be shown turned a quarter clockwise
    turned = PillowImage.fromarray(np.ascontiguousarray(np.rot90(upright)))
    turned.save(tmp_path / "a.jpg", exif=exif, quality=95)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.rgb.shape == (40, 60, 3)
    assert picture.rgb[:8, :, 0].min() > 200
    assert picture.rgb[14:, :, 0].max() < 60
    assert picture.alpha is None

    alpha = np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))
    PillowImage.fromarray(np.dstack([upright, alpha])).save(tmp_path / "b.png")
    picture = read_picture(tmp_path / "b.png")
    assert picture.alpha is not None
    assert (picture.alpha == alpha).all()
    assert (picture.rgb == upright).all()
    assert (picture.bgr == upright[:, :, ::-1]).all()
    assert picture.bgr.flags.c_contiguous


def test_a_profile_of_other_colours_than_rgb_is_not_kept(tmp_path: Path) -> None:
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
        assert np.abs(picture.rgb.astype(int) - shown).max() <= 1
        if mode == "LA":
            assert picture.alpha is not None
            assert (picture.alpha == 77).all()
        else:
            assert picture.alpha is None


@pytest.mark.parametrize(
    ("suffix", "values"),
    [
        (".png", np.array([[0, 257 * 40, 257 * 128, 65535]], np.uint16)),
        (".tif", np.array([[0, 257 * 40, 257 * 128, 65535]], np.int32)),
        (".tif", np.array([[0, 40, 128, 255]], np.int32)),
        (".tif", np.array([[0, 40 / 255, 128 / 255, 1]], np.float32)),
        (".tif", np.array([[0, 40, 128, 255]], np.float32)),
    ],
    ids=["16 bits", "32 bits", "8 of 32 bits", "to 1", "to 255"],
)
def test_deep_grey_keeps_its_shades(tmp_path: Path, suffix: str, values: np.ndarray) -> None:
    path = tmp_path / f"a{suffix}"
    PillowImage.fromarray(values).save(path)
    picture = read_picture(path)
    assert picture.alpha is None
    assert picture.rgb[0].tolist() == [[shade] * 3 for shade in (0, 40, 128, 255)]


def test_deep_grey_may_have_a_clear_shade(tmp_path: Path) -> None:
    values = np.array([[0, 10280, 10281, 65535]], np.uint16)
    PillowImage.fromarray(values).save(tmp_path / "a.png", transparency=10280)
    picture = read_picture(tmp_path / "a.png")
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[255, 0, 255, 255]]


def test_large_pictures_are_read_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PillowImage.new("L", (40, 30)).save(tmp_path / "a.png")
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "a.png").rgb.shape == (30, 40, 3)
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(PictureError, match="too large to be opened safely"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n broken", b"GIF89a"])
def test_broken_pictures_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match="cannot be read as a picture"):
        read_picture(path)


def test_a_missing_picture_is_told(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"There is no picture .*a\.png; check the path"):
        read_picture(tmp_path / "a.png")


def test_the_name_says_what_a_picture_is() -> None:
    assert all(is_picture(Path(f"a{suffix.upper()}")) for suffix in PICTURE_SUFFIXES)
    assert not any(is_picture(Path(name)) for name in ("a.gif", "a.mp4", "png", "a.png.part"))


def test_a_png_holds_the_rgb_picture_as_it_is(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    path = tmp_path / "new/a.png"
    write_png(path, rgb)
    assert (read_picture(path).rgb == rgb).all()
    assert (read_bgr(path) == rgb[..., ::-1]).all()
    with pytest.raises(WriteError, match=r"b\.png cannot be written"):
        write_png(path / "b.png", rgb)


def test_a_damaged_profile_is_left_out_and_told(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    damaged = srgb[:16] + b"RGB\x8d" + srgb[20:]  # the name of its colour space
    path = tmp_path / "a.jpg"
    for profile in (damaged, srgb[:200], b"\0" * 300):
        PillowImage.new("RGB", (8, 6), (200, 30, 30)).save(path, icc_profile=profile, quality=95)
        picture = read_picture(path)
        assert picture.icc_profile is None
        assert "colour profile cannot be used" in picture.note
        assert np.abs(picture.rgb.astype(int) - (200, 30, 30)).max() < 8
    PillowImage.new("RGB", (8, 6)).save(path, icc_profile=srgb)
    assert read_picture(path).note == ""


@pytest.mark.skipif(os.name == "nt", reason="the trap is a shell script")
def test_no_picture_starts_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap, ran = tmp_path / "bin/gs", tmp_path / "ran"
    trap.parent.mkdir()
    trap.write_text(f"#!/bin/sh\necho ran >>{ran}\nexit 1\n")
    trap.chmod(0o755)
    monkeypatch.setenv("PATH", str(trap.parent), prepend=os.pathsep)
    head = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"
    for name in ("a.png", "a.jpg", "a.eps"):
        (tmp_path / name).write_bytes(head)
        with pytest.raises(PictureError, match="of another kind than BMP, GIF, JPEG, PNG, TIFF"):
            read_picture(tmp_path / name)
    assert not ran.exists()


def test_a_picture_that_would_take_too_much_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", None)
    path = tmp_path / "a.png"
    PillowImage.new("1", (13_000, 13_000)).save(path)
    loaded: list[object] = []
    monkeypatch.setattr(PillowImage.Image, "load", lambda self: loaded.append(self))
    with pytest.raises(PictureError, match=r"13000 x 13000 pixels need 2\.0 GB, and 1\.5 GB is"):
        read_picture(path)
    assert not loaded
