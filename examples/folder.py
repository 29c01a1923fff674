"""Turn every picture of a folder into a toon; pictures without a face are not copied.

python examples/folder.py holiday toons
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from engines.errors import ToonifyError
from realtime import Toonifier


def main(source: str, target: str) -> list[Path]:
    """Write a PNG file for each picture with a face.

    Returns:
        The files written.
    """
    written = []
    folder = Path(target)
    try:
        paths = sorted(Path(source).iterdir())
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}; give a folder of pictures and one to make.")
    with Toonifier() as toonify:  # one model, loaded once for all pictures
        for path in paths:
            picture = cv2.imread(str(path)) if path.is_file() else None
            if picture is None:
                print(f"{path.name}: skipped; it is no picture")
                continue
            toon = toonify.image(picture)
            print(f"{path.name}: {toon.faces} face(s)")
            if toon.faces:
                result = folder / f"{path.stem}.png"
                if not cv2.imwrite(str(result), toon.image):
                    sys.exit(f"{result} cannot be written; is the disk full?")
                written.append(result)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except ToonifyError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
