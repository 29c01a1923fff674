from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from engines.card import StyleError
from engines.errors import ToonifyError
from engines.faces.people import people
from engines.pictures import PictureError
from realtime.api import Toonifier
from realtime.web.photo import maker as module
from realtime.web.photo.maker import PhotoError, PhotoMaker, read_photo
from tests.realtime.fakes import Messages
from tests.realtime.web.photo.conftest import decoded, encoded, settings_of


def test_it_is_the_toon_of_toonifier(maker: PhotoMaker, model: Path, portrait: bytes) -> None:
    toon = maker.toon(encoded(PillowImage.open(people()[0]), "PNG"))
    with Toonifier(model, engine="torch:cpu") as toonify:
        photo = read_photo(encoded(PillowImage.open(people()[0]), "PNG"))
        expected = toonify.image(photo.bgr).image
    assert toon.kind == "image/png"
    assert np.array_equal(decoded(toon.data), expected[:, :, ::-1])
    assert toon.words == "1 face, 513 pixels."
    assert len(toon.faces) == 1


def test_strength_is_a_blend_of_photo_and_toon(maker: PhotoMaker) -> None:
    data = encoded(PillowImage.open(people()[0]), "PNG")
    photo, toon = decoded(data)[..., :3].astype(float), decoded(maker.toon(data).data).astype(float)
    half = decoded(maker.toon(data, strength=0.5).data).astype(float)
    assert np.abs(half - (photo + toon) / 2).max() <= 1
    assert np.array_equal(decoded(maker.toon(data, strength=0).data), photo)


def test_style_and_swap_change_and_come_back(maker: PhotoMaker, portrait: bytes) -> None:
    first = maker.toon(portrait).data
    assert maker.toon(portrait, style="comic").data != first
    assert maker.toon(portrait, swap=8).data != first
    assert maker.toon(portrait, style="film").data == first
    assert maker.swaps == [None, 16, 8]
    with pytest.raises(StyleError, match="no style 'clay'"):
        maker.toon(portrait, style="clay")
    assert maker.toon(portrait).data == first


def test_the_size_of_the_eyes_changes_and_comes_back(maker: PhotoMaker, portrait: bytes) -> None:
    first = maker.toon(portrait).data
    assert maker.toon(portrait, eyes=1.3).data != first
    with pytest.raises(ToonifyError, match=r"^eyes must be 0\.8 to 1\.4 times"):
        maker.toon(portrait, eyes=3)
    assert maker.toon(portrait).data == first


def test_a_child_s_proportions_change_and_come_back(shaped: PhotoMaker, portrait: bytes) -> None:
    assert (shaped.reshaped, shaped.childlike) == (["film"], 0.4)
    first = shaped.toon(portrait).data
    assert shaped.toon(portrait, childlike=1.0).data != first
    assert shaped.toon(portrait, childlike=0.4).data == first
    plain = shaped.toon(portrait, style="comic").data
    assert shaped.toon(portrait, style="comic", childlike=1.0).data == plain


def test_the_strength_swap_and_eyes_of_the_settings_are_where_the_page_begins(
    maker: PhotoMaker, model: Path, portrait: bytes
) -> None:
    weak = PhotoMaker(settings_of(model, strength=0.25, swap=4, eyes=1.23), Messages())
    assert (weak.strength, weak.swaps, weak.eyes) == (0.25, [None, 16, 8, 4], 1.23)
    assert weak.toon(portrait, swap=8, strength=1.0).data == maker.toon(portrait, swap=8).data
    weak.close()


def test_a_style_that_cannot_be_built_is_said_and_not_shown(
    model: Path, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with_it = PhotoMaker(settings_of(model, engine="openvino"), said.append)
    first = with_it.toon(portrait).data
    engine = with_it.session.engine

    def fail(_: object) -> None:
        raise RuntimeError("no memory")

    build = engine._build  # type: ignore[attr-defined]
    monkeypatch.setattr(engine, "_build", fail)
    with pytest.raises(PhotoError, match="the old one stays"):
        with_it.toon(portrait, style="comic")
    monkeypatch.setattr(engine, "_build", build)
    assert with_it.toon(portrait, style="comic").data != first
    with_it.close()


def test_transparency_and_colours_stay_and_nothing_else(maker: PhotoMaker) -> None:
    picture = PillowImage.open(people()[0]).convert("RGBA")
    alpha = np.zeros((512, 512), np.uint8)
    alpha[100:400] = 200
    picture.putalpha(PillowImage.fromarray(alpha))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    toon = maker.toon(encoded(picture, "PNG", icc_profile=profile))
    made = PillowImage.open(io.BytesIO(toon.data))
    assert np.array_equal(np.asarray(made)[..., 3], alpha)
    assert made.info["icc_profile"] == profile

    exif = PillowImage.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6  # maker; lying on its side
    side = picture.convert("RGB").resize((512, 400))
    toon = maker.toon(encoded(side, "JPEG", exif=exif))
    made = PillowImage.open(io.BytesIO(toon.data))
    assert (toon.kind, made.size) == ("image/jpeg", (400, 512))
    assert dict(made.getexif()) == {}


def test_a_picture_of_nobody_comes_back_as_it_was(maker: PhotoMaker) -> None:
    data = encoded(PillowImage.new("RGB", (300, 200), (90, 120, 40)), "PNG")
    toon = maker.toon(data)
    assert toon.words.startswith("No face was found")
    assert toon.faces == []
    assert np.array_equal(decoded(toon.data), decoded(data))


def test_a_small_face_is_told(maker: PhotoMaker) -> None:
    sheet = PillowImage.new("RGB", (400, 300), (90, 90, 90))
    sheet.paste(PillowImage.open(people()[0]).resize((100, 100)), (150, 100))
    (face,) = maker.toon(encoded(sheet, "PNG")).faces
    assert 80 < face.size < 120
    assert "it is small" in face.tips[0]
    left, top, right, bottom = face.box
    assert 150 / 400 < left < right < 250 / 400
    assert 100 / 300 < top < bottom < 200 / 300


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"no picture at all", "cannot be read as a photo"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, "cannot be read as a photo"),
        (encoded(PillowImage.new("RGB", (9, 9)), "TIFF"), "cannot be read as a photo"),
        (encoded(PillowImage.new("RGB", (640, 640)), "JPEG")[:-300], "cannot be read as a photo"),
    ],
)
def test_what_is_no_photo_is_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(PhotoError, match=words) as refused:
        read_photo(data)
    assert str(refused.value).count(". ") == 0


def test_too_many_pixels_are_refused_before_they_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encoded(PillowImage.new("1", (10_000, 5_001)), "PNG")
    monkeypatch.setattr(PillowImage.Image, "convert", lambda *_: pytest.fail("decoded"))
    with pytest.raises(PictureError, match="10000 x 5001 pixels, more than the 50 megapixels"):
        read_photo(data)


def test_nothing_is_written(
    maker: PhotoMaker, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file that is opened while a toon is made is opened for reading."""
    import sys

    written: list[object] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[1] or "r") not in ("r", "rb"):
            written.append(arguments)

    sys.addaudithook(watch)
    maker.toon(portrait)
    watching = False
    assert written == []


def test_a_wrong_strength_is_refused(maker: PhotoMaker, portrait: bytes) -> None:
    with pytest.raises(ToonifyError, match="between 0 and 1, not 2"):
        maker.toon(portrait, strength=2)


def test_the_limits_are_those_that_are_promised() -> None:
    assert module.MOST_PIXELS == 50_000_000
