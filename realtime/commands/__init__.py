"""What each `toonify` command does; heavy imports wait until a command runs."""

from __future__ import annotations
