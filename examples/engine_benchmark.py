"""Time one engine on the portraits that come with the package.

python examples/engine_benchmark.py openvino

A quick look at encoder and generator alone; `toonify bench engines` compares all engines, in turns
and with intervals, and refuses a busy machine.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
from PIL import Image

from engines.backends import create_engine
from engines.bundle import default_bundle
from engines.errors import ToonifyError
from engines.faces.people import people


def main(name: str = "auto", runs: int = 50) -> float:
    """Print and return the median milliseconds of one face.

    Args:
        name: a back end, or "auto" for the fastest one that runs here.
        runs: timed runs, after three that are not counted.
    """
    engine = create_engine(default_bundle().network(), name, max_batch=1)
    side = (engine.input_size, engine.input_size)
    crops = np.stack([np.asarray(Image.open(path).resize(side)) for path in people()])  # RGB
    times = []
    for run in range(3 + runs):
        number = run % len(crops)
        start = time.perf_counter()
        engine.run(crops[number : number + 1])
        times.append(1000 * (time.perf_counter() - start))
    median = statistics.median(times[3:])
    print(f"{engine.name}, {engine.device}, {engine.precision}: {median:.1f} ms a face (median)")
    engine.close()
    return median


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "auto")
    except ToonifyError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
