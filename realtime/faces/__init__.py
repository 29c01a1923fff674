"""Tracking faces through a stream: identities, second look, smoothing."""

from __future__ import annotations
