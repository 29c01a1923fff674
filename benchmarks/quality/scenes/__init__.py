"""What is done to portraits to see whether their toons follow: moves, things before eyes, frames."""

from __future__ import annotations
