"""Feed a virtual camera from a program of your own, which may draw into the picture first.

python examples/virtual_camera.py            (your camera)
python examples/virtual_camera.py demo       (the built-in person)

`toonify run` does this with less delay, and hides the picture even while it starts and ends.
"""

from __future__ import annotations

import sys
from itertools import chain, islice

import cv2
import pyvirtualcam

from engines.errors import ToonifyError
from realtime import Toonifier

FPS = 30


def main(source: str = "0", count: int | None = None) -> int:
    """Send `count` frames, or all there are.

    Returns:
        How many frames were sent.
    """
    sent = 0
    with Toonifier(guard="blur") as toonify:
        frames = islice(toonify.stream(source), count)
        first = next(frames, None)
        if first is None:
            sys.exit(f"{source} gave no picture; choose another source.")
        height, width = first.shape[:2]
        try:
            opened = pyvirtualcam.Camera(width, height, FPS, fmt=pyvirtualcam.PixelFormat.BGR)
        except RuntimeError:
            sys.exit("There is no virtual camera; `toonify doctor` tells how to get one.")
        with opened as camera:
            print(f"Sending to {camera.device}; Ctrl-C ends it.")
            for picture in chain([first], frames):
                cv2.putText(picture, "toon", (16, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, (255,) * 3, 2)
                camera.send(picture)
                camera.sleep_until_next_frame()
                sent += 1
    return sent


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "0")
    except ToonifyError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
