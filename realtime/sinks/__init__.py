"""Where frames go: virtual camera, preview window, recording, pictures, overlay."""

from __future__ import annotations
