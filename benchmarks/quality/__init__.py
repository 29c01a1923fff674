"""How good a toon is: pure measures of pictures and landmarks, and what they are shown on."""

from __future__ import annotations
