"""Does a stream that is faster than the loop build a queue?

`python -m benchmarks.suites.stream_lag` measures it. A phone-like server in a process of its own
sends JPEGs over HTTP, each with the moment of its drawing written into it. A reader as slow as a
busy loop takes the newest one now and then. What is measured is how old each picture is when it is
taken, and the memory of the reader: both must stay where they are, however long it runs.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from multiprocessing.connection import Connection
from typing import Annotated, Any

import cv2
import numpy as np
import psutil
import typer

from engines.pictures import Image
from engines.say import Say, say
from realtime.frame import as_uint8
from realtime.sources.network import NetworkSource

BITS = 32  # of the moment in milliseconds, one bar each
ONE, ZERO = 235, 20
WARMUP = 2.0  # seconds that are not counted


def stamped(background: Image, moment: float) -> Image:
    """A copy of uint8 [H, W, 3] with `moment`, seconds, written into its upper edge."""
    image = background.copy()
    bar = image.shape[1] // BITS
    bits = int(moment * 1e3) >> np.arange(BITS) & 1
    image[:16, : bar * BITS] = np.where(np.repeat(bits, bar), ONE, ZERO)[None, :, None]
    return image


def moment_of(image: Image) -> float:
    """The moment that `stamped` wrote, seconds modulo 2^32 ms."""
    bar = image.shape[1] // BITS
    levels = image[4:12, : bar * BITS].mean(axis=(0, 2)).reshape(BITS, bar)[:, bar // 4 : -bar // 4]
    return float(((levels.mean(axis=1) > 128).astype(np.int64) << np.arange(BITS)).sum()) / 1e3


def serve(size: tuple[int, int], rate: float, told: Connection) -> None:
    """Send stamped pictures to whoever connects; tells its port first."""
    noise = np.random.default_rng(0).integers(0, 256, (size[1] // 16, size[0] // 16, 3), np.uint8)
    background = as_uint8(cv2.resize(noise, size))
    with socket.create_server(("127.0.0.1", 0)) as server:
        told.send(server.getsockname()[1])
        while True:
            client, _ = server.accept()
            try:
                client.recv(4096)
                client.sendall(
                    b"HTTP/1.1 200 OK\r\n"
                    b"Content-Type: multipart/x-mixed-replace; boundary=picture\r\n\r\n"
                )
                due = time.monotonic()
                while True:
                    jpeg = cv2.imencode(".jpg", stamped(background, time.monotonic()))[1].tobytes()
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    client.sendall(b"--picture\r\n" + head.encode() + jpeg + b"\r\n")
                    due = max(due + 1 / rate, time.monotonic() - 1)
                    time.sleep(max(0.0, due - time.monotonic()))
            except OSError:
                client.close()  # it hung up


def measure(
    seconds: float,
    say: Say,
    *,
    size: tuple[int, int] = (640, 360),
    rate: float = 60.0,
    loop: float = 10.0,
) -> dict[str, Any]:
    """Read a stream for `seconds` and tell how old its pictures were.

    Args:
        size: (width, height) of the pictures.
        rate: pictures a second of the stream.
        loop: pictures a second that are taken.

    Returns:
        JSON-ready: medians and the maximum of the age in ms, in the first and the last fifth; the
        slope of age (ms a minute) and of memory (MiB a minute), by least squares.
    """
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve, args=(size, rate, theirs), daemon=True)
    server.start()
    times, ages, memory = [], [], []
    try:
        source = NetworkSource(f"http://127.0.0.1:{ours.recv()}/video", say)
        start = time.monotonic()
        process = psutil.Process()
        for frame in source.frames():
            now = time.monotonic()
            if now - start > WARMUP:
                times.append(now - start)
                ages.append((now * 1e3 - moment_of(frame.image) * 1e3) % 2**BITS)
                memory.append(process.memory_info().rss / 2**20)
            if now - start > seconds + WARMUP:
                break
            time.sleep(1 / loop)
        source.close()
    finally:
        server.kill()
        server.join()
    fifth = max(1, len(ages) // 5)
    minutes = np.asarray(times) / 60
    return {
        "seconds": seconds,
        "source_fps": rate,
        "taken": len(ages),
        "age_ms_first_fifth": round(float(np.median(ages[:fifth])), 1),
        "age_ms_last_fifth": round(float(np.median(ages[-fifth:])), 1),
        "age_ms_most": round(float(np.max(ages)), 1),
        "age_growth_ms_per_min": round(float(np.polyfit(minutes, ages, 1)[0]), 2),
        "memory_growth_mib_per_min": round(float(np.polyfit(minutes, memory, 1)[0]), 2),
    }


def main(
    seconds: Annotated[float, typer.Option(min=1, help="How long to read.")] = 300.0,
    rate: Annotated[float, typer.Option(min=1, help="Pictures a second of the stream.")] = 60.0,
    loop: Annotated[float, typer.Option(min=1, help="Pictures a second that are taken.")] = 10.0,
) -> None:
    """How old the pictures of a stream are that is faster than the loop."""
    for name, value in measure(seconds, say, rate=rate, loop=loop).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    typer.run(main)
