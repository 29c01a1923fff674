"""Show your camera as a toon in a loop of your own; press q in the window to end it.

python examples/camera_loop.py

`Toonifier.frame` follows faces from frame to frame, which is faster and steadier than `image` on
each frame by itself. It needs to know when each frame was captured.
"""

from __future__ import annotations

import sys
import time

import cv2

from engines.errors import ToonifyError
from realtime import Toonifier


def main(camera: int = 0) -> int:
    """Run until q is pressed or the camera ends.

    Returns:
        How many frames were shown.
    """
    capture = cv2.VideoCapture(camera)
    if not capture.isOpened():
        sys.exit(f"Camera {camera} cannot be opened; `toonify devices` lists those there are.")
    shown = 0
    # "blur" shows a few soft patches whenever there is no toon, so no real face is seen.
    with Toonifier(guard="blur") as toonify:
        while True:
            grabbed, picture = capture.read()
            if not grabbed:
                break
            toon = toonify.frame(picture, time.monotonic())
            cv2.imshow("Toonify", toon.image)
            shown += 1
            if cv2.waitKey(1) & 0xFF == ord("q"):
                break
    if not shown:
        sys.exit(f"Camera {camera} gives no pictures; is another program using it?")
    capture.release()
    cv2.destroyAllWindows()
    return shown


if __name__ == "__main__":
    if not all(word.isdigit() for word in sys.argv[1:]) or len(sys.argv) > 2:
        sys.exit("Give the camera's number, such as 0; `toonify devices` lists those there are.")
    try:
        main(*map(int, sys.argv[1:]))
    except ToonifyError as error:
        sys.exit(f"Error: {error}")
    except cv2.error:
        sys.exit("OpenCV cannot open a window here; run this on a desktop.")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
