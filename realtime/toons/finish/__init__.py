"""What is done to a drawn toon before it is pasted: colours, light, mouth, brows, hair, ink."""

from __future__ import annotations
