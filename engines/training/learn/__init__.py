"""The networks learn: losses, stages, and runs that stop and resume."""

from __future__ import annotations
