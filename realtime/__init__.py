"""The live filter: camera to virtual camera."""

from __future__ import annotations
