"""Contact sheets: pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engines.pictures import Image

LABEL_HEIGHT = 22


def contact_sheet(
    rows: Sequence[Sequence[Image]],
    *,
    labels: Sequence[str] = (),
    side: int | None = None,
    gap: int = 2,
) -> Image:
    """Lay pictures out in rows.

    Args:
        rows: rows of uint8 [S, S, 3] RGB pictures, all rows of the same length.
        labels: a caption above each column.
        side: every picture is scaled to this side; None takes that of the first one.
        gap: white pixels between pictures.

    Returns:
        uint8 [H, W, 3] RGB.
    """
    side = side or rows[0][0].shape[0]
    columns = max(len(row) for row in rows)
    top = LABEL_HEIGHT if labels else 0
    step = side + gap
    sheet = np.full((top + len(rows) * step - gap, columns * step - gap, 3), 255, np.uint8)
    for j, label in enumerate(labels):
        place = (j * step + 4, LABEL_HEIGHT - 7)
        cv2.putText(sheet, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            way = cv2.INTER_AREA if picture.shape[0] > side else cv2.INTER_CUBIC
            cell = cv2.resize(picture, (side, side), interpolation=way)
            sheet[top + i * step : top + i * step + side, j * step : j * step + side] = cell
    return sheet
