"""Pictures of the styles."""

from __future__ import annotations

import time

import cv2
import numpy as np

from engines.bundle import Bundle, default_bundle
from engines.faces.people import people
from engines.pictures import Image, read_picture
from realtime.api import Toonifier
from realtime.session import Session
from realtime.web.panel.samples import PORTRAIT, SIDE, Samples
from tests.realtime.fakes import Messages


def sample(bundle: Bundle, style: str) -> Image:
    """uint8 [SIDE, SIDE, 3] BGR."""
    decoded = cv2.imdecode(np.frombuffer(Samples(bundle).picture(style), np.uint8), 1)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def test_a_picture_is_what_the_loop_makes_of_the_style() -> None:
    bundle = default_bundle()
    name, other = bundle.styles[-1], bundle.styles[0]
    with Toonifier(bundle, style=name, engine="torch:cpu", say=Messages()) as toonify:
        toon = toonify.image(read_picture(people()[PORTRAIT]).bgr).image
    toon = cv2.resize(toon, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    picture = sample(bundle, name)
    assert picture.shape == (SIDE, SIDE, 3)
    apart = np.abs(picture.astype(int) - toon).mean()
    assert apart < 6  # a JPEG
    assert np.abs(sample(bundle, other).astype(int) - toon).mean() > 1.3 * apart


def test_all_are_drawn_before_anybody_asks(session: Session) -> None:
    samples = Samples(session.bundle)
    samples.begin()
    end = time.monotonic() + 60
    while len(samples._pictures) < len(session.bundle.styles):
        assert time.monotonic() < end, "they were not drawn"
        time.sleep(0.01)
