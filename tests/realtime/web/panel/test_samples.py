"""Pictures of the styles."""

from __future__ import annotations

import time

import cv2
import numpy as np

from engines.backends.registry import create_engine
from engines.faces.people import people
from engines.pictures import read_picture
from realtime.session import Session
from realtime.web.panel.samples import PORTRAIT, SIDE, Samples
from tests.realtime.fakes import Messages


def test_a_picture_is_what_the_style_s_engine_draws(session: Session) -> None:
    name = session.bundle.styles[-1]
    engine = create_engine(session.bundle.network(name), "torch:cpu", say=Messages())
    side = engine.input_size
    crop = cv2.resize(read_picture(people()[PORTRAIT]).rgb, (side, side)).astype(np.uint8)
    toon = cv2.resize(engine.run(crop[None]).images[0], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    engine.close()
    data = np.frombuffer(Samples(session.bundle).picture(name), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    picture = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    assert picture.shape == (SIDE, SIDE, 3)
    assert np.abs(picture.astype(int) - toon).mean() < 6  # a JPEG


def test_all_are_drawn_before_anybody_asks(session: Session) -> None:
    samples = Samples(session.bundle)
    samples.begin()
    end = time.monotonic() + 60
    while len(samples._pictures) < len(session.bundle.styles):
        assert time.monotonic() < end, "they were not drawn"
        time.sleep(0.01)
