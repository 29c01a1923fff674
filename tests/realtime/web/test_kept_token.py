"""An address that stays: kept for its port, for nobody but the user."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from realtime.web import kept_token as module
from realtime.web.kept_token import kept_token, token_path
from realtime.web.server import WebError, WebServer
from tests.realtime.fakes import Messages
from tests.realtime.web.client import address, ask, body, enter
from tests.realtime.web.test_server import ROUTES

PORT = 8765
posix = pytest.mark.skipif(
    os.name != "posix", reason="Windows has neither modes nor pipes in files"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, not made yet."""
    made = tmp_path / "data"
    monkeypatch.setattr(module, "user_data_path", lambda *_, **__: made)
    return made


def refusal() -> str:
    """The one sentence of a refusal, which leaves the file as it was."""
    path = token_path(PORT)
    before = path.lstat() if os.path.lexists(path) else None
    messages = Messages()
    with pytest.raises(WebError) as caught:
        kept_token(PORT, messages)
    assert messages == []
    assert (path.lstat() if before else None) == before
    assert str(path) in str(caught.value)
    assert str(caught.value).count("; ") == 1
    return str(caught.value)


def test_a_new_one_is_random_and_in_a_file_for_the_user_alone(folder: Path) -> None:
    messages = Messages()
    token = kept_token(PORT, messages)
    path = token_path(PORT)
    assert folder in path.parents
    assert path.read_bytes() == token.encode()
    assert len(token) == 43
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(messages) == 1
    assert str(path) in messages[0]
    assert token not in messages[0]
    path.unlink()
    assert kept_token(PORT, Messages()) != token


def test_it_is_used_again_for_its_port_only() -> None:
    messages = Messages()
    token = kept_token(PORT, Messages())
    assert kept_token(PORT, messages) == token
    assert messages == []
    assert kept_token(PORT + 1, messages) != token


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
def test_a_file_that_others_can_use_is_refused(mode: int) -> None:
    token = kept_token(PORT, Messages())
    token_path(PORT).chmod(mode)
    words = refusal()
    assert f"by others (mode {mode:04o})" in words
    assert words.endswith("delete it, and the next run makes another one.")
    assert token not in words


@posix
def test_a_file_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_token(PORT, Messages())
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    assert "belongs to another user" in refusal()


@posix
def test_a_disk_that_shows_new_files_to_everybody_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = module.write_atomically

    def write(path: Path, data: bytes, **options: object) -> None:
        real(path, data)
        path.chmod(0o777)

    monkeypatch.setattr(module, "write_atomically", write)
    with pytest.raises(WebError, match="mode 0777"):
        kept_token(PORT, Messages())


@pytest.mark.parametrize(
    "content",
    [b"", b"short", b"a" * 42, b"a" * 44, b"a" * 43 + b"\n", b"a" * 42 + b"?", b"\xff" * 43,
     b"a" * 10_000],
)  # fmt: skip
def test_a_damaged_file_is_refused_and_not_quoted(content: bytes) -> None:
    kept_token(PORT, Messages())
    token_path(PORT).write_bytes(content)
    words = refusal()
    assert "is damaged" in words
    assert not content or content.decode("latin-1") not in words


def test_a_folder_that_cannot_be_written_is_one_sentence(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    assert refusal().endswith("make this folder writable, or leave --keep-address out.")
    assert folder.is_file()


def test_a_folder_in_its_place_is_refused() -> None:
    token_path(PORT).mkdir(parents=True)
    assert "cannot be read" in refusal()


@posix
def test_links_and_pipes_in_its_place_are_refused(tmp_path: Path) -> None:
    path = token_path(PORT)
    path.parent.mkdir(parents=True)
    for target in (tmp_path / "nowhere", tmp_path / "there"):
        path.symlink_to(target)
        assert "cannot be read" in refusal()
        path.unlink()
        (tmp_path / "there").write_bytes(b"a" * 43)
    os.mkfifo(path, 0o600)
    assert "is damaged" in refusal()  # and nobody waits for a writer


def test_an_open_page_and_the_address_lead_to_the_next_run() -> None:
    token = kept_token(PORT, Messages())
    messages = Messages()
    with WebServer(ROUTES, say=messages, token=token) as first:
        shown, headers = first.url("/overlay"), enter(first)
        assert token not in headers["cookie"]
        assert shown.endswith(f"/overlay?token={token}")
    with WebServer(ROUTES, port=first.port, say=messages, token=token) as second:
        assert second.url("/overlay") == shown
        assert body(ask(second, "/", headers)) == b"hello"
        answer = ask(second, address(second))
        assert answer.status == 303
        assert token not in str(answer.headers)
        assert ask(second, f"/?token={token[:-1]}").status == 403
        assert ask(second, "/").status == 403
    assert messages == []


def test_without_a_kept_one_every_run_has_its_own() -> None:
    with WebServer(ROUTES, say=Messages()) as first:
        headers = enter(first)
    with WebServer(ROUTES, port=first.port, say=Messages()) as second:
        assert second.url() != first.url()
        assert ask(second, "/", headers).status == 403
        assert ask(second, address(first)).status == 403
