"""What is fast and what is good, measured."""

from __future__ import annotations
