"""The head model: fitted to a face, restyled, rasterised, and the map between both shapes."""

from __future__ import annotations
