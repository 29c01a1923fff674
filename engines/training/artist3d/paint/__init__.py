"""What is drawn: light, skin, eyes, brows, mouth, hair, spectacles, ink."""

from __future__ import annotations
