"""Models by name, and downloads from a real server on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engines.card import BundleError
from engines.catalogue.models import (
    DOWNLOADS,
    DownloadError,
    fetch,
    find_bundle,
    find_model,
    install,
    installed_models,
)
from engines.files import WriteError
from tests.engines.factory import tiny_bundle


class Server(ThreadingHTTPServer):
    """Serves one file, with ranges; may break off after some bytes."""

    content = b""
    break_after: int | None = None
    asked: list[str | None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/model.toon"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        start = int(wanted.split("=")[1].rstrip("-")) if wanted else 0
        body = self.server.content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.break_after])

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "a.toon"
    tiny_bundle().save(path)
    return path.read_bytes()


@pytest.fixture
def server(content: bytes) -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.content, made.asked = content, []
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOONIFY_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_model_is_fetched_checked_and_found_by_name(server: Server, folder: Path) -> None:
    seen = []
    model = fetch(server.url, sha256(server.content), lambda *state: seen.append(state))
    assert seen[-1] == (len(server.content), len(server.content))
    assert model.name == "random-64"
    assert find_model("random-64") == model.path
    assert find_bundle("random-64").styles == ("film",)
    assert model in installed_models()
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["random-64.toon"]


def test_a_download_that_broke_off_goes_on(server: Server) -> None:
    half = len(server.content) // 2
    server.break_after = half
    with pytest.raises(DownloadError, match="goes on where it stopped"):
        fetch(server.url, sha256(server.content))
    assert not [model for model in installed_models() if not model.shipped]
    server.break_after = None
    fetch(server.url, sha256(server.content))
    first, second = server.asked
    assert first is None
    assert second
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= half


def test_a_wrong_hash_is_thrown_away(server: Server, folder: Path) -> None:
    with pytest.raises(DownloadError, match="does not have the expected sha256"):
        fetch(server.url, "0" * 64)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_what_is_no_model_is_not_installed(server: Server) -> None:
    server.content = b"not a model"
    with pytest.raises(BundleError, match="not a model file"):
        fetch(server.url, sha256(server.content))
    assert not [model for model in installed_models() if not model.shipped]


def test_a_model_cannot_choose_where_it_is_installed(
    content: bytes, folder: Path, tmp_path: Path
) -> None:
    path, evil = tmp_path / "a.toon", tmp_path / "evil.toon"
    path.write_bytes(content)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(evil, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "card.json":
                data = json.dumps({**json.loads(data), "name": "../../escaped/evil"}).encode()
            new.writestr(name, data)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BundleError, match=r"A model's name .* not '\.\./\.\./escaped/evil'"):
        install(evil)
    assert sorted(tmp_path.rglob("*")) == before


def test_offline_is_told(server: Server) -> None:
    url, digest = server.url, sha256(server.content)
    server.shutdown()
    server.server_close()
    with pytest.raises(DownloadError, match="cannot be reached"):
        fetch(url, digest)


@pytest.mark.parametrize(
    ("what", "digest", "message"),
    [
        ("nope", None, "no model 'nope' to fetch"),
        ("ftp://127.0.0.1:9/x", "0" * 64, "no model 'ftp://.*https:// or http://"),
        ("http://127.0.0.1:9/x", None, "needs --sha256"),
    ],
)
def test_what_to_fetch_must_be_clear(what: str, digest: str | None, message: str) -> None:
    with pytest.raises(DownloadError, match=message):
        fetch(what, digest)


def test_downloads_carry_hash_and_licence() -> None:
    for download in DOWNLOADS.values():
        assert len(download.sha256) == 64
        assert download.licence


def test_a_missing_model_is_told_with_what_there_is(content: bytes, folder: Path) -> None:
    folder.mkdir()
    (folder / "mine.toon").write_bytes(content)
    with pytest.raises(BundleError, match=r"no model 'nope' \(installed: .*mine"):
        find_bundle("nope")
    assert find_model(str(folder / "mine.toon")) == folder / "mine.toon"


def test_a_folder_that_cannot_be_read_does_not_hide_the_shipped_models(folder: Path) -> None:
    folder.write_text("a file where a folder should be")
    assert all(model.shipped for model in installed_models())
    assert find_model("film") == installed_models()[0].path
    with pytest.raises(BundleError, match="no model 'nnn"):
        find_model("n" * 5000)
    with pytest.raises(WriteError, match="cannot be written"):
        fetch("http://127.0.0.1:1/a.toon", "0" * 64)
