"""One module per benchmark: each returns a `Report`."""

from __future__ import annotations
