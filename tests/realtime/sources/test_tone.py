"""HDR pictures come out as the same scene in the standard range."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.sources.media import MediaSource
from realtime.sources.tone import HLG, PQ, WHITE, sdr_of

BT2020 = 9


def pq_of(light: float) -> float:
    """The PQ code, 0..1, of cd/m2 (SMPTE ST 2084)."""
    y = (light / 10_000) ** (2610 / 16384)
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    return float(((c1 + c2 * y) / (1 + c3 * y)) ** (2523 / 4096 * 128))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6, 0.8])
def test_what_is_darker_than_white_keeps_its_light(share: float) -> None:
    coded = np.full((1, 3), pq_of(share * WHITE))
    assert sdr_of(coded, PQ)[0] ** 2.4 == pytest.approx([share] * 3, rel=0.01)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_greys_stay_grey_and_in_order(transfer: int) -> None:
    greys = np.repeat(np.linspace(0, 1, 60)[:, None], 3, axis=1)
    shown = sdr_of(greys, transfer)
    assert np.ptp(shown, axis=1).max() < 0.001
    assert (np.diff(shown[:, 1]) >= -1e-9).all()
    assert shown[0].max() == 0
    assert shown[-1].min() > 0.99


def test_white_of_hlg_is_nearly_white() -> None:
    # BT.2408: a white sheet has 75 % of the HLG signal, or 58 % of PQ.
    for transfer, code in ((HLG, 0.75), (PQ, 0.58)):
        assert 0.93 < sdr_of(np.full((1, 3), code), transfer)[0, 1] < 0.98


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_film_of_a_phone_is_not_washed_out(tmp_path: Path, transfer: int) -> None:
    """A wall at 60 % of white, filmed in 10 bits, BT.2020."""
    path = tmp_path / "hdr.mp4"
    code = pq_of(0.6 * WHITE) if transfer == PQ else 0.6625
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = transfer, BT2020, BT2020
        context.color_range = 1
        luma = np.full((72, 64), round(64 + 876 * code), np.uint16)
        luma[48:] = 512  # no colour
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(luma, format="yuv420p10le")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            frame.color_trc, frame.color_primaries, frame.colorspace = transfer, BT2020, BT2020
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    source = MediaSource(str(path), live=False, loop=False)
    image = next(source.frames()).image
    assert image.shape == (48, 64, 3)
    assert image.mean() == pytest.approx(255 * 0.6 ** (1 / 2.4), abs=12)
    assert np.ptp(image.reshape(-1, 3).mean(0)) < 3
