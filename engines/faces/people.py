"""Eight free portraits that come with the package: for calibration, examples and tests."""

from __future__ import annotations

from pathlib import Path

PEOPLE_FOLDER = Path(__file__).parent / "assets" / "people"


def people() -> list[Path]:
    """The portraits, always in the same order.

    They differ in sex, age, skin, light and pose; two wear spectacles, four have a beard or
    stubble, one opens the mouth, one laughs.  All persons are synthetic; their source and licence
    (MIT) are in `assets/people/NOTICE`.

    Returns:
        Eight WebP files of 512 x 512 pixels, each an FFHQ-aligned crop of one face, as
        `engines.faces.alignment` cuts it.
    """
    return sorted(PEOPLE_FOLDER.glob("*.webp"))
