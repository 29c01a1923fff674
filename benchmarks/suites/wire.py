"""What a face weighs on the wire, in each form it could be sent in, and what the form costs.

A crop goes out in a form and a toon comes back in it. Costs are those of the machine with the
camera: encoding the crop and decoding the toon, in processor time; a server pays for the reverse.
What is no picture, such as the map of the photo's detail, goes in half precision in every form.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.conditions import Monitor
from benchmarks.report import Report, Result, Series
from benchmarks.suites.callers import FRAMES
from engines.backends.remote.interface import as_sent
from engines.bundle import default_bundle
from engines.faces.people import people
from engines.networks.toon import ToonNetwork
from engines.pictures import Image, read_picture
from engines.say import Say

Encode = Callable[[NDArray[np.uint8]], bytes]
Drawn = list[NDArray[Any]]
Decode = Callable[[bytes, tuple[int, ...]], NDArray[np.uint8]]


QUICK_ROUNDS = 3


@dataclass(frozen=True)
class Form:
    """A way to write an array of bytes, [H, W, 3] or [H, W]."""

    name: str
    encode: Encode
    decode: Decode


def _raw(data: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8).reshape(shape)


def _codec(name: str, suffix: str, *settings: int) -> Form:
    def encode(array: NDArray[np.uint8]) -> bytes:
        return bytes(cv2.imencode(suffix, array, settings)[1])

    def decode(data: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        how = cv2.IMREAD_GRAYSCALE if len(shape) == 2 else cv2.IMREAD_COLOR
        return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), how), np.uint8)

    return Form(name, encode, decode)


FORMS = (
    Form("raw", lambda array: array.tobytes(), _raw),
    Form(
        "gzip (lossless)",
        lambda array: zlib.compress(array.tobytes(), 1),
        lambda data, shape: _raw(zlib.decompress(data), shape),
    ),
    _codec("PNG (lossless)", ".png", cv2.IMWRITE_PNG_COMPRESSION, 1),
    _codec("WebP lossless", ".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
    _codec("JPEG 95", ".jpg", cv2.IMWRITE_JPEG_QUALITY, 95),
    _codec("JPEG 85", ".jpg", cv2.IMWRITE_JPEG_QUALITY, 85),
    _codec("WebP 85", ".webp", cv2.IMWRITE_WEBP_QUALITY, 85),
)


def run(rounds: int, say: Say) -> Report:
    """Weigh every form with the eight portraits of the package and the shipped model.

    Args:
        rounds: how often each form is timed.
        say: takes one line on what is going on.
    """
    network, monitor = default_bundle().network(), Monitor()
    side = network.input_size
    pictures = [read_picture(path).rgb for path in people()]
    crops = [
        np.asarray(cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        for one in pictures
    ]
    toons = [_draw(network, crop) for crop in crops]
    results = []
    for form in FORMS:
        say(f"{form.name}: {rounds} rounds")
        monitor.tick()
        costs = [
            [_cost(form, *pair) for pair in zip(crops, toons, strict=True)] for _ in range(rounds)
        ]
        results.append(_result(form, network, crops, toons, Series("ms", "lower", costs)))
    return Report(
        kind="wire",
        settings={"rounds": rounds},
        conditions=monitor.finish().record(),
        results=results,
    )


def _draw(network: ToonNetwork, crop: Image) -> Drawn:
    """All that the network hands out for one crop, as a server sends it."""
    with torch.inference_mode():
        drawn = network(torch.from_numpy(np.array(crop)[None]))
    return [as_sent(tensor[0].numpy()) for tensor in drawn]


def _written(form: Form, array: NDArray[Any]) -> bytes:
    return form.encode(array) if array.dtype == np.uint8 else array.tobytes()


def _read(form: Form, data: bytes, like: NDArray[Any]) -> NDArray[Any]:
    if like.dtype == np.uint8:
        return form.decode(data, like.shape)
    return np.frombuffer(data, like.dtype).reshape(like.shape)


def _cost(form: Form, crop: Image, drawn: Drawn) -> float:
    """Milliseconds of processor time that one face costs the machine with the camera."""
    answers = [(_written(form, array), array) for array in drawn]
    start = time.thread_time()
    form.encode(crop)
    for data, array in answers:
        _read(form, data, array)
    return (time.thread_time() - start) * 1e3


def _result(
    form: Form, network: ToonNetwork, crops: list[Image], toons: list[Drawn], cost: Series
) -> Result:
    sent = np.mean([len(form.encode(crop)) for crop in crops])
    returned = np.mean([sum(len(_written(form, array)) for array in drawn) for drawn in toons])
    changes = []
    for crop, drawn in zip(crops, toons, strict=True):
        arrived = form.decode(form.encode(crop), crop.shape)
        there = _draw(network, arrived)[0]
        there = _read(form, _written(form, there), there)
        changes.append(np.abs(there.astype(float) - drawn[0]).mean())
    metrics = {
        "sent_kb": float(sent) / 1e3,
        "returned_kb": float(returned) / 1e3,
        "mbit_per_s_at_30_fps": float(sent + returned) * 8 * FRAMES / 1e6,
        "difference": float(np.mean(changes)),
    }
    return Result(form.name, {"form": form.name}, {"latency": cost}, metrics)
