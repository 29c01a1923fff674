"""What is measured before drawing: parts, person, tone, beard, eyewear."""

from __future__ import annotations
