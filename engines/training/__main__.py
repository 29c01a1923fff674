"""`python -m engines.training`: the commands of `toonify train`."""

from __future__ import annotations

import sys

from engines.errors import ToonifyError
from engines.training.cli.app import app


def main() -> int:
    """Run the command line; a `ToonifyError` becomes one sentence and its exit code."""
    try:
        app(prog_name="python -m engines.training")
    except ToonifyError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
