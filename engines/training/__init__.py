"""How models are made: draw pairs, train networks on them, export a bundle."""

from __future__ import annotations
