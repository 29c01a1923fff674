"""High dynamic range to the standard one, for what phones and HDR cameras film.

A table from coded colour to coded colour is computed once for each kind of picture and applied by
FFmpeg's `lut3d`, at the picture's own depth.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""Transfer functions, as H.273 numbers them: SMPTE ST 2084, and ARIB STD-B67 of BT.2100."""
WHITE = 203.0  # cd/m2 of a white sheet in HDR pictures (ITU-R BT.2408)
HLG_PEAK = 1000.0  # cd/m2 of the screen for which HLG is shown
KNEE = 0.8  # of white: what is darker stays as it is, what is brighter is pressed together
SIDE = 49  # entries of the table along each axis
BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)  # ITU-R BT.2087, linear light
LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])

Colours = NDArray[np.float64]


def is_hdr(frame: Any) -> bool:
    """Whether a decoded picture says that it has a high dynamic range."""
    return int(frame.color_trc or 0) in (PQ, HLG)


def to_bgr(frame: Any) -> NDArray[np.uint8]:
    """A decoded HDR picture in BT.709 for standard screens, uint8 [H, W, 3] BGR."""
    graph = _graph(frame.width, frame.height, frame.format.name, int(frame.color_trc))
    graph.push(frame)
    made: NDArray[np.uint8] = graph.pull().to_ndarray(format="bgr24")
    return made


@functools.lru_cache(maxsize=4)
def _graph(width: int, height: int, kind: str, transfer: int) -> Any:
    graph = av.filter.Graph()
    source = graph.add(
        "buffer", f"video_size={width}x{height}:pix_fmt={kind}:time_base=1/1000000:pixel_aspect=1/1"
    )
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.cube"
        table.write_text(_cube(transfer), encoding="ascii")
        steps = [
            ("scale", "in_color_matrix=bt2020:flags=bicubic+accurate_rnd+full_chroma_int"),
            ("format", "gbrp16le"),
            ("lut3d", f"file={table.as_posix().replace(':', chr(92) + ':')}:interp=tetrahedral"),
            ("format", "bgr24"),
        ]
        last = source
        for name, options in steps:
            step = graph.add(name, options)
            last.link_to(step)
            last = step
        last.link_to(graph.add("buffersink"))
        graph.configure()
    return graph


def _cube(transfer: int) -> str:
    """The table as a .cube file: red changes first."""
    axis = np.linspace(0, 1, SIDE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    rows = sdr_of(np.stack([red, green, blue], axis=-1).reshape(-1, 3), transfer)
    lines = [f"LUT_3D_SIZE {SIDE}", *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows)]
    return "\n".join(lines) + "\n"


def sdr_of(coded: Colours, transfer: int) -> Colours:
    """Coded BT.2020 colours as coded BT.709 ones.

    Args:
        coded: [N, 3] RGB in 0..1.
        transfer: `PQ` or `HLG`.

    Returns:
        [N, 3] RGB in 0..1.
    """
    light = np.maximum(_pq(coded) if transfer == PQ else _hlg(coded), 0) / WHITE
    light = np.maximum(light @ BT2020_TO_BT709.T, 0)
    brightest = light.max(axis=1, keepdims=True)
    pressed = np.where(
        brightest <= KNEE, brightest, 1 - (1 - KNEE) * np.exp((KNEE - brightest) / (1 - KNEE))
    )
    # All three by one factor: the hue stays.
    light = light * (pressed / np.maximum(brightest, 1e-9))
    return np.clip(light, 0, 1) ** (1 / 2.4)  # the screen's own curve, ITU-R BT.1886


def _pq(coded: Colours) -> Colours:
    """cd/m2 of PQ-coded values (SMPTE ST 2084)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = coded ** (1 / m2)
    return 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg(coded: Colours) -> Colours:
    """cd/m2 of HLG-coded values on a screen of `HLG_PEAK` (ITU-R BT.2100, system gamma 1.2)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    luma = scene @ LUMA_2020
    return HLG_PEAK * luma[:, None] ** 0.2 * scene
