"""Turn every picture of a folder into a toon; pictures without a face are not copied.

python examples/folder.py holiday toons
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from realtime import Toonifier


def main(source: str, target: str) -> list[Path]:
    """Write a PNG file for each picture with a face.

    Returns:
        The files written.
    """
    written = []
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    with Toonifier(faces=8) as toonify:  # one model, loaded once for all pictures
        for path in sorted(Path(source).iterdir()):
            picture = cv2.imread(str(path)) if path.is_file() else None
            if picture is None:
                print(f"{path.name}: skipped; it is no picture")
                continue
            toon = toonify.image(picture)
            print(f"{path.name}: {toon.faces} face(s)")
            if toon.faces:
                written.append(folder / f"{path.stem}.png")
                cv2.imwrite(str(written[-1]), toon.image)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
