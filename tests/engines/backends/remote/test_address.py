from __future__ import annotations

from pathlib import Path

import pytest

from engines.backends.protocol import BackendNameError
from engines.backends.registry import check_name
from engines.backends.remote.address import LEAVES, Address, parse

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("gpu-box:8001", Address("gpu-box:8001")),
        ("10.0.0.7:8001/film-comic", Address("10.0.0.7:8001", "film-comic")),
        ("[::1]:8001/m", Address("[::1]:8001", "m")),
        ("tls://toons.example.org:443", Address("toons.example.org:443", "", True)),
        ("tls://toons.example.org:443/m.1_a", Address("toons.example.org:443", "m.1_a", True)),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    assert parse(text) == address
    check_name(f"remote:{text}")


@pytest.mark.parametrize(
    "text",
    [
        *("", "gpu-box", "gpu-box:", ":8001", "gpu-box:0", "gpu-box:65536", "a:8001/"),
        *("a:8001/b/c", "a b:8001", "http://a:8001", "a:8001/../b", "user@a:8001", "a:8001\n"),
    ],
)
def test_what_is_no_address_is_refused_with_the_form_it_has(text: str) -> None:
    with pytest.raises(BackendNameError, match="named remote:HOST:PORT or remote:HOST:PORT/MODEL"):
        check_name(f"remote:{text}")


def test_a_remote_engine_without_an_address_is_refused() -> None:
    with pytest.raises(BackendNameError, match="not 'remote:'"):
        check_name("remote")


def test_the_notice_says_who_gets_the_crops_and_whether_they_are_encrypted() -> None:
    plain, tls = parse("gpu-box:8001").notice, parse("tls://gpu-box:443").notice
    assert (
        plain
        == f"{LEAVES} Server: gpu-box:8001 (not encrypted, use remote:tls://gpu-box:8001 for that)."
    )
    assert tls == f"{LEAVES} Server: gpu-box:443 (encrypted)."


@pytest.mark.parametrize("page", ["README.md", "docs/privacy.md"])
def test_the_pages_say_it_in_the_same_words(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert LEAVES.lower() in text.lower()
