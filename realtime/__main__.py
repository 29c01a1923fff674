"""`python -m realtime`: the same as `toonify`."""

from __future__ import annotations

import sys

from realtime.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
