"""The toon's mouth: what the network drew of it made good, and lips painted over it."""

from __future__ import annotations
