"""Turn the faces of one picture into toons.

python examples/one_picture.py portrait.jpg toon.png
"""

from __future__ import annotations

import sys

import cv2

from engines.errors import ToonifyError
from realtime import Toonifier


def main(source: str, target: str) -> int:
    """Read a picture, write its toon.

    Returns:
        How many faces were found.
    """
    picture = cv2.imread(source)
    if picture is None:
        sys.exit(f"{source} is no picture that OpenCV can read; choose a JPEG, PNG or WebP file.")
    with Toonifier() as toonify:
        toon = toonify.image(picture)
    try:
        written = cv2.imwrite(target, toon.image)
    except cv2.error:  # a name that ends in no kind of picture
        written = False
    if not written:
        sys.exit(f"{target} cannot be written; give a .png or .jpg in a folder that exists.")
    print(f"{source}: {toon.faces} face(s), written to {target}")
    return toon.faces


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except ToonifyError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
