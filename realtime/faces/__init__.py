"""Tracking faces through a stream: identities, motion, search, smoothing."""

from __future__ import annotations
