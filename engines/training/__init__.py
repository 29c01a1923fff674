"""How models are made: pairs are drawn, networks learn from them, weights become a bundle."""

from __future__ import annotations
