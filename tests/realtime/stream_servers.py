"""Real servers of live pictures on this machine: MJPEG over HTTP, and RTSP."""

from __future__ import annotations

import base64
import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import av
import cv2

from tests.realtime.media import numbered

CELLS = 7 * 188  # bytes of MPEG-TS in one packet


class PhoneServer:
    """Sends numbered pictures as phones do: one JPEG after the other in one endless answer.

    Args:
        account: name and password, as "me:secret", that a client must give.
    """

    def __init__(self, port: int = 0, rate: float = 30.0, account: str = "") -> None:
        self.sent = 0  # pictures since the beginning, whoever got them
        self.stalled = False
        self._start = time.monotonic()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = "Basic " + base64.b64encode(account.encode()).decode()
                if account and self.headers.get("Authorization") != wanted:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="phone"')
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
                self.end_headers()
                try:
                    while outer.running:
                        if not outer.stalled:
                            self.wfile.write(outer.part())
                        time.sleep(1 / rate)
                except OSError:
                    pass  # the client has gone

            def log_message(self, *words: Any) -> None:
                pass

        self.running = True
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def part(self) -> bytes:
        """The next picture with its header."""
        self.sent += 1
        jpeg = cv2.imencode(".jpg", numbered(self.sent % 256))[1].tobytes()
        head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        return head.encode() + jpeg + b"\r\n"

    def close(self) -> None:
        """End the server and every connection."""
        self.running = False
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def phone(**options: Any) -> Iterator[PhoneServer]:
    server = PhoneServer(**options)
    try:
        yield server
    finally:
        server.close()


def transport_stream(count: int, rate: int = 25) -> bytes:
    """Numbered pictures as MPEG-TS with H.264."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        stream: Any = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.options = {"g": "10", "tune": "zerolatency", "preset": "ultrafast"}
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return out.getvalue()


def _answer(line: str, headers: dict[str, str], address: str) -> str:
    """What an RTSP server says to a request."""
    more = {
        "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n",
        "SETUP": "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n",
        "PLAY": "Session: 1\r\n\r\n",
    }
    sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\n"
    more["DESCRIBE"] = (
        f"Content-Type: application/sdp\r\nContent-Base: {address}\r\n"
        f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
    )
    return f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\n{more.get(line.split()[0], '')}"


@contextmanager
def rtsp_server(seconds: float = 8.0) -> Iterator[int]:
    """An RTSP server that plays numbered pictures at 25 a second to its clients; gives its port."""
    stream = transport_stream(int(seconds * 25))
    server = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client, client.makefile("rb") as requests:
            while line := requests.readline().decode().strip():
                headers = {}
                while text := requests.readline().decode().strip():
                    key, _, value = text.partition(":")
                    headers[key.lower()] = value.strip()
                client.sendall(_answer(line, headers, line.split()[1]).encode())
                if line.startswith("PLAY"):
                    break
            start = time.monotonic()
            for number, at in enumerate(range(0, len(stream), CELLS)):
                cells = stream[at : at + CELLS]
                moment = seconds * at / len(stream)
                time.sleep(max(0.0, start + moment - time.monotonic()))
                head = b"\x80\x21" + number.to_bytes(2, "big")
                head += int(moment * 90_000).to_bytes(4, "big") + b"\0\0\0\1"
                size = len(head + cells)
                client.sendall(b"$\0" + size.to_bytes(2, "big") + head + cells)

    def accept() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(serve, client), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def _quietly(serve: Any, client: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client has gone
        serve(client)
