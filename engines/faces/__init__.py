"""What an aligned face crop is: landmarks, FFHQ alignment, person mask."""

from __future__ import annotations
