"""The live filter: camera to virtual camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.api import Toonifier as Toonifier

__all__ = ["Toonifier"]


def __getattr__(name: str) -> Any:
    """Import the API, and with it torch, only when it is asked for."""
    if name == "Toonifier":
        from realtime.api import Toonifier

        return Toonifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
