"""`python -m engines.training`: the commands of `toonify train`."""

from __future__ import annotations

import sys

from engines.command_line import run_app
from engines.training.cli.app import app


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (see `engines.command_line`)."""
    return run_app(app, "python -m engines.training", arguments)


if __name__ == "__main__":
    sys.exit(main())
