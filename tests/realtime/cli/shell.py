"""The command line, run inside the test and read back."""

from __future__ import annotations

import re

import pytest

from realtime.cli.app import main


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, standard output, standard error; plain words, one space between them."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    flat = [re.sub(r"\s+", " ", re.sub(r"\x1b\[[\d;]*m", "", text)) for text in captured]
    assert "Traceback" not in flat[0] + flat[1]
    return code, flat[0], flat[1]
