"""Contact sheets: photo, artist, output, side by side with what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from benchmarks.quality.portraits import resize
from engines.errors import ToonifyError
from engines.pictures import Image

CAPTION, GAP, PAPER, INK = 18, 6, (250, 249, 246), (40, 44, 52)


@dataclass(frozen=True)
class Strip:
    """Pictures of one person with a caption below; uint8 [S, S, 3] RGB each."""

    caption: str
    pictures: Sequence[Image]


def save_sheet(
    strips: Sequence[Strip], path: Path, *, title: str, side: int = 160, across: int = 3
) -> None:
    """Write a PNG with `across` strips in a row.

    Raises:
        ToonifyError: when it cannot be written.
    """
    width = max(len(strip.pictures) for strip in strips) * side
    rows = -(-len(strips) // across)
    sheet = Pictures.new(
        "RGB",
        (across * (width + GAP) + GAP, rows * (side + CAPTION) + 2 * CAPTION),
        PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    draw.text((GAP, 6), title, INK, font=font)
    for i, strip in enumerate(strips):
        left = GAP + (i % across) * (width + GAP)
        top = 2 * CAPTION + (i // across) * (side + CAPTION)
        for k, picture in enumerate(strip.pictures):
            sheet.paste(Pictures.fromarray(resize(picture, side)), (left + k * side, top))
        draw.text((left, top + side + 1), strip.caption, INK, font=font)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path)
    except (OSError, ValueError) as error:
        raise ToonifyError(f"The contact sheet cannot be written to {path}: {error}.") from error
