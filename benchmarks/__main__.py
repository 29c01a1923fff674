"""`python -m benchmarks`, the same as `toonify bench`."""

from __future__ import annotations

from benchmarks.cli import main

main()
