"""Where frames come from: camera, media file or URL, pictures, the built-in demo."""

from __future__ import annotations
