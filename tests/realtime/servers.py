"""Real programs that send and take streams on this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NGINX_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
LIMIT = 40.0  # seconds that a test waits for something that should come


def require_ffmpeg() -> str:
    """The path of ffmpeg; skips where it is missing."""
    found = shutil.which("ffmpeg")
    if not found:
        pytest.skip("needs ffmpeg: `apt-get install ffmpeg`")
    return found


def free_port() -> int:
    """A port of this machine that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(done: object, what: str) -> None:
    """Wait until the function `done` returns something true."""
    end = time.monotonic() + LIMIT
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)


def answers(port: int) -> bool:
    """Whether somebody listens to a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program, which is killed at the end."""
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def rtmp_server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """nginx that takes streams to rtmp://127.0.0.1:PORT/live/KEY and hands them on."""
    if not shutil.which("nginx") or not NGINX_MODULE.is_file():
        pytest.skip("needs nginx with RTMP: `apt-get install nginx libnginx-mod-rtmp`")
    config = folder / f"nginx-{port}.conf"
    config.write_text(
        f"load_module {NGINX_MODULE};\ndaemon off; master_process off;\n"
        f"pid {folder}/nginx-{port}.pid; error_log {folder}/nginx.log info;\n"
        "events { worker_connections 64; }\n"
        f"rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; "
        "} } }\n"
    )
    with running(["nginx", "-c", str(config), "-p", str(folder)]) as process:
        wait_for(lambda: answers(port), "nginx")
        yield process


@contextmanager
def receiver(words: list[str], path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """ffmpeg that copies what it is sent into `path`; `words` are its input."""
    ffmpeg = require_ffmpeg()
    output = ["-c", "copy", "-flush_packets", "1", str(path)]
    with running([ffmpeg, "-y", *words, *output]) as process:
        yield process
