"""`python -m benchmarks`: the same as `toonify bench`."""

from __future__ import annotations

import sys

from benchmarks.cli import app
from engines.command_line import run_app


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (see `engines.command_line`)."""
    return run_app(app, "python -m benchmarks", arguments)


if __name__ == "__main__":
    sys.exit(main())
