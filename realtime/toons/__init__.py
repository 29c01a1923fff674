"""Toons in frames: what an engine drew, blended into this frame or into a later one."""

from __future__ import annotations
