"""What an aligned face crop is: landmarks, FFHQ alignment, person mask, pose and build."""

from __future__ import annotations
