"""What is done to portraits to see whether their toons follow: moves, hands, spectacles."""

from __future__ import annotations
