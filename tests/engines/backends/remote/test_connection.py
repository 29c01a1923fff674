"""Encrypted connections, with certificates of our own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from engines.backends import BackendError, create_engine
from engines.backends.remote.address import parse
from engines.backends.remote.connection import Connection
from engines.networks.toon import ToonNetwork
from tests.engines.backends.remote.server import Service, grpc, serving


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt install openssl")
    key, signed = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(signed)),
        ],
        check=True,
        capture_output=True,
    )
    return key, signed


def test_tls_is_used_when_asked_for_and_strangers_are_refused(
    tiny: ToonNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, signed = certificate(tmp_path, "known")
    # gRPC reads it once in a process, so that all that needs it is in this test.
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(signed))
    lines = list[str]()
    service = Service(tiny, "tiny")
    known = grpc.ssl_server_credentials([(key.read_bytes(), signed.read_bytes())])
    with serving(service, credentials=known) as server:
        create_engine(tiny, f"remote:tls://{server}/tiny", say=lines.append).close()
        assert lines[0].endswith(f"Server: {server} (encrypted).")
        with pytest.raises(BackendError, match="cannot be reached over an unencrypted connection"):
            create_engine(tiny, f"remote:{server}/tiny", say=lines.append)
    key, other = certificate(tmp_path, "stranger")
    stranger = grpc.ssl_server_credentials([(key.read_bytes(), other.read_bytes())])
    with (
        serving(service, credentials=stranger) as server,
        pytest.raises(BackendError, match="cannot be reached over an encrypted connection"),
    ):
        create_engine(tiny, f"remote:tls://{server}/tiny", say=lines.append)


def test_what_the_server_refuses_is_told_in_its_words(tiny: ToonNetwork) -> None:
    class Full(Service):
        """Answers as Triton does."""

        status, words = grpc.StatusCode.UNAVAILABLE, "Exceeds maximum queue size"

        def ModelInfer(self, request: object, context: object) -> None:  # noqa: N802
            context.abort(self.status, self.words)  # type: ignore[attr-defined]

    with serving(Full(tiny, "tiny")) as server:
        with pytest.raises(BackendError, match=r"more to do than it can.*Exceeds maximum queue"):
            create_engine(tiny, f"remote:{server}/tiny", say=lambda line: None)
        Full.status, Full.words = grpc.StatusCode.INTERNAL, "out of\nmemory"
        with pytest.raises(BackendError, match=r"refused the crops .*\(out of memory\)"):
            create_engine(tiny, f"remote:{server}/tiny", say=lambda line: None)


def test_a_closed_connection_says_so() -> None:
    connection = Connection(parse("127.0.0.1:1/m"))
    connection.close()
    with pytest.raises(BackendError, match="was closed"):
        connection.metadata("m", 1.0)
