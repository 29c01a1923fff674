"""What is done to a drawn toon before it is pasted: the scene's colours, light, hair, ink."""

from __future__ import annotations
